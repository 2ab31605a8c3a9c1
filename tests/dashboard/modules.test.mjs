// The parts of the dashboard that are plain functions, each for itself.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

const WEB = fileURLToPath(new URL("../../web/", import.meta.url));
const TOOLS = process.env.CHRONOS_WEB_TOOLS ?? WEB; // where npm has put esbuild
const esbuild = createRequire(join(TOOLS, "package.json"))("esbuild");
const folder = mkdtempSync(join(tmpdir(), "chronos-modules-"));
after(() => rmSync(folder, { recursive: true, force: true }));

let made = 0;
async function load(path) {
  const outfile = join(folder, `${(made += 1)}.mjs`);
  await esbuild.build({ entryPoints: [join(WEB, "src", path)], outfile, bundle: true, format: "esm", nodePaths: [join(TOOLS, "node_modules")], logLevel: "silent" });
  return import(pathToFileURL(outfile).href);
}

test("numbers that a double would change stay what was written", async () => {
  const { parseExact, stringifyExact } = await load("api/exact_json.ts");
  for (const text of [
    '{"id":9007199254740993,"pi":3.14159265358979323846,"big":1e400,"small":0.1,"list":[12345678901234567890,-0.5]}',
    '{"text":"9007199254740993 is \\"big\\" 1e400","n":1}',
    "[1,2,3]",
    '{"a":123456789012345678901234567890}',
  ]) assert.equal(stringifyExact(parseExact(text)), text);
  assert.equal(parseExact('{"n":15}').n, 15);
  assert.throws(() => parseExact("{"));
});

test("a search is read into filters, and what is none is said", async () => {
  const { AUDIT_TERMS, JOB_TERMS, RUN_TERMS, searchLink, understood, toggled } = await load("search/terms.ts");
  const now = Date.parse("2026-11-26T12:00:30Z");
  assert.deepEqual(understood('status:failed tag:db "nightly report" since:2h', JOB_TERMS, now), {
    query: { status: "failed", tag: "db", name: "nightly report", created_after: "2026-11-26T10:00:00.000Z" },
    unknown: [],
  });
  assert.deepEqual(understood("state:failed state:lost until:1h", RUN_TERMS, now).query, { state: "lost", until: "1h" }); // an age for the server
  assert.deepEqual(understood('error:"connection refused" nightly since:2026-11-26 constructor:x', RUN_TERMS, now), {
    query: { error: "connection refused", name: "nightly", since: "2026-11-26T00:00:00.000Z" },
    unknown: ["constructor:"],
  });
  assert.deepEqual(understood("action:job. nightly since:2h", AUDIT_TERMS, now), { query: { action: "job.", since: "2026-11-26T10:00:00.000Z" }, unknown: ["nightly"] });
  assert.deepEqual(understood("colour:red since:soon", JOB_TERMS, now), { query: {}, unknown: ["colour:", "since:soon"] });
  assert.deepEqual(understood("status:failed status:paused", JOB_TERMS, now), { query: { status: "paused" }, unknown: ["status:failed"] });
  assert.deepEqual(understood("tag:a tag:b tag:b since:1h", JOB_TERMS, now).unknown, ["tag:a"]);
  assert.deepEqual(understood("status:failed,lost", RUN_TERMS, now), { query: { state: "failed,lost" }, unknown: [] });
  assert.equal(toggled("backup status:failed", { field: "status", value: "failed" }), "name:backup");
  assert.equal(toggled("status:failed", { field: "status", value: "paused" }), "status:paused");
  assert.equal(toggled("state:failed", { field: "state", value: "lost" }), "state:lost");
  assert.equal(toggled("", { field: "name", value: "two words" }), 'name:"two words"');
  assert.equal(decodeURIComponent(searchLink("/runs", { state: "failed,lost", name: "two words" })), '/runs?q=state:failed,lost name:"two words"');
});

