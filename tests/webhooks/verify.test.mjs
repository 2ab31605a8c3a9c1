// What the server really sends is verified as its receivers do it: with the library of Standard Webhooks.
//
// CHRONOS_WEBHOOKS says how many messages (20).
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Chronos, until } from "../dashboard/chronos.mjs";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEW_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const MESSAGES = Number(process.env.CHRONOS_WEBHOOKS ?? 20);
const TOLERANCE_MS = 5 * 60 * 1000; // of the library, either way

// What people call their jobs; the name is in the body that is signed.
const NAMES = ["plain", 'quotes "\\"', "größer ≥ ☃ 🎉", "tab\there", "</script>", "'.'..1", "e\u0301 is not é", "\u202etxt"];

let chronos, receiver, folder, Webhook;
const received = []; // messages of channels
const calls = []; // of http actions

function installLibrary() {
  if (existsSync(`${HERE}node_modules/standardwebhooks`)) return;
  const done = spawnSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: HERE, stdio: "inherit" });
  if (done.status !== 0) throw new Error("the library could not be installed: npm ci failed");
}

before(async () => {
  installLibrary();
  ({ Webhook } = (await import("standardwebhooks")).default);
  receiver = createServer(async (request, response) => {
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    (request.url === "/call" ? calls : received).push({ headers: request.headers, body: Buffer.concat(pieces).toString() });
    response.end();
  });
  await new Promise((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  folder = mkdtempSync(join(tmpdir(), "chronos-webhooks-"));
  const config = join(folder, "chronos.toml");
  writeFileSync(config, `[projects.default]\nsigning_secret = "${NEW_SECRET} ${SECRET}"\n`);
  chronos = await Chronos.start({ args: ["--config", config] });
  const url = `http://127.0.0.1:${receiver.address().port}/hook`;
  await chronos.call("PUT", "/api/channels/signed", { kind: "webhook", url, secret: SECRET });
  for (let i = 0; i < MESSAGES; ++i) {
    await chronos.shell(`${NAMES[i % NAMES.length]} ${i}`, "exit 1", { notify: [{ on: "failure", channel: "signed" }] });
  }
  await until("every message is here", () => received.length >= MESSAGES);
  await chronos.call("POST", "/api/channels/signed/test");
});

after(async () => {
  receiver?.close();
  await chronos?.stop();
  if (folder) rmSync(folder, { recursive: true });
});

test("every message is verified", () => {
  const webhook = new Webhook(SECRET);
  const names = received.map(({ headers, body }) => webhook.verify(body, headers).data.job_name);
  assert.equal(received.length, MESSAGES + 1);
  const expected = Array.from({ length: MESSAGES }, (_, i) => `${NAMES[i % NAMES.length]} ${i}`);
  assert.deepEqual(names.filter((name) => name !== undefined).sort(), expected.sort());
  assert.equal(new Set(received.map(({ headers }) => headers["webhook-id"])).size, received.length);
});

test("what was tampered with is refused", () => {
  const webhook = new Webhook(SECRET);
  for (const { headers, body } of received) {
    const at = body.length >> 1;
    const seconds = Number(headers["webhook-timestamp"]);
    for (const [what, asked] of [
      ["a byte of the body", [body.slice(0, at) + (body[at] === "x" ? "y" : "x") + body.slice(at + 1), headers]],
      ["the end of the body", [body.slice(0, -1), headers]],
      ["the id", [body, { ...headers, "webhook-id": `${headers["webhook-id"]}0` }]],
      ["the time", [body, { ...headers, "webhook-timestamp": String(seconds + 1) }]],
      ["no signature", [body, { ...headers, "webhook-signature": "v1," }]],
    ]) {
      assert.throws(() => webhook.verify(...asked), /No matching signature found/, what);
    }
  }
});

test("every call of an http action is verified, by the new secret and by the old one", async () => {
  const url = `http://127.0.0.1:${receiver.address().port}/call`;
  const payloads = NAMES.map((name) => ({ name }));
  for (const payload of payloads) await chronos.submit({ name: "call", payload, action: { kind: "http", url } });
  await chronos.submit({ name: "without a body", payload: { no: 1 }, action: { kind: "http", url, method: "GET" } });
  await until("every call is here", () => calls.length > NAMES.length);
  for (const { headers, body } of calls) {
    assert.equal(headers["webhook-id"], headers["chronos-run-id"]);
    for (const secret of [NEW_SECRET, SECRET]) new Webhook(secret).verify(body, headers);
    const other = new Webhook("whsec_" + Buffer.alloc(24, 1).toString("base64"));
    assert.throws(() => other.verify(body, headers), /No matching signature found/);
    assert.throws(() => new Webhook(SECRET).verify(body + " ", headers), /No matching signature found/);
  }
  assert.deepEqual(new Set(calls.map(({ body }) => (body === "" ? "" : JSON.parse(body).name))), new Set(["", ...NAMES]));
});

test("a channel that changes its secret signs with both meanwhile", async () => {
  const url = `http://127.0.0.1:${receiver.address().port}/hook`;
  for (const [secret, good, bad] of [[`${NEW_SECRET} ${SECRET}`, [NEW_SECRET, SECRET], []], [NEW_SECRET, [NEW_SECRET], [SECRET]]]) {
    await chronos.call("PUT", "/api/channels/signed", { kind: "webhook", url, secret });
    await chronos.call("POST", "/api/channels/signed/test");
    const { headers, body } = received.at(-1);
    for (const taken of good) new Webhook(taken).verify(body, headers);
    for (const refused of bad) assert.throws(() => new Webhook(refused).verify(body, headers), /No matching signature found/);
  }
  await assert.rejects(chronos.call("PUT", "/api/channels/signed", { kind: "webhook", url, secret: `${NEW_SECRET} nonsense` }), /whsec_/);
});

test("another secret is refused", () => {
  const webhook = new Webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx");
  for (const { headers, body } of received) assert.throws(() => webhook.verify(body, headers), /No matching signature found/);
});

test("what is sent again later is refused", (context) => {
  const webhook = new Webhook(SECRET);
  const now = Date.now();
  context.mock.method(Date, "now", () => now + TOLERANCE_MS + 60_000);
  for (const { headers, body } of received) assert.throws(() => webhook.verify(body, headers), /too old/);
});
