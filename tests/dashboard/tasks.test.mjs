// What people come to do, done in a browser against the real server.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { begin, logIn, openPage, show } from "./browser.mjs";
import { Chronos, until } from "./chronos.mjs";

const { server, browser, page, end } = await begin();
after(end);

const heading = (name) => page.getByRole("heading", { level: 1, name });

/** Until the page would let itself be left unasked. */
const nothingUnsaved = () => page.waitForFunction(() => window.dispatchEvent(new Event("beforeunload", { cancelable: true })));

test("a wrong key is refused in words; a login outlives a reload and ends with logout", async () => {
  const other = await openPage(browser);
  await other.goto(`${server.url}/jobs?q=status%3Afailed`);
  await other.getByText("A job scheduler that is honest").waitFor();
  assert.match(await other.locator(".snippet pre").innerText(), /curl -s http.*\/api\/submitJob/);
  await other.getByLabel("API key").fill("chr_key_nonsense");
  await other.getByRole("button", { name: "Log in" }).click();
  await other.getByRole("alert").getByText("invalid_key").waitFor();
  await other.getByLabel("API key").fill(server.key);
  await other.getByRole("button", { name: "Log in" }).click();
  await other.getByRole("heading", { level: 1, name: "Jobs" }).waitFor();
  assert.equal(new URL(other.url()).search, "?q=status%3Afailed"); // the address that was asked for
  await other.reload();
  await other.getByRole("heading", { level: 1, name: "Jobs" }).waitFor();
  await other.getByRole("button", { name: "Log out" }).click();
  await other.getByLabel("API key").waitFor();
  await other.context().close();
});

test("a one-time link logs in once, and leaves no token in the address", async () => {
  const { url } = await server.call("POST", "/api/login-links", {});
  const other = await openPage(browser);
  await other.goto(url);
  await other.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
  assert.ok(!other.url().includes("token"));
  const again = await openPage(browser);
  await again.goto(url);
  await again.getByRole("alert").waitFor();
  await other.context().close();
  await again.context().close();
});

test("the server takes every filter that the lists offer", async () => {
  for (const [path, title] of [["/jobs", "Jobs"], ["/runs", "Runs"], ["/audit", "Audit"]]) {
    await show(page, server, path);
    const chips = page.getByRole("group", { name: "Filters" }).getByRole("button", { pressed: false });
    const labels = await chips.allInnerTexts();
    assert.ok(labels.length > 3, `${title} has only these: ${labels}`);
    const plain = new Set(["?limit=50", "?strip=30&limit=50"]);
    const asked = new Set();
    for (const label of labels) {
      const answered = page.waitForResponse((response) => {
        const { pathname, search } = new URL(response.url());
        return pathname === `/api${path}` && !plain.has(search) && !asked.has(search);
      });
      const chip = page.getByRole("button", { name: label, exact: true });
      await chip.click();
      const response = await answered;
      asked.add(new URL(response.url()).search);
      assert.equal(response.status(), 200, `${title}, ${label}: ${response.url()}`);
      assert.equal(await chip.getAttribute("aria-pressed"), "true");
      await page.locator('main [aria-busy="true"], main .loading').first().waitFor({ state: "detached" });
      assert.equal(await page.locator("main .notice.bad, main [role=status].warn-text").count(), 0, `${title}, ${label}`);
    }
  }
});

