// pg-boss on PostgreSQL.
import { setTimeout as sleep } from "node:timers/promises";
import { PgBoss } from "pg-boss";
import { fail } from "../workloads.mjs";

const LOOPS = 4;
const BATCH = 1000;

const LIFE =
  `insert of 1000 by 4 callers; a worker process with ${LOOPS} loops of fetch({batchSize: ${BATCH}}) and complete`;

export const about = {
  title: "pg-boss",
  rows: ["S1", "L1", "L2", "T1", "T2", "T3"],
  packages: ["pg-boss", "pg"],
  settings: {
    S1: "64 concurrent send on a pool of 64 connections (max: 64)",
    L1: LIFE,
    L2: LIFE,
    T1:
      `startAfter; work with localConcurrency ${LOOPS}, batchSize ${BATCH}, burstWhenBatchFull, polling every ` +
      "0.5 s, the least it allows",
    T2: "startAfter; as T1",
    T3: `useListenNotify and notify on the queue; work with localConcurrency ${LOOPS}`,
  },
  documented: "pgboss.io/api/jobs (insert, fetch, complete), pgboss.io/api/workers, pgboss.io/api/constructor",
};

const NAME = "bench";

export async function open({ port, workload, clients = LOOPS + 1 }) {
  const boss = new PgBoss({
    host: "127.0.0.1",
    port,
    user: "postgres",
    database: "postgres",
    max: workload === "S1" ? clients : LOOPS + 1,
    schedule: false,
    useListenNotify: workload === "T3",
  });
  boss.on("error", fail);
  await boss.start();
  if (workload !== "L1-worker") await boss.createQueue(NAME, { notify: workload === "T3" });

  // fetch and complete by hand: an end is acknowledged when complete answers.
  async function takeJobs(onStart, onDone) {
    for (;;) {
      const jobs = await boss.fetch(NAME, { batchSize: BATCH });
      if (jobs.length === 0) {
        await sleep(5);
        continue;
      }
      for (const job of jobs) onStart(job.data);
      await boss.complete(NAME, jobs.map((job) => job.id));
      onDone(jobs.length);
    }
  }

  return {
    submit: (payload) => boss.send(NAME, payload),
    submitMany: (payloads) => boss.insert(NAME, payloads.map((data) => ({ data }))),
    async submitAt(jobs) {
      for (let first = 0; first < jobs.length; first += BATCH)
        await boss.insert(
          NAME,
          jobs.slice(first, first + BATCH).map(({ payload, at }) => ({ data: payload, startAfter: new Date(at) })),
        );
    },
    async work(onStart, onDone) {
      if (onDone) {
        for (let i = 0; i < LOOPS; ++i) takeJobs(onStart, onDone).catch(fail);
        return;
      }
      await boss.work(
        NAME,
        {
          localConcurrency: LOOPS,
          batchSize: workload === "T3" ? 1 : BATCH,
          burstWhenBatchFull: workload !== "T3",
          pollingIntervalSeconds: 0.5,
        },
        async (jobs) => {
          for (const job of jobs) onStart(job.data);
        },
      );
    },
    async close() {},
  };
}
