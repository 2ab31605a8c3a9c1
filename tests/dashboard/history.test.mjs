// What happened before: failed runs, older versions, who changed what, what ran when.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { begin, openPage, show } from "./browser.mjs";
import { until } from "./chronos.mjs";

const { server, browser, page, end } = await begin();
after(end);

const HTTP = { kind: "http", url: "http://127.0.0.1:9/" };

test("a failed run is found by its job, its error and its state, and compared with the last success", async () => {
  const flag = join(server.folder, "flag");
  const job = await server.shell("backup of db", `echo begin; if [ -e ${flag} ]; then echo disk full >&2; exit 3; else echo all good; fi`, { tags: ["db"] });
  await server.run(job, "succeeded");
  writeFileSync(flag, "");
  await server.call("POST", `/api/jobs/${job.id}/run`, {});
  await server.run(job, "failed");
  await server.run(await server.shell("other work", "exit 1"), "failed");
  await show(page, server, "/runs");
  const rows = page.locator("tbody tr");
  await page.getByRole("combobox", { name: "Search runs" }).fill("state:failed,lost backup tag:db since:2h");
  await until("only one row is left", async () => (await rows.count()) === 1);
  assert.match(new URL(page.url()).search, /^\?q=state%3Afailed%2Clost\+backup\+tag%3Adb\+since%3A2h$/);
  await rows.getByRole("link", { name: "Run of backup of db, failed" }).click();
  await page.locator("h1 .badge", { hasText: "Failed" }).waitFor();
  await page.getByRole("button", { name: "Compare" }).click();
  await page.locator(".diff-new", { hasText: "disk full" }).waitFor();
  await page.locator(".diff-gone", { hasText: "all good" }).waitFor();
});

test("what changed in a job is shown, by whom, and an older version is restored", async () => {
  const job = await server.submit({ name: "versioned", cron: "0 1 * * *", action: HTTP });
  await show(page, server, `/jobs/${job.id}?tab=versions`);
  await page.getByText("In force").waitFor();
  await server.call("PATCH", `/api/jobs/${job.id}`, { cron: "0 2 * * *" });
  await page.locator(".diff-new", { hasText: "0 2 * * *" }).waitFor(); // it came by itself
  await page.locator(".diff-gone", { hasText: "0 1 * * *" }).waitFor();
  await page.locator("li", { hasText: "Version 1" }).getByRole("button", { name: "Restore…" }).click();
  await page.getByRole("dialog", { name: "Restore version 1?" }).getByRole("button", { name: "Restore" }).click();
  await page.locator("li", { hasText: "Version 3" }).getByText("In force").waitFor();
  assert.equal((await server.call("GET", `/api/jobs/${job.id}`)).cron, "0 1 * * *");
  await page.getByRole("button", { name: "More" }).click();
  await page.getByRole("link", { name: "Who changed it" }).click();
  const entries = page.locator(".entries > li");
  await until("the three changes are listed, newest first", async () => (await entries.locator(".audit-action").allInnerTexts()).join() === "job.restore,job.update,job.submit");
  await entries.nth(1).getByRole("button", { name: "What changed" }).click();
  await entries.nth(1).locator(".diff-new", { hasText: "0 2 * * *" }).waitFor();
  await entries.nth(0).getByRole("link", { name: "admin" }).click();
  await until("it is searched for the changes of that key", async () => /^\?q=actor%3Akey_\w+$/.test(new URL(page.url()).search));
  await page.getByRole("button", { name: "Logins", exact: true }).click();
  await until("only logins are left", async () => {
    const actions = await entries.locator(".audit-action").allInnerTexts();
    return actions.length > 0 && actions.every((action) => action.startsWith("session."));
  });
});