test("searches offer what the API says that it takes, and nothing else", async () => {
  const { AUDIT_TERMS, JOB_TERMS, RUN_TERMS } = await load("search/terms.ts");
  const { paths, components } = JSON.parse(readFileSync(new URL("../../api/openapi.json", import.meta.url), "utf8"));
  // What lists take besides: a page, what comes along, and runs by instants, which since and until can say.
  const rest = ["strip", "planned_after", "planned_before", "from", "to", "step", "limit"];
  for (const [path, { fields, toQuery }] of [["/api/jobs", JOB_TERMS], ["/api/grid", JOB_TERMS], ["/api/runs", RUN_TERMS], ["/api/audit", AUDIT_TERMS]]) {
    const taken = paths[path].get.parameters.map(({ name }) => name).filter((name) => name && !rest.includes(name));
    const asked = Object.entries(fields).map(([field, values]) => toQuery(field, values[0] ?? "x", 0)[0]);
    assert.deepEqual(asked.sort(), taken.sort(), path);
  }
  assert.deepEqual([...JOB_TERMS.fields.status].sort(), [...components.schemas.JobStatus.enum].sort());
  assert.deepEqual([...RUN_TERMS.fields.state].sort(), [...components.schemas.RunState.enum].sort());
  const actions = readFileSync(new URL("../../docs/audit.md", import.meta.url), "utf8").match(/^Actions: [^]*?\.$/m)[0];
  assert.deepEqual([...AUDIT_TERMS.fields.action].sort(), [...actions.matchAll(/`([a-z]+\.[a-z]+)`/g)].map(([, action]) => action).sort());
});

test("a short page of a list is read on while there is more, within bounds", async () => {
  const { readOn } = await load("api/pages.ts");
  const asked = [];
  const list = (pages) => async (path) => {
    const query = new URL(path, "http://x").searchParams;
    asked.push(`${query.get("cursor") ?? ""}/${query.get("limit")}/${query.get("name")}`);
    const at = Number(query.get("cursor") ?? 0);
    return { jobs: pages[at] ?? [], next: at + 1 < pages.length ? String(at + 1) : null };
  };
  const parts = [];
  const read = (pages) => readOn("/api/jobs?name=x&limit=3", "jobs", list(pages), (page) => parts.push(page.jobs.length));
  assert.deepEqual(await read([[], ["a"], [], ["b", "c"], ["d"]]), { jobs: ["a", "b", "c"], next: "4" });
  assert.deepEqual(asked.splice(0), ["/3/x", "1/3/x", "2/2/x", "3/2/x"]);
  assert.deepEqual(parts.splice(0), [0, 1, 1]);
  assert.deepEqual(await read([["a"], []]), { jobs: ["a"], next: null }); // all was looked at
  assert.deepEqual(await read(Array(40).fill([])), { jobs: [], next: "10" }); // not all of it
});

/** setTimeout on a clock of our own; Node's is another in each of its versions. */
function clockByHand() {
  const { setTimeout, clearTimeout } = globalThis;
  const waiting = new Map();
  let now = 0;
  let last = 0;
  globalThis.setTimeout = (act, ms) => waiting.set((last += 1), { act, at: now + ms }) && last;
  globalThis.clearTimeout = (id) => waiting.delete(id);
  return {
    pass(ms) {
      now += ms;
      for (const [id, { act, at }] of [...waiting]) if (at <= now && waiting.delete(id)) act();
    },
    end: () => Object.assign(globalThis, { setTimeout, clearTimeout }),
  };
}