test("what a job's runs were is drawn, in the job and in the list", async () => {
  const job = await server.shell("drawn", "exit 1");
  await show(page, server, `/jobs/${job.id}`);
  await server.run(job, "failed");
  const strip = page.getByRole("img", { name: "The last 1 run: 1 failed, the newest failed" });
  await strip.waitFor();
  assert.equal(await page.getByText("It has not run yet.").count(), 0);
  const never = await server.submit({ name: "never", cron: "0 0 1 1 *", action: { kind: "http", url: "http://127.0.0.1:9/" } });
  await show(page, server, `/jobs/${never.id}`);
  await page.getByText("It has not run yet.").waitFor();
  await show(page, server, "/jobs");
  await page.locator("tbody tr", { hasText: "never" }).getByRole("img", { name: "No runs yet" }).waitFor();
  await page.locator("tbody tr", { hasText: "drawn" }).getByRole("img", { name: "The last 1 run: 1 failed, the newest failed" }).locator(".strip-hit").click();
  await heading("drawn").waitFor();
  assert.match(new URL(page.url()).pathname, /^\/runs\/run_/);
});

test("overview counts what runs and what came of the runs, and names the newest failures of every kind", async () => {
  await show(page, server, "/");
  const figure = (what) => page.locator(".figure", { hasText: what }).locator(".value");
  const failed = Number(await figure("Failed").innerText());
  const lasting = await server.shell("lasting", "sleep 60");
  const slow = await server.shell("too slow", "sleep 60", { timeout: "1s" });
  await server.run(slow, "timed_out");
  const card = (title) => page.locator("section.card", { has: page.getByRole("heading", { level: 2, name: title }) });
  await card("Running now").getByRole("link", { name: "lasting", exact: true }).waitFor();
  await card("Newest failures").getByRole("link", { name: "too slow", exact: true }).waitFor();
  await until("one more has failed", async () => Number(await figure("Failed").innerText()) === failed + 1);
  await page.getByRole("img", { name: "Runs that succeeded, failed and were missed over time" }).locator("canvas").waitFor();
  await page.getByRole("link", { name: /^Failed/ }).click();
  await heading("Runs").waitFor();
  await page.getByRole("link", { name: "Run of too slow, timed_out" }).waitFor();
  await page.getByRole("button", { name: "Failed", pressed: true }).waitFor();
  await server.call("DELETE", `/api/jobs/${lasting.id}`);
});

test("a long log scrolls with few lines in the page, is searched, and has a link for each line", async () => {
  const job = await server.shell("long log", "seq 1 100000");
  const run = await server.run(job, "succeeded");
  await page.goto(`${server.url}/runs/${run.id}#L70000`);
  await page.locator('.log-line[data-marked="true"]').getByText("70000").first().waitFor();
  await page.getByText("100,000 lines").waitFor();
  assert.ok((await page.locator(".log-line").count()) < 200);
  await page.getByLabel("Search the output").fill("99999");
  await page.getByText("1/1", { exact: true }).waitFor();
  await page.getByLabel("Search the output").press("Enter");
  await page.locator('.log-line[data-marked="true"] mark').getByText("99999").waitFor();
  await page.locator(".log-box").evaluate((box) => { box.scrollTop = box.scrollHeight; });
  await page.locator(".log-line").getByRole("link", { name: "Link to line 100000", includeHidden: true }).waitFor();
});

test("the schedule is explained while it is typed, and a job is rescheduled", async () => {
  const job = await server.submit({ name: "nightly", cron: "30 2 * * *", timezone: "Europe/Berlin", action: { kind: "http", url: "http://127.0.0.1:9/" } });
  await show(page, server, `/jobs/${job.id}`);
  await page.getByText("At 02:30 every day, Europe/Berlin").waitFor();
  assert.equal(await page.locator(".next-runs li").count(), 10);
  await page.getByRole("link", { name: "Edit" }).click();
  await page.getByLabel("Cron").fill("0 25 * * *");
  await page.getByText("hour: 25 is outside 0-23").first().waitFor();
  assert.match(await page.locator(".caret").innerText(), /0 25 \* \* \*\n {2}\^\^/);
  await page.getByLabel("Cron").fill("15 4 * * MON-FRI");
  await page.locator(".words", { hasText: "04:15" }).waitFor();
  await page.getByRole("button", { name: "Save" }).click();
  await heading("nightly").waitFor();
  await page.getByText("15 4 * * MON-FRI").first().waitFor();
  assert.equal((await server.call("GET", `/api/jobs/${job.id}`)).cron, "15 4 * * MON-FRI");
});

