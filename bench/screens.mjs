// The dashboard when much lies behind it: how long the server takes for what each screen asks, when the
// first words are painted (beside those of a page that has nothing but words) and when all is there, and
// how long a line of a log takes from being written to being seen.
//
//   node bench/screens.mjs BUILD [--runs 10000000] [--jobs 1000000] [--days 30] [--rounds 5] [--data FOLDER]
//
// What is stored is made first, some 15 minutes and 15 GB; with --data it stays in that folder for the next time.
// Each round opens each screen in a browser that has nothing of it yet, on loopback, beside the browser
// itself. Prints a table, and one JSON line with all that was seen.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: "string", default: "10000000" },
    jobs: { type: "string", default: "1000000" },
    days: { type: "string", default: "30" },
    rounds: { type: "string", default: "5" },
    data: { type: "string" },
  },
});
const build = resolve(positionals[0] ?? "build/release");
process.env.CHRONOS_BINARY = join(build, "chronos");
const { Chronos } = await import("../tests/dashboard/chronos.mjs");
const { logIn, openBrowser, openPage, show } = await import("../tests/dashboard/browser.mjs");

const GOALS = { server: 200, paint: 300, tail: 250 };
const LINES = 40;
const RECURRING = 2000;

const percentile = (numbers, part) => [...numbers].sort((a, b) => a - b)[Math.min(numbers.length - 1, Math.floor(numbers.length * part))];
const ms = (number) => `${number.toFixed(0)} ms`;

async function fill(server) {
  await server.halt();
  const future = String(Number(values.jobs) / 10);
  const filled = spawnSync(join(build, "store_bench"), ["--fill", join(server.data, "chronos.db"), values.runs, future, values.jobs, values.days], { encoding: "utf8" });
  if (filled.status !== 0) throw new Error(`store_bench: ${filled.stderr}`);
  const begun = Date.now();
  await server.launch();
  return { seconds: JSON.parse(filled.stdout).seconds, readyMs: Date.now() - begun };
}

/** Jobs that come again each day, some each minute of it, for the calendar; those of an earlier time stay. */
async function recur(server) {
  const jobs = Array.from({ length: RECURRING }, (_, i) => ({
    name: `daily ${i}`, key: `daily-${i}`, cron: `${i % 60} ${Math.floor(i / 60) % 24} * * *`, max_attempts: 1, action: { kind: "http", url: "http://127.0.0.1:9/" },
  }));
  await server.call("POST", "/api/jobs/batch", jobs);
}

/** screen → address: those of the menu, what lies behind them, and what people search for. */
async function places(server) {
  const [failed] = (await server.call("GET", "/api/runs?state=failed&limit=1")).runs;
  const [old] = (await server.call("GET", "/api/jobs?tag=rare&limit=1")).jobs;
  const [next] = (await server.call("GET", "/api/jobs?status=scheduled&limit=1")).jobs;
  return {
    overview: "/", "overview, 7 days": "/?range=7d",
    jobs: "/jobs", "jobs, status:failed": "/jobs?q=status:failed", "jobs, tag:rare name:no-op": "/jobs?q=tag:rare%20name:no-op",
    "jobs, a name nobody has": "/jobs?q=nowhere",
    "a job with ten runs": `/jobs/${old.id}`, "its versions": `/jobs/${old.id}?tab=versions`, "a job to come": `/jobs/${next.id}`, "edit job": `/jobs/${old.id}/edit`,
    "new job": "/jobs/new",
    runs: "/runs", "runs, state:failed": "/runs?q=state:failed", "a failed run": `/runs/${failed.id}`,
    calendar: "/calendar", "calendar, 7 days": "/calendar?range=7d", grid: "/calendar?view=past", "grid, 7 days": "/calendar?view=past&range=7d",
    queues: "/queues", nodes: "/nodes", channels: "/channels", keys: "/keys", audit: "/audit", settings: "/settings",
  };
}

/** Milliseconds until the first words, and of the slowest answer among those that the screen asked for. */
async function look(browser, server, storageState, address) {
  const page = await openPage(browser, { storageState });
  await show(page, server, address);
  for (const chart of await page.locator(".chart").all()) await chart.locator("canvas").waitFor();
  const seen = await page.evaluate(() => ({
    whole: performance.now(),
    paint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Infinity,
    asked: performance.getEntriesByType("resource")
      .filter(({ name, responseEnd }) => name.includes("/api/") && !name.includes("/api/events") && responseEnd > 0)
      .map(({ name, requestStart, responseStart }) => ({ path: name.replace(/^[a-z]+:\/\/[^/]+/, ""), ms: responseStart - requestStart })),
  }));
  await page.context().close();
  return seen;
}

