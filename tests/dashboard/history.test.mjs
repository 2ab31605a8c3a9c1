// What happened before: failed runs.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { logIn, openBrowser, openPage, show } from "./browser.mjs";
import { Chronos, until } from "./chronos.mjs";

let server;
let browser;
let page;

before(async () => {
  browser = await openBrowser(); // when there is none, no server is left behind
  server = await Chronos.start();
  page = await openPage(browser);
  await logIn(page, server);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

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
