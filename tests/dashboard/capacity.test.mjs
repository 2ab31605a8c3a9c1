// What there is to work with: queues, workers, nodes.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { logIn, openBrowser, openPage, show } from "./browser.mjs";
import { Chronos } from "./chronos.mjs";

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

const row = (name) => page.locator("tbody tr", { hasText: name });
const cell = (name, label) => row(name).locator(`[data-label="${label}"]`);

test("a queue says what lies in it, and the node what it runs", async () => {
  const running = await server.shell("lasting", "sleep 60", { queue: "heavy" });
  await server.run(running, "running");
  for (const name of ["first", "second"]) await server.submit({ name, action: { kind: "worker" }, queue: "pulled" });
  await show(page, server, "/queues");
  await cell("heavy", "Running").getByText("1", { exact: true }).waitFor();
  await cell("pulled", "Ready").getByText("2", { exact: true }).waitFor();
  await page.getByText("No worker has asked for work").waitFor();
  const { runs } = await server.call("POST", "/api/workers/claim", { worker: "mine", queues: ["pulled"], max: 1 });
  assert.equal(runs.length, 1);
  await cell("pulled", "Ready").getByText("1", { exact: true }).waitFor(); // by itself
  await row("mine").getByText("pulled").waitFor();
  await row("pulled").getByRole("link", { name: "pulled" }).first().click();
  await page.getByRole("heading", { level: 1, name: "Jobs" }).waitFor();
  await page.getByRole("link", { name: "second", exact: true }).waitFor();
  assert.equal(await page.locator("tbody tr").count(), 2);
  await show(page, server, "/nodes");
  await page.getByText("Answers you").waitFor();
  await page.locator('tbody [data-label="Running"]').getByText(/^[12]$/).waitFor();
  await server.call("DELETE", `/api/jobs/${running.id}`);
});