test("what is wrong with a change of a job is told before it is saved", async () => {
  const job = await server.submit({ name: "checked", cron: "30 2 * * *", action: { kind: "http", url: "http://127.0.0.1:9/" } });
  await show(page, server, `/jobs/${job.id}/edit`);
  const checked = page.locator("[data-check]");
  await checked.getByText("The server would take this").waitFor();
  await page.getByLabel("Cron").fill("0 25 * * *");
  await checked.getByText("1 to mend").waitFor();
  await page.getByLabel("Cron").fill("0 23 * * *");
  await checked.getByText("The server would take this").waitFor();
  assert.equal((await server.call("GET", `/api/jobs/${job.id}`)).cron, "30 2 * * *"); // asking stored nothing
  await page.getByLabel("Cron").fill("30 2 * * *");
  await nothingUnsaved();
});

test("form and JSON are one declaration, and big numbers stay exact", async () => {
  const payload = '{"id":12345678901234567890,"rate":0.10000000000000000001}';
  const job = await server.call("POST", "/api/submitJob", `{"name":"exact","cron":"0 0 1 1 *","action":{"kind":"http","url":"http://127.0.0.1:9/"},"payload":${payload}}`);
  await show(page, server, `/jobs/${job.id}/edit`);
  const json = page.getByLabel("The job as JSON");
  assert.match(await json.inputValue(), /"id": 12345678901234567890,\s+"rate": 0\.10000000000000000001/);
  await page.getByLabel("Name", { exact: true }).fill("exact still");
  assert.match(await json.inputValue(), /"name": "exact still"/);
  await json.fill((await json.inputValue()).replace("12345678901234567890", "12345678901234567891"));
  await page.getByRole("button", { name: "Save" }).click();
  await heading("exact still").waitFor();
  const answer = await fetch(`${server.host}/api/jobs/${job.id}`, { headers: { Authorization: `Bearer ${server.key}` } });
  assert.match(await answer.text(), /"payload":\s*\{"id":12345678901234567891,"rate":0\.10000000000000000001\}/);
});

test("the JSON completes fields and values of the schema", async () => {
  await show(page, server, "/jobs/new");
  const json = page.getByLabel("The job as JSON");
  await json.fill('{"name": "x", "action": {"kind": "');
  await page.getByRole("option", { name: "worker" }).waitFor();
  await json.press("ArrowDown");
  await json.press("Enter");
  assert.equal(await json.inputValue(), '{"name": "x", "action": {"kind": "command"');
});

test("cancelling asks first", async () => {
  const job = await server.submit({ name: "to cancel", cron: "0 0 1 1 *", action: { kind: "http", url: "http://127.0.0.1:9/" } });
  await show(page, server, `/jobs/${job.id}`);
  const begin = async () => {
    await page.getByRole("button", { name: "More" }).click();
    await page.getByRole("button", { name: "Cancel the job…" }).click();
  };
  await begin();
  await page.getByRole("button", { name: "Keep it" }).click();
  assert.equal((await server.call("GET", `/api/jobs/${job.id}`)).status, "scheduled");
  await begin();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel the job" }).click();
  await page.locator("h1 .badge", { hasText: "Cancelled" }).waitFor();
  assert.equal((await server.call("GET", `/api/jobs/${job.id}`)).status, "cancelled");
});

