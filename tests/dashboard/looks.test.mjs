// How it looks: on a phone, in the dark, and to a screen reader (axe-core, WCAG AA).
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { AXE_SCRIPT, logIn, openBrowser, openPage, screensOf, show } from "./browser.mjs";
import { Chronos, until } from "./chronos.mjs";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const PHONE = { width: 360, height: 740 };

let server;
let browser;
let details;

before(async () => {
  browser = await openBrowser(); // when there is none, no server is left behind
  server = await Chronos.start();
  const failed = await server.shell("nightly backup of the customer database with a rather long name", "for i in 1 2 3; do echo line $i; done; exit 3", { tags: ["db", "nightly"], note: "ask Anna", metadata: { owner: "anna" } });
  const cron = await server.submit({ name: "report", cron: "*/5 * * * *", timezone: "Europe/Berlin", action: { kind: "http", url: "http://127.0.0.1:9/build", headers: { Authorization: "Bearer secret" } }, payload: { kind: "daily" }, tags: ["reports"] });
  await server.submit({ name: "pulled", action: { kind: "worker" }, queue: "slow" });
  await server.call("PATCH", `/api/jobs/${cron.id}`, { note: "changed once" });
  await server.call("POST", "/api/channels", { name: "ops", kind: "webhook", url: "http://127.0.0.1:9/a-rather-long-address/that-goes-on-and-on-without-a-place-to-break-it" });
  await server.call("PUT", "/api/calendars/holidays", { kind: "blackout", timezone: "Europe/Berlin", dates: ["2026-12-25"] });
  const run = await server.run(failed, "failed");
  details = [`/jobs/${failed.id}`, `/jobs/${cron.id}`, `/jobs/${cron.id}?tab=runs`, `/jobs/${cron.id}?tab=versions`, `/jobs/${cron.id}?tab=declaration`, `/jobs/${cron.id}/edit`, `/runs/${run.id}`, "/calendar?view=past", "/calendar?range=7d"];
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

async function violations(page, where) {
  await page.addScriptTag({ path: AXE_SCRIPT });
  const found = await page.evaluate((tags) => window.axe.run(document, { runOnly: { type: "tag", values: tags } }), RULES);
  return found.violations.map(({ id, nodes }) => `${where}: ${id}: ${nodes.slice(0, 3).map((node) => `${node.target.join(" ")} (${node.failureSummary?.split("\n")[1]?.trim()})`).join("; ")}`);
}

test("the page is painted before any script has come, and what scripts show takes its place", async () => {
  const page = await openPage(browser);
  let letGo;
  const held = new Promise((resolve) => { letGo = resolve; });
  await page.route("**/assets/*.js", (route) => held.then(() => route.continue()));
  await page.goto(`${server.url}/login`, { waitUntil: "commit" });
  await page.getByText("Chronos", { exact: true }).waitFor();
  await until("it is painted", () => page.evaluate(() => performance.getEntriesByName("first-contentful-paint").length === 1));
  letGo();
  await page.getByLabel("API key").waitFor();
  assert.equal(await page.locator(".starting").count(), 0);
  await page.context().close();
});

for (const [theme, viewport] of [["light", { width: 1280, height: 860 }], ["dark", PHONE]]) {
  test(`axe finds nothing on any screen, ${theme}, ${viewport.width} pixels wide`, async () => {
    const page = await openPage(browser, { colorScheme: theme, viewport, bypassCSP: true }); // axe is put into the page
    await page.goto(`${server.url}/login`);
    await page.getByLabel("API key").waitFor();
    const found = await violations(page, "/login");
    await logIn(page, server);
    for (const path of [...(await screensOf(page)), ...details]) {
      await show(page, server, path);
      found.push(...(await violations(page, path)));
    }
    await show(page, server, "/jobs"); // what lies above a screen
    await page.getByLabel("Select all on this page").check();
    await page.getByRole("region", { name: "Selection" }).getByRole("button", { name: "Pause" }).click();
    await page.getByRole("button", { name: /^Pause \d+ jobs$/ }).waitFor();
    found.push(...(await violations(page, "the question before many are changed")));
    await page.keyboard.press("Escape");
    await show(page, server, "/channels");
    await page.getByRole("button", { name: "New channel" }).click();
    await page.getByRole("button", { name: "Webhook" }).click();
    found.push(...(await violations(page, "a new channel")));
    assert.deepEqual(found, []);
    await page.context().close();
  });
}

test("nothing is wider than a phone of 360 pixels, and every screen is reached by its menu", async () => {
  const page = await openPage(browser, { viewport: PHONE, hasTouch: true });
  await logIn(page, server);
  for (const path of [...(await screensOf(page)), ...details]) {
    await show(page, server, path);
    const wide = await page.evaluate(() => document.scrollingElement.scrollWidth);
    assert.ok(wide <= PHONE.width, `${path} is ${wide} pixels wide`);
  }
  await page.getByRole("button", { name: "Menu", exact: true }).click();
  await page.getByRole("link", { name: "Queues & workers" }).click();
  await page.getByRole("heading", { level: 1, name: "Queues & workers" }).waitFor();
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test("on a phone and by keyboard alone a job is submitted, found and cancelled", async () => {
  const page = await openPage(browser, { viewport: PHONE });
  const { keyboard } = page;
  const focused = () => page.evaluate(() => { const { activeElement: at } = document; return at.labels?.[0]?.textContent || at.getAttribute("aria-label") || at.textContent.trim(); });
  const tabTo = async (name) => {
    for (let steps = 0; (await focused()) !== name; steps += 1) {
      assert.ok(steps < 120, `${name} is not reached by Tab, but ${await focused()}`);
      await keyboard.press("Tab");
    }
    const seen = await page.evaluate(() => {
      const { left, right } = document.activeElement.getBoundingClientRect();
      return left >= 0 && right <= window.innerWidth && getComputedStyle(document.activeElement).outlineStyle !== "none";
    });
    assert.ok(seen, `${name} has the focus and it is not seen`);
  };
  const title = (name) => page.getByRole("heading", { level: 1, name });
  await page.goto(`${server.url}/`);
  await page.getByLabel("API key").waitFor();
  await keyboard.type(server.key);
  await keyboard.press("Enter");
  await title("Overview").waitFor();
  await keyboard.press("n");
  await title("New job").waitFor();
  await tabTo("Name");
  await keyboard.type("by thumb");
  await tabTo("URL");
  await keyboard.type("http://127.0.0.1:9/");
  await page.getByText("The server would take this").waitFor();
  await keyboard.press("Shift+Tab");
  for (let steps = 0; (await focused()) !== "Submit" && steps < 120; steps += 1) await keyboard.press("Shift+Tab");
  await keyboard.press("Enter");
  await title("by thumb").waitFor();
  await keyboard.press("g");
  await keyboard.press("j");
  await title("Jobs").waitFor();
  await keyboard.press("/");
  await keyboard.type("thumb");
  await keyboard.press("Enter");
  await until("only one row is left", async () => (await page.locator("tbody tr").count()) === 1);
  await keyboard.press("Escape");
  await keyboard.press("Escape");
  await keyboard.press("j");
  await tabTo("by thumb");
  await keyboard.press("Enter");
  await title("by thumb").waitFor();
  await tabTo("More");
  await keyboard.press("Enter");
  await tabTo("Cancel the job…");
  await keyboard.press("Enter");
  const question = page.getByRole("dialog", { name: "Cancel by thumb?" });
  await question.waitFor();
  await tabTo("Cancel the job");
  await keyboard.press("Enter");
  await page.locator("h1 .badge", { hasText: "Cancelled" }).waitFor();
  assert.ok((await page.evaluate(() => document.scrollingElement.scrollWidth)) <= PHONE.width);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test("dark follows the system, and the toggle outlives a reload", async () => {
  const page = await openPage(browser, { colorScheme: "dark" });
  await logIn(page, server);
  const lightness = () => page.evaluate(() => Number(/\d+/.exec(getComputedStyle(document.body).backgroundColor)[0]));
  assert.ok((await lightness()) < 40);
  await page.emulateMedia({ colorScheme: "light" });
  await until("a page as light as the system", async () => (await lightness()) > 200);
  await page.emulateMedia({ colorScheme: "dark" });
  await until("a page as dark as the system", async () => (await lightness()) < 40);
  await page.getByRole("button", { name: "Light theme" }).click();
  await until("a light page", async () => (await lightness()) > 200);
  await page.reload();
  await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
  await until("a light page again", async () => (await lightness()) > 200);
  await page.context().close();
});

test("rows are closer together when asked for", async () => {
  const page = await openPage(browser);
  await logIn(page, server);
  const height = async () => {
    await show(page, server, "/jobs");
    return (await page.locator("tbody tr").first().boundingBox()).height;
  };
  const before_ = await height();
  await show(page, server, "/settings");
  await page.getByRole("button", { name: "Compact" }).click();
  assert.ok((await height()) < before_);
  await page.context().close();
});