async function lookAround(browser, server, storageState) {
  const seen = [];
  for (const [screen, address] of Object.entries(await places(server))) {
    const looks = [];
    for (let round = 0; round < Number(values.rounds); ++round) looks.push(await look(browser, server, storageState, address));
    const slowest = looks.map(({ asked }) => asked.reduce((worst, one) => (one.ms > worst.ms ? one : worst), { path: "", ms: 0 }));
    const worst = slowest.reduce((a, b) => (b.ms > a.ms ? b : a));
    const row = {
      screen, requests: looks[0].asked.length, server: percentile(slowest.map((one) => one.ms), 0.5), serverWorst: worst.ms, slowest: worst.path,
      whole: percentile(looks.map(({ whole }) => whole), 0.5), paint: percentile(looks.map(({ paint }) => paint), 0.5), paintWorst: Math.max(...looks.map(({ paint }) => paint)),
    };
    seen.push(row);
    console.log(`${screen.padEnd(28)} server ${ms(row.server).padStart(7)}, worst ${ms(row.serverWorst).padStart(7)}   first paint ${ms(row.paint).padStart(6)}, worst ${ms(row.paintWorst).padStart(6)}   all ${ms(row.whole).padStart(7)}   ${row.slowest}`);
  }
  return seen;
}

/** The same for a page that has nothing but words: what the browser needs in any case. */
async function bareLook(browser) {
  const bare = createServer((_, answer) => answer.setHeader("Content-Type", "text/html").end("<!doctype html><title>bare</title><h1>Words</h1>"));
  await new Promise((resolve) => bare.listen(0, "127.0.0.1", resolve));
  const paints = [];
  for (let round = 0; round < Number(values.rounds); ++round) {
    const page = await openPage(browser);
    await page.goto(`http://127.0.0.1:${bare.address().port}/`);
    const painted = await page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime);
    paints.push(await painted.jsonValue());
    await page.context().close();
  }
  bare.close();
  return percentile(paints, 0.5);
}

/** A job writes the time, line by line; the page notes when it sees each. */
async function followLog(browser, server, storageState) {
  const page = await openPage(browser, { storageState });
  const job = await server.shell("writes the time", `for i in $(seq ${LINES}); do date +%s%3N; sleep 0.2; done`);
  const run = await server.run(job, "running");
  await page.addInitScript(() => {
    window.seenAt = {};
    new MutationObserver(() => {
      for (const line of document.querySelectorAll(".log-line")) {
        const [time] = line.textContent.trim().match(/\d{13}$/) ?? []; // its number comes before
        if (time) window.seenAt[time] ??= Date.now();
      }
    }).observe(document, { childList: true, subtree: true, characterData: true });
  });
  await page.goto(`${server.url}/runs/${run.id}`);
  await page.locator(".log-line").first().waitFor();
  const opened = Date.now();
  await page.locator("h1 .badge", { hasText: "Succeeded" }).waitFor();
  const late = Object.entries(await page.evaluate(() => window.seenAt))
    .filter(([written]) => Number(written) > opened).map(([written, seen]) => seen - Number(written));
  await page.context().close();
  if (late.length < LINES / 2) throw new Error(`of ${LINES} lines only ${late.length} were seen as they came`);
  return { lines: late.length, p50: percentile(late, 0.5), p99: percentile(late, 0.99) };
}

const browser = await openBrowser();
let server;
try {
  const isFilled = values.data !== undefined && existsSync(join(values.data, "admin.key"));
  server = await Chronos.start({ data: values.data });
  const filled = isFilled ? {} : await fill(server);
  if (!isFilled) console.log(`${values.runs} runs of ${values.jobs} jobs in ${values.days} days, made in ${filled.seconds} s; the server was ready ${filled.readyMs} ms after its start`);
  await recur(server);
  const first = await openPage(browser);
  await logIn(first, server);
  const storageState = await first.context().storageState();
  await first.context().close();
  const bare = await bareLook(browser);
  const screens = await lookAround(browser, server, storageState);
  const tail = await followLog(browser, server, storageState);
  const worst = (member) => screens.reduce((a, b) => (b[member] > a[member] ? b : a));
  console.log(`slowest answer     ${ms(worst("server").server)} (${worst("server").screen}); goal <= ${ms(GOALS.server)}`);
  console.log(`latest first paint ${ms(worst("paint").paint)} (${worst("paint").screen}); goal <= ${ms(GOALS.paint)}; a bare page's ${ms(bare)}`);
  console.log(`a line of a log    p50 ${ms(tail.p50)}, p99 ${ms(tail.p99)} after it was written (${tail.lines} lines); goal <= ${ms(GOALS.tail)}`);
  console.log(JSON.stringify({ filled, bare, screens, tail }));
} finally {
  await browser.close();
  await server?.stop();
}
