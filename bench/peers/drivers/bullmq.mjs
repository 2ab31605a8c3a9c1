// BullMQ on Redis.
import { Queue, Worker } from "bullmq";
import { fail } from "../workloads.mjs";

const CONCURRENCY = 64;

export const about = {
  title: "BullMQ",
  rows: ["S1", "L1", "T1", "T2", "T3"],
  packages: ["bullmq", "ioredis"],
  settings: {
    S1: "64 concurrent queue.add on one connection",
    L1: `queue.addBulk of 1000 by 4 callers; a Worker process with concurrency ${CONCURRENCY}; removeOnComplete`,
    T1: `delay; concurrency ${CONCURRENCY}; removeOnComplete`,
    T2: `delay; concurrency ${CONCURRENCY}; removeOnComplete`,
    T3: `concurrency ${CONCURRENCY}; removeOnComplete`,
  },
  documented:
    "docs.bullmq.io: guide/queues/adding-bulks, guide/workers/concurrency, guide/queues/auto-removal-of-jobs, " +
    "guide/connections (one connection is reused), guide/going-to-production (AOF, noeviction)",
};

const NAME = "bench";

export async function open({ port }) {
  const connection = { host: "127.0.0.1", port, maxRetriesPerRequest: null };
  const queue = new Queue(NAME, { connection, defaultJobOptions: { removeOnComplete: true } });
  await queue.waitUntilReady();
  return {
    submit: (payload) => queue.add("job", payload),
    submitMany: (payloads) => queue.addBulk(payloads.map((data) => ({ name: "job", data }))),
    async submitAt(jobs) {
      for (let first = 0; first < jobs.length; first += 1000) {
        const timestamp = Date.now(); // a job is due at timestamp + delay
        await queue.addBulk(
          jobs.slice(first, first + 1000).map(({ payload, at }) => ({
            name: "job",
            data: payload,
            opts: { timestamp, delay: at - timestamp },
          })),
        );
      }
    },
    async work(onStart, onDone) {
      const worker = new Worker(NAME, async (job) => onStart(job.data), { connection, concurrency: CONCURRENCY });
      worker.on("error", fail);
      if (onDone) worker.on("completed", () => onDone(1));
      await worker.waitUntilReady();
    },
    close: () => queue.close(),
  };
}