test("what will run is drawn before it happens, with the times that are closed", async () => {
  const day = (ahead) => new Date(Date.now() + ahead * 86_400_000).toISOString().slice(0, 10);
  await server.call("PUT", "/api/calendars/freeze", { kind: "blackout", timezone: "UTC", dates: [day(0), day(1)] });
  const minute = (new Date().getUTCMinutes() + 30) % 60; // far from both ends of what is drawn
  const job = await server.submit({ name: "each hour", cron: `${minute} * * * *`, action: HTTP });
  await server.submit({ name: "frozen", cron: "30 * * * *", calendars: ["freeze"], action: HTTP });
  await show(page, server, "/calendar");
  await page.getByRole("img", { name: /^each hour: 24 runs, the first at / }).waitFor();
  assert.equal(await page.getByRole("img", { name: /^frozen: / }).count(), 0);
  await page.getByRole("img", { name: /^Calendar freeze: closed / }).waitFor();
  await page.getByRole("img", { name: "Planned runs over time" }).locator("canvas").waitFor();
  await page.getByRole("button", { name: "7 days" }).click();
  await page.getByRole("img", { name: /^each hour: 168 runs, / }).waitFor();
  await page.getByRole("link", { name: "each hour" }).click();
  await page.getByRole("heading", { level: 1, name: "each hour" }).waitFor();
  await server.call("DELETE", `/api/jobs/${job.id}`);
});

test("what happened is drawn, jobs by time, and leads to the runs of that time", async () => {
  const job = await server.shell("drawn in the grid", "exit 1");
  await server.run(job, "failed");
  await show(page, server, "/calendar?view=past");
  const lane = page.getByRole("img", { name: "drawn in the grid: ran in 1 period, failed in 1" });
  await lane.waitFor();
  await page.getByRole("combobox", { name: "Search jobs" }).fill("grid");
  await until("only one lane is left", async () => (await page.locator("li.lane").count()) === 1);
  await lane.locator("rect.cell").click();
  await page.getByRole("heading", { level: 1, name: "Runs" }).waitFor();
  await page.getByRole("link", { name: "Run of drawn in the grid, failed" }).waitFor();
});

test("a comparison says what it did not compare, and what could not be read", async () => {
  const flag = join(server.folder, "second");
  const job = await server.shell("talks much", `seq 1 4500; if [ -e ${flag} ]; then echo at the end; exit 1; fi`);
  await server.run(job, "succeeded");
  writeFileSync(flag, "");
  await server.call("POST", `/api/jobs/${job.id}/run`, {});
  const run = await server.run(job, "failed");
  await show(page, server, `/runs/${run.id}`);
  await page.getByRole("button", { name: "Compare" }).click();
  await page.getByText("Only the first 4,000 lines of each were compared: there are 4,500 before and 4,501 after.").waitFor();
  await page.getByText("No difference in these.").waitFor();
  const isOutput = (url) => url.pathname.endsWith("/output");
  await page.route(isOutput, (route) => route.fulfill({ status: 500, contentType: "application/problem+json", body: JSON.stringify({ title: "The disk is gone" }) }));
  await page.getByRole("button", { name: "Hide" }).click();
  await page.getByRole("button", { name: "Compare" }).click();
  const card = page.locator("section.card", { has: page.getByRole("heading", { name: "Compared with the last success" }) });
  await card.getByText("The disk is gone").waitFor();
  assert.equal(await card.getByText("No difference").count(), 0);
  await page.unroute(isOutput);
  await card.getByRole("button", { name: "Try again" }).click();
  await card.getByText("No difference in these.").waitFor();
});

test("the link of a line leads to that line of that attempt, through a login too", async () => {
  const flag = join(server.folder, "third");
  const job = await server.shell("two attempts", `if [ -e ${flag} ]; then w=second; else w=first; touch ${flag}; fi; for i in 1 2 3; do echo $w $i; done; exit 1`, { max_attempts: 2, retry: { delay: "10ms", jitter: "none" } });
  const run = await server.run(job, "failed");
  await show(page, server, `/runs/${run.id}`);
  await page.locator(".log-line", { hasText: "second 2" }).getByRole("link", { includeHidden: true }).click();
  const { search, hash } = new URL(page.url());
  assert.deepEqual([search, hash], ["?attempt=2", "#L2"]);
  const other = await openPage(browser);
  await other.goto(`${server.url}/runs/${run.id}?attempt=1#L3`);
  await other.getByLabel("API key").fill(server.key);
  await other.getByRole("button", { name: "Log in" }).click();
  await other.locator('.log-line[data-marked="true"]', { hasText: "first 3" }).waitFor();
  await other.context().close();
});
