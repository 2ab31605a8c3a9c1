// What happens while it is watched, and what when nobody can watch.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { begin, logIn, openPage, pageOf, show } from "./browser.mjs";
import { Chronos, until } from "./chronos.mjs";

const { server, browser, page, end } = await begin();
after(end);

const heading = (name) => page.getByRole("heading", { level: 1, name });

test("a job is submitted with the form, watched while it runs, and its log is read", async () => {
  const gate = join(server.folder, "gate");
  await show(page, server, "/jobs/new");
  await page.getByLabel("Name", { exact: true }).fill("watched");
  await page.getByRole("button", { name: "Command", exact: true }).click();
  await page.getByLabel("Program and arguments").fill(`/bin/sh\n-c\nprintf 'first \\033[31mred\\033[0m\\n'; while [ ! -e ${gate} ]; do sleep 0.05; done; echo second`);
  await page.getByRole("button", { name: "Now", exact: true }).click();
  await page.getByText("The server would take this").waitFor();
  await page.getByRole("button", { name: "Submit" }).click();
  await heading("watched").waitFor();
  await page.getByRole("link", { name: "Its run" }).click();
  await page.getByText("first red").waitFor(); // while it runs
  assert.equal(await page.locator(".log-line .ansi-1").innerText(), "red");
  await page.locator("h1 .badge", { hasText: "Running" }).waitFor();
  writeFileSync(gate, "");
  await page.locator(".log-line", { hasText: "second" }).waitFor();
  await page.locator("h1 .badge", { hasText: "Succeeded" }).waitFor();
  await page.locator(".story").getByText("Ended").waitFor();
  const raw = page.getByRole("link", { name: "Raw" });
  const text = await page.evaluate(async (href) => (await fetch(href)).text(), await raw.getAttribute("href"));
  assert.equal(text, "first \u001b[31mred\u001b[0m\nsecond\n");
});

test("lists go on by themselves, and one stream serves all tabs", async () => {
  const context = await browser.newContext();
  const streams = [];
  context.on("request", (request) => { if (request.url().includes("/api/events")) streams.push(request); });
  const [first, second] = [await pageOf(context), await pageOf(context)];
  await logIn(first, server);
  await show(first, server, "/jobs");
  await first.getByText("Live", { exact: true }).waitFor();
  await show(second, server, "/jobs");
  await second.getByText("Live", { exact: true }).waitFor();
  await server.shell("just arrived", "true");
  for (const tab of [first, second]) await tab.getByRole("link", { name: "just arrived" }).waitFor();
  assert.equal(streams.filter((request) => request.frame().page() === second).length, 0);
  await first.close(); // the other takes over
  await server.shell("arrived later", "true");
  await second.getByRole("link", { name: "arrived later" }).waitFor();
  await context.close();
});

test("the next runs of a job go on as it runs", async () => {
  const job = await server.submit({ name: "every second", cron: "* * * * * *", action: { kind: "command", argv: ["true"] } });
  await show(page, server, `/jobs/${job.id}`);
  const next = page.locator(".next-runs li .number").first();
  const first = await next.innerText();
  await until("another run is the next", async () => (await next.innerText()) !== first);
  await server.call("DELETE", `/api/jobs/${job.id}`);
});

test("what was asked before the connection was lost is not waited for", async () => {
  const own = await Chronos.start();
  const other = await openPage(browser);
  try {
    await logIn(other, own);
    let asked = 0;
    await other.route((url) => url.pathname === "/api/jobs", (route) => ((asked += 1) > 1 ? route.continue() : undefined)); // swallowed
    await other.goto(`${own.url}/jobs`);
    await other.getByText("Live", { exact: true }).waitFor();
    await until("the list is asked for", () => asked === 1);
    await own.halt();
    await other.getByText(/Not connected: what you see is of/).waitFor();
    await own.launch();
    await own.submit({ name: "behind a wall", cron: "0 0 1 1 *", action: { kind: "http", url: "http://127.0.0.1:9/" } });
    await other.getByRole("link", { name: "behind a wall" }).waitFor();
  } finally {
    await other.context().close();
    await own.stop();
  }
});

test("a lost connection is said, and all is read again when it is back", async () => {
  const own = await Chronos.start();
  const other = await openPage(browser);
  try {
    await logIn(other, own);
    await show(other, own, "/jobs");
    await other.getByText("Live", { exact: true }).waitFor();
    await own.halt();
    await other.getByText(/Not connected: what you see is of/).waitFor();
    await own.launch();
    await own.submit({ name: "made meanwhile", cron: "0 0 1 1 *", action: { kind: "http", url: "http://127.0.0.1:9/" } });
    await other.getByRole("link", { name: "made meanwhile" }).waitFor();
    await other.getByText(/Not connected: what you see is of/).waitFor({ state: "detached" });
  } finally {
    await other.context().close();
    await own.stop();
  }
});
