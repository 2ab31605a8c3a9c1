// What there is to work with: queues, workers, nodes; and where people are told.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { begin, show } from "./browser.mjs";

let stage;
let server;
let page;
let hook; // somebody who is told by webhook
const told = [];

before(async () => {
  stage = await begin();
  ({ server, page } = stage);
  hook = createServer((request, response) => {
    told.push(request.headers);
    request.resume().on("end", () => response.writeHead(204).end());
  });
  await new Promise((resolve) => hook.listen(0, "127.0.0.1", resolve));
});
after(async () => {
  hook?.closeAllConnections();
  hook?.close();
  await stage?.end();
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

test("a channel is made, tried, changed, named in a job, and deleted", async () => {
  const url = `http://127.0.0.1:${hook.address().port}/told`;
  await show(page, server, "/channels");
  await page.getByText("No channel yet").waitFor();
  await page.getByRole("button", { name: "New channel" }).click();
  const dialog = page.getByRole("dialog", { name: "New channel" });
  await dialog.getByLabel("Name").fill("not a name");
  await dialog.getByRole("button", { name: "Webhook" }).click();
  await dialog.getByLabel("URL").fill(url);
  await dialog.getByRole("button", { name: "Make one" }).click();
  assert.match(await dialog.getByLabel("Secret").inputValue(), /^whsec_[A-Za-z0-9+/]{43}=$/);
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.locator('input[aria-invalid="true"]').waitFor(); // the field that is wrong
  await dialog.getByLabel("Name").fill("ops");
  await dialog.getByRole("button", { name: "Save" }).click();
  await cell("ops", "Signed").getByText("yes").waitFor();
  await row("ops").getByRole("button", { name: "Test" }).click();
  await page.getByText(/^A test message went to ops in /).waitFor();
  assert.equal(told.length, 1);
  assert.ok(told[0]["webhook-signature"]);

  await row("ops").getByRole("button", { name: "Actions for ops" }).click();
  await page.getByRole("button", { name: "Edit…" }).click();
  await page.getByLabel("Take it away").check();
  await page.getByLabel("URL").fill("http://127.0.0.1:9/nobody");
  await page.getByRole("button", { name: "Save" }).click();
  await cell("ops", "Signed").getByText("no").waitFor();
  await row("ops").getByRole("button", { name: "Test" }).click();
  await page.getByText("The test message was not delivered").waitFor();

  await show(page, server, "/jobs/new");
  await page.getByLabel("Name", { exact: true }).fill("told of");
  await page.getByLabel("URL").fill("http://127.0.0.1:9/");
  await page.getByLabel("Channel when it fails").selectOption("ops");
  await page.getByText("The server would take this").waitFor();
  await page.getByRole("button", { name: "Submit" }).click();
  await page.getByRole("heading", { level: 1, name: "told of" }).waitFor();
  const { jobs } = await server.call("GET", "/api/jobs?name=told");
  assert.deepEqual(jobs[0].notify.map(({ channel }) => channel), ["ops"]);

  await show(page, server, "/channels");
  await row("ops").getByRole("button", { name: "Actions for ops" }).click();
  await page.getByRole("button", { name: "Delete…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByText("No channel yet").waitFor();
  assert.deepEqual((await server.call("GET", "/api/channels")).channels, []);
  assert.deepEqual(page.faults, []);
});
