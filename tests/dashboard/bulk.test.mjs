// Many at once.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { begin, logIn, openPage, show } from "./browser.mjs";
import { until } from "./chronos.mjs";

const { server, browser, page, end } = await begin();
after(end);

const selection = () => page.getByRole("region", { name: "Selection" });

test("runs are retried together: counted first, taken back, then done over a reload; what could not be is said", async () => {
  const jobs = await Promise.all([1, 2, 3].map((number) => server.shell(`flaky ${number}`, "exit 1")));
  await Promise.all(jobs.map((job) => server.run(job, "failed")));
  const later = await server.submit({ name: "flaky later", cron: "0 0 1 1 *", action: { kind: "http", url: "http://127.0.0.1:9/" } });
  const planned = await server.run(later, "planned");
  await show(page, server, `/runs?q=${encodeURIComponent("name:flaky state:failed,planned")}`);
  await page.getByLabel("Select all on this page").check();
  await selection().getByText("4 selected").waitFor();
  const begin = async () => {
    await selection().getByRole("button", { name: "Retry" }).click();
    await page.getByRole("dialog", { name: "Retry: 4 runs" }).getByText("flaky 2").waitFor();
    await page.getByRole("button", { name: "Retry 4 runs" }).click();
  };
  await begin();
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByText("Taken back: nothing was changed").waitFor();
  for (const job of jobs) assert.equal((await server.call("GET", `/api/jobs/${job.id}/runs`)).runs.length, 1);
  await page.getByRole("group", { name: "Retry, many at once" }).getByRole("button", { name: "Dismiss" }).click();
  await begin();
  await page.getByText("Retry 4: about to begin").waitFor();
  await page.reload();
  await page.getByText("Retry 4: about to begin").waitFor();
  await page.getByText("Retry: 3 of 4 done").waitFor(); // ten seconds to take it back, and the work
  for (const job of jobs) {
    const { runs } = await server.call("GET", `/api/jobs/${job.id}/runs`);
    assert.equal(runs.length, 2);
    assert.equal(runs[0].retry_of, runs[1].id);
  }
  await page.getByText("1 refusal").click();
  await page.getByRole("list", { name: "What could not be done" }).getByText(planned.id).waitFor();
});

test("all jobs that match are paused, not only those that are shown", async () => {
  const names = Array.from({ length: 60 }, (_one, index) => `crowd ${index}`);
  for (const name of names) await server.submit({ name, cron: "0 0 1 1 *", tags: ["crowd"], action: { kind: "http", url: "http://127.0.0.1:9/" } });
  await show(page, server, `/jobs?q=${encodeURIComponent("tag:crowd")}`);
  await page.getByLabel("Select crowd 59").check();
  await selection().getByRole("button", { name: "All that match" }).click();
  await selection().getByRole("button", { name: "Pause" }).click();
  await page.getByRole("dialog", { name: "Pause: 60 jobs" }).getByText("and 40 more").waitFor();
  await page.getByRole("button", { name: "Pause 60 jobs" }).click();
  await page.getByText("Pause: 60 of 60 done").waitFor();
  assert.equal((await server.call("GET", "/api/jobs?tag=crowd&status=paused&limit=200")).jobs.length, 60);
  await page.locator("tbody tr", { hasText: "crowd 59" }).getByText("Paused").waitFor(); // by itself
});

test("rows are ticked by keys, and of another search none is", async () => {
  await show(page, server, "/jobs");
  await page.locator("tbody tr").first().waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("x");
  await page.keyboard.press("j");
  await page.keyboard.press("x");
  await selection().getByText("2 selected").waitFor();
  await selection().getByRole("button", { name: "All jobs" }).waitFor();
  await page.keyboard.press("x");
  await selection().getByText("1 selected").waitFor();
  await page.getByRole("button", { name: "Paused", exact: true }).click();
  await selection().waitFor({ state: "detached" });
});

test("who may only read is offered nothing to tick", async () => {
  const { secret } = await server.call("POST", "/api/keys", { name: "reader", role: "viewer" });
  const other = await openPage(browser);
  await logIn(other, { url: server.url, key: secret });
  await show(other, server, "/jobs");
  await until("the rows are there", async () => (await other.locator("tbody tr").count()) > 0);
  assert.equal(await other.getByRole("checkbox").count(), 0);
  assert.deepEqual(await other.getByRole("navigation", { name: "Screens" }).getByRole("link").allInnerTexts(), ["Overview", "Jobs", "Runs", "Calendar", "Queues & workers", "Nodes", "Settings"]);
  await other.context().close();
});
