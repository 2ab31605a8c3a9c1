// graphile-worker on PostgreSQL.
import { Logger, makeWorkerUtils, run } from "graphile-worker";
import pg from "pg";
import { fail } from "../workloads.mjs";

const CONCURRENCY = 24;
const POLL_MS = 20;

const LIFE =
  `addJobs of 1000 by 4 callers; a worker process with concurrentJobs ${CONCURRENCY}, maxPoolSize ` +
  `${CONCURRENCY + 1}, localQueue 500, completeJobBatchDelay 0, failJobBatchDelay 0`;

export const about = {
  title: "graphile-worker",
  rows: ["S1", "L1", "L2", "T1", "T2", "T3"],
  packages: ["graphile-worker", "pg"],
  settings: {
    S1: "64 concurrent addJob on a pool of 64 connections",
    L1: LIFE,
    L2: LIFE,
    T1: `runAt; as L1, pollInterval ${POLL_MS} ms instead of 2000 ms`,
    T2: `runAt; as T1`,
    T3: "as L1 without the local queue, which its documents advise for latency; told of jobs by LISTEN/NOTIFY",
  },
  documented:
    "worker.graphile.org/docs/performance (the preset of its own fastest figures), docs/config (pollInterval)",
};

const TASK = "bench";

export async function open({ port, workload, clients = 4 }) {
  const where = { host: "127.0.0.1", port, user: "postgres", database: "postgres" };
  const pool = (max) => {
    const made = new pg.Pool({ ...where, max });
    for (const event of ["error", "connect"])
      made.on(event, event === "error" ? fail : (client) => client.on("error", fail));
    return made;
  };
  const pgPool = pool(workload === "S1" ? clients : 4);
  const logger = new Logger(() => (level, message) => {
    if (level === "error") console.error(message);
  });
  const utils = await makeWorkerUtils({ pgPool, logger });
  if (workload !== "L1-worker") await utils.migrate();
  return {
    submit: (payload) => utils.addJob(TASK, payload),
    submitMany: (payloads) => utils.addJobs(payloads.map((payload) => ({ identifier: TASK, payload }))),
    async submitAt(jobs) {
      for (let first = 0; first < jobs.length; first += 1000)
        await utils.addJobs(
          jobs.slice(first, first + 1000).map(({ payload, at }) => ({
            identifier: TASK,
            payload,
            runAt: new Date(at),
          })),
        );
    },
    async work(onStart, onDone) {
      const runner = await run({
        pgPool: pool(CONCURRENCY + 1),
        logger,
        noHandleSignals: true,
        taskList: { [TASK]: (payload) => onStart(payload) },
        preset: {
          worker: {
            concurrentJobs: CONCURRENCY,
            maxPoolSize: CONCURRENCY + 1,
            pollInterval: workload.startsWith("T") ? POLL_MS : 2000,
            localQueue: { size: workload === "T3" ? -1 : 500 },
            completeJobBatchDelay: 0,
            failJobBatchDelay: 0,
          },
        },
      });
      if (onDone) runner.events.on("job:complete", () => onDone(1));
    },
    async close() {},
  };
}