test("why a job does not run is said, with the button that helps", async () => {
  const job = await server.submit({ name: "frozen", cron: "* * * * * *", action: { kind: "command", argv: ["true"] } });
  await show(page, server, `/jobs/${job.id}`);
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByLabel("Note").fill("release freeze");
  await page.getByRole("dialog").getByRole("button", { name: "Pause" }).click();
  await page.locator("h1 .badge", { hasText: "Paused" }).waitFor();
  const why = page.locator(".notice", { hasText: "Why it is not running" });
  await why.getByText(/paused/i).first().waitFor();
  await why.getByRole("button", { name: "Resume" }).click();
  await page.locator("h1 .badge", { hasText: "Paused" }).waitFor({ state: "detached" });
  assert.equal((await server.call("GET", `/api/jobs/${job.id}`)).paused, false);
  await server.call("DELETE", `/api/jobs/${job.id}`);
});

test("the keyboard is enough", async () => {
  await server.shell("typed once", "true");
  const other = await openPage(browser);
  await other.goto(`${server.url}/`);
  await other.getByLabel("API key").waitFor();
  await other.keyboard.type(server.key); // the field has the focus
  await other.keyboard.press("Enter");
  await other.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
  await other.keyboard.press("g");
  await other.keyboard.press("j");
  await other.getByRole("heading", { level: 1, name: "Jobs" }).waitFor();
  await other.keyboard.press("/");
  await other.keyboard.type("name:typed");
  await other.keyboard.press("Enter");
  await until("only one row is left", async () => (await other.locator("tbody tr").count()) === 1);
  await other.keyboard.press("Escape");
  await other.keyboard.press("Escape");
  await other.keyboard.press("j");
  const outline = await other.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.notEqual(outline, "none"); // the focus is seen
  await other.keyboard.press("j");
  await other.locator('[data-row][data-at="true"] a').first().focus();
  await other.keyboard.press("Enter");
  await other.getByRole("heading", { level: 1, name: "typed once" }).waitFor();
  await other.keyboard.press("Control+k");
  await other.getByRole("combobox", { name: "Screen or job" }).waitFor();
  await other.keyboard.type("nobody");
  await other.getByText("Nothing is called so.").waitFor();
  await other.getByRole("combobox", { name: "Screen or job" }).fill("typed");
  await other.getByRole("option", { name: /typed once/ }).waitFor();
  await other.keyboard.press("Enter");
  await other.getByRole("heading", { level: 1, name: "typed once" }).waitFor();
  await other.keyboard.press("?");
  await other.getByRole("dialog", { name: "Keys" }).waitFor();
  await other.keyboard.press("Escape");
  await other.getByRole("dialog", { name: "Keys" }).waitFor({ state: "detached" });
  await other.context().close();
});

test("an unsaved change is not lost by a slip", async () => {
  await show(page, server, "/jobs/new");
  await page.getByLabel("Name", { exact: true }).fill("half done");
  const asked = page.waitForEvent("dialog");
  const clicked = page.getByRole("link", { name: "Runs", exact: true }).click();
  await asked; // openPage answers no
  await clicked;
  assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), "half done");
  const questions = page.faults.length;
  await page.evaluate(() => { window.location.hash = "main"; }); // another place of the same page
  await page.goBack();
  assert.equal(page.faults.length, questions);
  assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), "half done");
  await page.getByLabel("Name", { exact: true }).fill("");
  await nothingUnsaved();
  await page.getByRole("link", { name: "Runs", exact: true }).click();
  await heading("Runs").waitFor();
});

test("it works under a path", async () => {
  const own = await Chronos.start({ path: "/chronos", args: [] });
  await own.halt();
  own.args = ["--base-url", `${own.host}/chronos`];
  await own.launch();
  const other = await openPage(browser);
  try {
    await logIn(other, own);
    await other.getByRole("link", { name: "Jobs", exact: true }).click();
    await other.getByRole("heading", { level: 1, name: "Jobs" }).waitFor();
    assert.equal(new URL(other.url()).pathname, "/chronos/jobs");
    await other.reload();
    await other.getByRole("heading", { level: 1, name: "Jobs" }).waitFor();
    assert.deepEqual(other.faults, []);
  } finally {
    await other.context().close();
    await own.stop();
  }
});