test("a read that nobody answers ends, a change is waited for", async () => {
  globalThis.document = { querySelector: () => null };
  const { read, send } = await load("api/http.ts");
  const clock = clockByHand();
  const swallowed = (_path, { signal }) => new Promise((_resolve, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
  try {
    globalThis.fetch = swallowed;
    const reading = read("/api/jobs");
    const leaving = new AbortController();
    const left = read("/api/jobs", leaving.signal);
    const changing = send("POST", "/api/submitJob", {}).catch(() => "ended");
    leaving.abort();
    await assert.rejects(left, { name: "AbortError" });
    clock.pass(15_000);
    await assert.rejects(reading, { status: 0, code: "no_answer" });
    assert.equal(await Promise.race([changing, "goes on"]), "goes on");
    globalThis.fetch = async (path, { signal }) => ({ ok: true, headers: new Headers(), text: () => swallowed(path, { signal }) });
    const begun = read("/api/jobs"); // it began to answer
    await new Promise((resolve) => setImmediate(resolve));
    clock.pass(15_000);
    await assert.rejects(begun, { code: "no_answer" });
  } finally {
    clock.end();
    delete globalThis.document;
  }
});

test("durations are read and written; a wait is never negative", async () => {
  const { parseDuration, durationText, relativeText } = await load("words/time.ts");
  assert.equal(parseDuration("1h30m"), 5_400_000);
  assert.equal(parseDuration("1.5s"), 1_500);
  assert.equal(parseDuration("12µs"), 0.012);
  assert.ok(Number.isNaN(parseDuration("soon")));
  assert.equal(durationText(-5), "0 ms");
  assert.equal(durationText(3_725_000), "1h 2m");
  assert.equal(durationText(59_999), "1m");
  assert.equal(relativeText(1_000, 5_000, "future"), "now");
  assert.equal(relativeText(9_000, 5_000, "past"), "just now");
  assert.equal(relativeText(0, 7_200_000, "any"), "2 h ago");
});

test("of what programs write only colours are left, and nothing that hides or moves text", async () => {
  const { piecesOf, plainText } = await load("log/ansi.ts");
  assert.deepEqual(piecesOf("\u001b[1;31mbad\u001b[0m ok"), [{ text: "bad", look: "ansi-bold ansi-1" }, { text: " ok", look: "" }]);
  assert.deepEqual(piecesOf("\u001b[38;5;9mx\u001b[38;2;1;2;3my"), [{ text: "x", look: "ansi-9" }, { text: "y", look: "ansi-9" }]);
  assert.equal(plainText("\u001b[2J\u001b[1;1Ha\u001b]8;;http://evil\u0007link\u001b]8;;\u0007b"), "alinkb");
  assert.equal(plainText("10%\r50%\r100%\r"), "100%");
  assert.equal(plainText("a\u0007b\u202ec"), "a\u2407b\ufffdc");
});

test("a difference is the shortest edit", async () => {
  const { diffLines, shortened } = await load("words/diff.ts");
  const kinds = (before, after) => diffLines(before, after).map(({ kind, text }) => `${kind[0]}${text}`).join(" ");
  assert.equal(kinds(["a", "b", "c"], ["a", "x", "c"]), "sa gb nx sc");
  assert.equal(kinds([], ["a"]), "na");
  assert.equal(kinds(["a"], []), "ga");
  assert.equal(kinds(["a", "b"], ["a", "b"]), "sa sb");
  const before = Array.from({ length: 50 }, (_one, index) => String(index));
  const after = before.map((line) => (line === "25" ? "new" : line));
  assert.deepEqual(shortened(diffLines(before, after)).map(({ text }) => text), ["23 equal lines", "23", "24", "25", "new", "26", "27", "22 equal lines"]);
});

test("differences rebuild both texts, whatever they are", async () => {
  const { diffLines } = await load("words/diff.ts");
  let seed = 7;
  const random = (below) => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) % below;
  for (let round = 0; round < 300; round += 1) {
    const text = () => Array.from({ length: random(12) }, () => "abc"[random(3)]);
    const [before, after] = [text(), text()];
    const lines = diffLines(before, after);
    assert.deepEqual(lines.filter(({ kind }) => kind !== "new").map((line) => line.text), before);
    assert.deepEqual(lines.filter(({ kind }) => kind !== "gone").map((line) => line.text), after);
  }
});

test("a stream is cut into events wherever its pieces end", async () => {
  const { EventParser } = await load("api/event_parser.ts");
  const text = 'id: 7\n\nretry: 2000\n: beat\n\nevent: change\nid: 8\ndata: {"a":\ndata: 1}\n\nevent: resync\ndata: {}\r\n\r\n';
  for (const size of [1, 3, 1000]) {
    const parser = new EventParser();
    const events = [];
    for (let at = 0; at < text.length; at += size) events.push(...parser.feed(text.slice(at, at + size)));
    assert.deepEqual(events, [{ name: "change", data: '{"a":\n1}' }, { name: "resync", data: "{}" }]);
    assert.equal(parser.id, "8");
  }
  const parser = new EventParser();
  assert.deepEqual([...parser.feed("id: 3\n\n")], []);
  assert.equal(parser.id, "3"); // a place to come back to, without an event
});

test("completion knows what may stand at the cursor", async () => {
  const { suggestionsAt } = await load("editor/completion.ts");
  const schema = {
    components: {
      schemas: {
        JobSpec: { properties: { name: { type: "string", description: "For people." }, action: { $ref: "#/components/schemas/Action" }, overlap: { enum: ["skip", "allow"] }, notify: { type: "array", items: { properties: { on: { enum: ["failure"] } } } } } },
        Action: { oneOf: [{ properties: { kind: { const: "http" }, url: {} } }, { properties: { kind: { const: "command" }, argv: {} } }] },
      },
    },
  };
  const at = (text) => suggestionsAt(text, text.length, "JobSpec", schema).map((one) => one.text);
  assert.deepEqual(at('{"na'), ['"name": ']);
  assert.deepEqual(at('{"action": {"kind": "'), ['"http"', '"command"']);
  assert.deepEqual(at('{"action": {"'), ['"kind": ', '"url": ', '"argv": ']);
  assert.deepEqual(at('{"overlap": "s'), ['"skip"']);
  assert.deepEqual(at('{"notify": [{"on": "'), ['"failure"']);
  assert.deepEqual(at('{"name": "x", "over'), ['"overlap": ']);
  assert.deepEqual(at('{"name": "a \\" {'), []);
});
