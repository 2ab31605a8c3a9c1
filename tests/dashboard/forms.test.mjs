// The form of a job: what is typed is what is declared, nothing else is changed, and nothing typed is lost.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import { begin, openPage, logIn, show } from "./browser.mjs";
import { BINARY, until } from "./chronos.mjs";

const { server, browser, page, end } = await begin();
after(end);

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

test("what a line cannot say is left to the JSON, and an empty line at the end is no argument", async () => {
  const action = { kind: "command", argv: ["/bin/sh", "-c", "echo one\necho two"], env: { LIST: "a\nb", SPACED: "  x" } };
  const job = await server.submit({ name: "many lines", cron: "0 0 1 1 *", action });
  await show(page, server, `/jobs/${job.id}/edit`);
  const argv = page.getByLabel("Program and arguments");
  assert.equal(await argv.isEditable(), false);
  assert.equal(await page.getByLabel("Environment").isEditable(), false);
  assert.equal(await page.getByText("edit it in the JSON beside").count(), 2);
  await page.getByLabel("Directory").fill("/tmp");
  await page.getByRole("button", { name: "Save" }).click();
  await heading("many lines").waitFor();
  assert.deepEqual((await server.call("GET", `/api/jobs/${job.id}`)).action, { ...action, cwd: "/tmp" });

  await show(page, server, "/jobs/new");
  await page.getByRole("button", { name: "Command", exact: true }).click();
  await argv.pressSequentially("/bin/echo\n\nlast\n");
  assert.equal(await argv.inputValue(), "/bin/echo\n\nlast\n"); // as typed
  await page.getByLabel("Environment").pressSequentially("TIMES=a=b:c\n");
  assert.deepEqual((await declared()).action, { kind: "command", argv: ["/bin/echo", "", "last"], env: { TIMES: "a=b:c" } });
  await page.getByRole("button", { name: "HTTP call", exact: true }).click();
  await page.getByLabel("Headers").fill("Accept:  text/html; q=0.5");
  assert.deepEqual((await declared()).action.headers, { Accept: "text/html; q=0.5" });
  await page.getByLabel("Name", { exact: true }).fill("with a header");
  await page.getByLabel("URL").fill(HTTP.url);
  await page.getByRole("button", { name: "Submit" }).click();
  await heading("with a header").waitFor();
});

test("what the server would not take is said while it is typed", async () => {
  await show(page, server, "/jobs/new");
  const json = page.getByLabel("The job as JSON");
  const good = JSON.stringify({ name: "wrong twice", action: HTTP });
  await json.fill(JSON.stringify({ name: "wrong twice", action: HTTP, retry: { delay: "soon" }, metadata: { a: 1 } }));
  const said = page.locator(".notice", { hasText: "The server would not take this" });
  await said.getByText("/retry/delay").waitFor();
  await said.getByText("/metadata/a").waitFor();
  await page.getByText("2 to mend").waitFor();
  await json.fill(good);
  await said.waitFor({ state: "detached" });
  const isCheck = (url) => url.pathname === "/api/jobs/by-key/dashboard-dry-run";
  await page.route(isCheck, (route) => route.fulfill({ status: 403, contentType: "application/problem+json", body: JSON.stringify({ code: "forbidden", title: "The key may not do this", detail: "it needs the role submitter" }) }));
  await json.fill(good.replace("twice", "once"));
  await page.getByRole("status").getByText("The key may not do this").waitFor();
  await said.getByText("it needs the role submitter").waitFor();
  await page.unroute(isCheck);
  await page.getByRole("button", { name: "Submit" }).click();
  await heading("wrong once").waitFor();
});

test("the command of a job submits the same job", async () => {
  symlinkSync(resolve(BINARY), join(server.folder, "chronos"));
  const env = { ...process.env, PATH: `${server.folder}:${process.env.PATH}`, CHRONOS_URL: server.host, CHRONOS_API_KEY: server.key };
  const command = async (job) => {
    await show(page, server, `/jobs/${job.id}?tab=declaration`);
    return page.getByLabel("The job as a command").innerText();
  };
  const plain = await server.submit({ name: "it's plain", cron: ["0 0 1 1 *", "0 0 1 2 *"], timezone: "Europe/Berlin", action: HTTP });
  const rich = await server.submit({ name: "rich $HOME `x`", every: "9d", action: { kind: "command", argv: ["/bin/echo", "a\nJSON\n'b'"], env: { A: "$B" } }, payload: { deep: ["\\", "'"] }, tags: ["x"], priority: 7, retry: { delay: "9s" }, notify: [{ email: ["ops@example.com"] }] });
  assert.match(await command(plain), /^chronos submit --name 'it'\\''s plain' --cron/); // nothing else differs from what an empty field means
  for (const job of [plain, rich]) {
    const { status, stdout, stderr } = spawnSync("/bin/sh", ["-c", `${await command(job)}\n`], { env, encoding: "utf8" });
    assert.equal(status, 0, stderr);
    const id = /job_[0-9a-z]+/.exec(stdout)[0];
    const of = ({ id: _id, created_at: _made, updated_at: _changed, next_run_at: _next, ...rest }) => rest;
    assert.deepEqual(of(await server.call("GET", `/api/jobs/${id}`)), of(await server.call("GET", `/api/jobs/${job.id}`)));
  }
});

test("a session that ends takes nothing away that was written", async () => {
  const other = await openPage(browser);
  await logIn(other, server);
  await show(other, server, "/jobs/new");
  await other.getByLabel("URL").fill(HTTP.url);
  await other.getByLabel("Name", { exact: true }).fill("long thought of");
  await other.context().clearCookies();
  await other.getByLabel("Attempts").fill("5"); // the next check is refused
  await other.getByLabel("API key").fill(server.key);
  await other.getByRole("button", { name: "Log in" }).click();
  const offer = other.locator(".notice", { hasText: "There is a draft that was not saved" });
  await offer.waitFor();
  assert.equal(await other.getByLabel("Name", { exact: true }).inputValue(), "");
  await offer.getByRole("button", { name: "Go on with it" }).click();
  assert.equal(await other.getByLabel("Name", { exact: true }).inputValue(), "long thought of");
  assert.equal(await other.getByLabel("Attempts").inputValue(), "5");
  await other.getByRole("button", { name: "Submit" }).click();
  await other.getByRole("heading", { level: 1, name: "long thought of" }).waitFor();
  const kept = () => other.evaluate(() => Object.keys(sessionStorage));
  assert.deepEqual(await kept(), []);
  await show(other, server, "/jobs/new");
  await other.getByLabel("Name", { exact: true }).fill("nobody else's");
  assert.equal((await kept()).length, 1);
  await other.getByRole("button", { name: "Log out" }).click();
  await other.getByLabel("API key").waitFor();
  await until("nothing is left behind", async () => (await kept()).length === 0);
  await other.context().close();
});
