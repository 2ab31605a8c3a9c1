// The work every scheduler is given, written once against the few verbs a driver has:
//
//   submit(payload)            one job for now; resolves when it is acknowledged
//   submitMany(payloads)       a batch of jobs for now
//   submitAt([{payload, at}])  one-time jobs; `at` in wall milliseconds. May resolve to the instants they
//                              are really due at, where a scheduler cannot be told an instant
//   work(onStart, onDone)      takes jobs: onStart(payload) when one begins, onDone(count) when ends
//                              are acknowledged
//   close()
import { fork } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

const TEXT = "x".repeat(180);
const STARTS_WITHIN_MS = 60_000;

const payload = (id) => ({ id, text: TEXT });

// Wall time finer than Date.now(), which ticks in milliseconds: the monotonic clock, set by its ticks. A
// tick is noticed late when the machine is busy, so the earliest of some counts.
const WALL = Math.max(
  ...Array.from({ length: 20 }, () => {
    const before = Date.now();
    let now = before;
    while (now === before) now = Date.now();
    return now - performance.now();
  }),
);
export const wallNow = () => WALL + performance.now();

// What goes wrong outside a call ends the driver, with one line that says it.
export function fail(error) {
  console.error(`Error: ${error.message}`);
  process.exit(1);
}

const percentile = (sorted, share) => sorted[Math.round(share * (sorted.length - 1))];

function spread(milliseconds) {
  const sorted = Float64Array.from(milliseconds).sort();
  return {
    count: sorted.length,
    p50_ms: percentile(sorted, 0.5),
    p99_ms: percentile(sorted, 0.99),
    max_ms: sorted.at(-1),
  };
}

const within = (promise, milliseconds, what) => {
  const late = AbortSignal.timeout(milliseconds);
  return Promise.race([
    promise,
    new Promise((_, reject) => late.addEventListener("abort", () => reject(new Error(what())))),
  ]);
};

// Callers that each send their next job when the last is acknowledged.
async function S1(queue, { clients, seconds }) {
  const caller = async (until, took) => {
    while (performance.now() < until) {
      const sent = performance.now();
      await queue.submit(payload(0));
      took.push(performance.now() - sent);
    }
  };
  const all = (until, took) => Promise.all(Array.from({ length: clients }, () => caller(until, took)));
  await all(performance.now() + 300, []); // connections are open, code is warm
  const took = [];
  const begun = performance.now();
  await all(begun + seconds * 1000, took);
  return { rate: took.length / ((performance.now() - begun) / 1000), ...spread(took) };
}

// From the first submit to the last acknowledged end, workers in processes of their own. A scheduler that
// takes too long for all the jobs is given fewer.
async function L1(queue, options, peer) {
  const { jobs, seconds, batch, callers, workers } = options;
  let submitted = 0;
  let ended = 0;
  let wanted = Infinity; // known when all are submitted
  let finish;
  const finished = new Promise((resolve) => (finish = resolve));
  const children = Array.from({ length: workers }, () =>
    fork(peer.drive, [peer.name, JSON.stringify({ ...options, workload: "L1-worker" })]),
  );
  await Promise.all(
    children.map(
      (child) =>
        new Promise((ready, failed) => {
          child.on("exit", (code) => failed(new Error(`a worker ended with ${code}`)));
          child.on("message", ({ done }) => {
            if (done === undefined) ready();
            else if ((ended += done) >= wanted) finish();
          });
        }),
    ),
  );
  const begun = performance.now();
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (submitted < jobs && performance.now() - begun < seconds * 1000) {
        const count = Math.min(batch, jobs - submitted);
        const first = submitted;
        submitted += count;
        await queue.submitMany(Array.from({ length: count }, (_, i) => payload(first + i)));
      }
    }),
  );
  wanted = submitted;
  if (ended >= wanted) finish();
  await within(finished, STARTS_WITHIN_MS, () => `${ended} of ${submitted} jobs ended`);
  const took = (performance.now() - begun) / 1000;
  for (const child of children) child.kill("SIGKILL");
  return { rate: submitted / took, count: submitted };
}

async function worker(queue) {
  process.on("disconnect", () => process.exit()); // whatever ended the driver
  let done = 0;
  const tell = () => {
    if (done === 0) return;
    process.send({ done });
    done = 0;
  };
  setInterval(tell, 2);
  await queue.work(
    () => {},
    (count) => (done += count),
  );
  process.send({});
  await new Promise(() => {}); // until it is killed
}

// How late jobs begin that are due at `at`, and how many begin early.
async function lateness(queue, { jobs, lead }, at) {
  const starts = new Float64Array(jobs);
  let begun = 0;
  let finish;
  const finished = new Promise((resolve) => (finish = resolve));
  await queue.work(({ id }) => {
    const now = wallNow();
    if (starts[id] !== 0) return; // at least once: the first start is the one that counts
    starts[id] = now;
    if (++begun === jobs) finish();
  });
  await sleep(500); // the worker waits
  const base = Math.ceil(wallNow()) + lead * 1000;
  const wanted = Array.from({ length: jobs }, (_, id) => ({ payload: payload(id), at: Math.round(base + at(id)) }));
  const due = (await queue.submitAt(wanted)) ?? wanted.map((job) => job.at);
  if (wallNow() > base) throw new Error(`jobs were due before all were submitted: a lead of ${lead} s is too short`);
  await within(finished, STARTS_WITHIN_MS, () => `${begun} of ${jobs} jobs began`);
  const late = due.map((instant, id) => starts[id] - instant);
  return { ...spread(late), early: late.filter((ms) => ms < 0).length };
}

const T1 = (queue, options) => lateness(queue, options, () => 0);
const T2 = (queue, options) => lateness(queue, options, (id) => (id * options.spread * 1000) / options.jobs);

// One job at a time for a worker that waits: from the call of submit to the start.
async function T3(queue, { jobs }) {
  const took = [];
  let picked;
  let expected = -1;
  await queue.work(({ id }) => {
    if (id === expected) picked(performance.now());
  });
  await sleep(500);
  for (let id = 0; id < jobs; ++id) {
    const start = new Promise((resolve) => (picked = resolve));
    expected = id;
    const sent = performance.now();
    await queue.submit(payload(id));
    took.push((await within(start, STARTS_WITHIN_MS, () => `job ${id} did not begin`)) - sent);
    await sleep(5 + Math.random() * 10);
  }
  return spread(took.slice(Math.ceil(jobs / 10))); // the first tenth warms up
}

export const WORKLOADS = { S1, L1, T1, T2, T3, "L1-worker": worker };
