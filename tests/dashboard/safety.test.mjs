// What strangers write runs nothing, and what other sites do changes nothing.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { logIn, openBrowser, openPage, screensOf, show } from "./browser.mjs";
import { Chronos, until } from "./chronos.mjs";
import { HOSTILE_TEXTS } from "./hostile_texts.mjs";

const SCRIPTS_MAX = 150 * 1024;
const EVIL = [
  "<script>window.__ran = 1</script>",
  "<img src=x onerror=\"window.__ran = 1\">",
  "\"><svg onload=\"window.__ran = 1\">",
  "javascript:window.__ran=1//",
  "'-window.__ran=1-'",
  "${window.__ran = 1}{{constructor.constructor('window.__ran=1')()}}",
];

let server;
let browser;

before(async () => {
  browser = await openBrowser(); // when there is none, no server is left behind
  server = await Chronos.start();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

test("text of others is shown and never run: in every field, in errors and in logs", async () => {
  const all = EVIL.join(" ");
  const paths = [];
  for (const [index, text] of EVIL.entries()) {
    const job = await server.submit({
      name: text, tags: [text.slice(0, 40)], note: text, metadata: { [`m${index}`]: text }, queue: "default", max_attempts: 1,
      payload: { [text]: text }, action: { kind: "command", argv: ["/bin/sh", "-c", "printf '%s\\n' \"$@\" >&2; exit 1", text, all], env: { EVIL: text } },
    });
    const run = await server.run(job, "failed");
    paths.push(`/jobs/${job.id}`, `/jobs/${job.id}?tab=versions`, `/jobs/${job.id}?tab=declaration`, `/jobs/${job.id}/edit`, `/runs/${run.id}`);
    await server.call("POST", "/api/keys", { name: text, role: "viewer" });
  }
  const http = await server.submit({ name: "http", cron: "0 0 1 1 *", action: { kind: "http", url: "http://127.0.0.1:9/?q=%3Cscript%3E", headers: { "X-Evil": EVIL[1] }, body: all } });
  await server.call("PUT", "/api/calendars/evil", { kind: "blackout", dates: ["2026-12-25"], note: EVIL[1] });
  await server.call("POST", "/api/workers/claim", { worker: EVIL[1], queues: ["default"], max: 1 });
  await server.call("POST", `/api/jobs/${http.id}/pause`, { note: EVIL[0] });
  await server.call("POST", "/api/channels", { name: "evil", kind: "webhook", url: `http://127.0.0.1:9/?q=${encodeURIComponent(EVIL[1])}` });
  paths.push(`/jobs/${http.id}`, "/calendar?view=past", `/jobs?q=${encodeURIComponent(EVIL[1])}`, `/runs?q=${encodeURIComponent(EVIL[0])}`, `/jobs/${encodeURIComponent(EVIL[1])}`, `/%3Cscript%3E`);
  const page = await openPage(browser);
  await logIn(page, server);
  for (const path of [...(await screensOf(page)), ...paths]) {
    await page.goto(server.url + path);
    await page.locator("main#main h1, main#main h2, main#main .notice").first().waitFor();
    await page.locator(".loading").first().waitFor({ state: "detached" });
    assert.equal(await page.evaluate(() => window.__ran), undefined, path);
    assert.equal(await page.locator("main script, main img[onerror], main svg[onload], a[href^='javascript']").count(), 0, path);
  }
  assert.deepEqual(page.faults, []);
  await page.getByText("There is no such page").waitFor();
  await page.context().close();
});

/** Each of them in a name, a tag and a note, in a payload, in an environment and in a log. */
async function submitHostileTexts() {
  const jobs = HOSTILE_TEXTS.map((text, index) => ({
    name: text, tags: [`n${index}`, text.slice(0, 40)], note: text, cron: "0 0 1 1 *", action: { kind: "http", url: "http://127.0.0.1:9/" },
  }));
  const { results } = await server.call("POST", "/api/jobs/batch", jobs);
  assert.deepEqual(results.filter((result) => result.status !== 201), []);
  const all = await server.submit({
    name: "all of them", max_attempts: 1, payload: Object.fromEntries(HOSTILE_TEXTS.map((text, index) => [`${index} ${text}`, text])),
    action: { kind: "command", argv: ["/bin/sh", "-c", "printf '%s\\n' \"$@\"; exit 1", "sh", ...HOSTILE_TEXTS], env: Object.fromEntries(HOSTILE_TEXTS.map((text, index) => [`E${index}`, text])) },
  });
  const run = await server.run(all, "failed");
  return [`/jobs/${all.id}`, `/jobs/${all.id}?tab=declaration`, `/jobs/${all.id}/edit`, `/runs/${run.id}`, `/jobs/${results[0].job.id}`];
}

test("hundreds of texts that are scripts elsewhere are text here: in every list, in a declaration and in a log", async () => {
  assert.ok(HOSTILE_TEXTS.length >= 500);
  const details = await submitHostileTexts();
  const page = await openPage(browser);
  await logIn(page, server);
  const nothingRan = async (where) => {
    assert.equal(await page.evaluate(() => window.__ran), undefined, where);
    assert.equal(await page.locator("main :is(script, iframe, object, embed, img[onerror], svg[onload], base, marquee, template, [autofocus][onfocus], a[href^='javascript'])").count(), 0, where);
  };
  await show(page, server, "/jobs");
  const shown = new Set();
  const older = page.getByRole("navigation", { name: "Pages" }).getByRole("button", { name: "Older" });
  for (let number = 1; ; ++number) {
    await page.getByText(`Page ${number},`).waitFor();
    await page.locator(".dims[aria-busy=true]").waitFor({ state: "detached" }); // until then the rows are those of the page before
    for (const tag of await page.locator("main td").filter({ hasText: /^n\d+/ }).allTextContents()) shown.add(/^n\d+/.exec(tag)[0]);
    await nothingRan(`page ${number} of the jobs`);
    if (await older.isDisabled()) break;
    await older.click();
  }
  assert.equal(shown.size, HOSTILE_TEXTS.length);
  for (const path of [...details, "/runs", "/audit"]) {
    await show(page, server, path);
    await nothingRan(path);
  }
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test("a text that got into the page as markup would be refused by the browser, and seen by these tests", async () => {
  const page = await openPage(browser);
  await logIn(page, server);
  const insert = (text) => page.evaluate((markup) => document.querySelector("main").insertAdjacentHTML("beforeend", markup), text);
  await assert.rejects(insert("<img src=x onerror='window.__ran=1'>"), /TrustedHTML/);
  assert.equal(await page.evaluate(() => window.__ran), undefined);
  await until("the browser tells of it", async () => page.faults.some((fault) => /TrustedHTML/.test(fault)));
  await page.context().close();
});

/** A page of another origin, which is the same site: the cookie is sent from there. */
async function strangersPage(html) {
  const site = createServer((_request, response) => response.writeHead(200, { "Content-Type": "text/html" }).end(html));
  await new Promise((resolve) => site.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${site.address().port}/`, close: () => new Promise((resolve) => site.close(resolve)) };
}

test("other sites change nothing with a reader's session, and cannot frame the page", async () => {
  const job = await server.submit({ name: "target", cron: "0 0 1 1 *", action: { kind: "http", url: "http://127.0.0.1:9/" } });
  const page = await openPage(browser);
  await logIn(page, server);
  const count = async () => (await server.call("GET", "/api/jobs?limit=200")).jobs.length;
  const before_ = await count();
  const target = `${server.host}/api/jobs/${job.id}`;
  const site = await strangersPage(`<!doctype html><iframe name="sink"></iframe><iframe id="framed" src="${server.url}/jobs"></iframe>
    <form id="form" method="POST" enctype="text/plain" target="sink" action="${server.host}/api/submitJob"><input name='{"name":"forged","action":{"kind":"command","argv":["true"]},"note":"' value='"}'></form>`);
  await page.goto(site.url);
  const forged = page.waitForResponse((response) => response.request().isNavigationRequest() && response.url() === `${server.host}/api/submitJob`);
  await page.evaluate(async ({ target: path, host }) => {
    document.getElementById("form").submit();
    const attempts = [
      [`${path}/run`, { method: "POST", body: "{}" }], [`${path}/pause`, { method: "POST" }], [path, { method: "DELETE" }],
      [`${host}/api/submitJob`, { method: "POST", body: '{"name":"forged","action":{"kind":"command","argv":["true"]}}' }],
      [`${host}/api/logout`, { method: "POST" }],
    ];
    const modes = attempts.flatMap(([url, init]) => [[url, { ...init, mode: "no-cors" }], [url, { ...init, mode: "cors", headers: { "Content-Type": "application/json" } }]]);
    await Promise.all(modes.map(([url, init]) => fetch(url, { ...init, credentials: "include" }).catch(() => {})));
  }, { target, host: server.host });
  assert.equal((await forged).status(), 403);
  const framed = page.frames().find((frame) => frame.parentFrame() && frame.name() !== "sink");
  await until("the browser refuses to show the page in a frame", async () => framed.url().startsWith("chrome-error:"));
  const after_ = await server.call("GET", `/api/jobs/${job.id}`);
  assert.equal(after_.status, "scheduled");
  assert.equal(after_.version, job.version);
  assert.equal(await count(), before_);
  assert.equal((await server.call("GET", `/api/jobs/${job.id}/runs?state=queued`)).runs.length, 0);
  await page.goto(`${server.url}/jobs`); // and is still logged in
  await page.getByRole("heading", { level: 1, name: "Jobs" }).waitFor();
  await site.close();
  await page.context().close();
});

test("the page asks nobody else for anything, and is light", async () => {
  const page = await openPage(browser);
  const asked = [];
  page.on("request", (request) => asked.push(request.url()));
  await logIn(page, server);
  for (const path of await screensOf(page)) await show(page, server, path);
  assert.deepEqual(asked.filter((url) => new URL(url).origin !== server.host), []);
  // Read apart: a browser that has left a page has also forgotten what it got for it.
  const scripts = [...new Set(asked)].filter((url) => new URL(url).pathname.endsWith(".js"));
  const bodies = await Promise.all(scripts.map(async (url) => (await fetch(url)).arrayBuffer()));
  const sum = bodies.reduce((total, body) => total + gzipSync(body, { level: 9 }).length, 0);
  assert.ok(sum > 0 && sum <= SCRIPTS_MAX, `${sum} bytes of scripts`);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});
