// The form of a job: what is typed is what is declared, nothing else is changed, and nothing typed is lost.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { begin, openPage, logIn, show } from "./browser.mjs";
import { BINARY, until } from "./chronos.mjs";

let stage;
let server;
let browser;
let page;

before(async () => {
  stage = await begin();
  ({ server, browser, page } = stage);
});
after(() => stage?.end());

const HTTP = { kind: "http", url: "http://127.0.0.1:9/" };
const heading = (name) => page.getByRole("heading", { level: 1, name });
const declared = async () => JSON.parse(await page.getByLabel("The job as JSON").inputValue());

test("addresses are typed with commas, and only the rule that the fields show is changed", async () => {
  const rules = [{ on: "failure", email: ["ops@example.com"] }, { on: "failure", after: 3, email: ["boss@example.com"] }];
  const job = await server.submit({ name: "told", cron: "0 0 1 1 *", action: HTTP, notify: rules });
  await show(page, server, `/jobs/${job.id}/edit`);
  const field = page.getByLabel("E-mail when it fails");
  const other = (await declared()).notify[1];
  await field.press("End");
  await field.pressSequentially(", night@example.com");
  assert.equal(await field.inputValue(), "ops@example.com, night@example.com");
  assert.deepEqual((await declared()).notify[0].email, ["ops@example.com", "night@example.com"]);
  await field.fill("");
  assert.equal(await field.inputValue(), "");
  assert.deepEqual((await declared()).notify[1], other);
  await field.pressSequentially("new@example.com");
  await page.getByRole("button", { name: "Save" }).click();
  await heading("told").waitFor();
  const { notify } = await server.call("GET", `/api/jobs/${job.id}`);
  assert.deepEqual(notify.map(({ email, after }) => [email, after]), [[["new@example.com"], 1], [["boss@example.com"], 3]]);
});
