// A worker in a process of its own: worker_process.js QUEUE MODE CONCURRENCY. It prints a line for each run.
import { Client } from '../index.js';

const [queue, mode, concurrency] = process.argv.slice(2);
const client = new Client();
const worker = client.worker(queue, async (run) => {
  console.log(`begin ${run.id} ${run.attempt}`);
  if (mode === 'hang') await new Promise(() => setInterval(() => {}, 1000));
  if (mode === 'slow') await new Promise((done) => setTimeout(done, 300));
  console.log(`end ${run.id} ${run.attempt}`);
}, { concurrency: Number(concurrency) });
worker.on('stale', (run) => console.log(`stale ${run.id}`));
worker.on('error', () => {});
process.on('SIGTERM', () => worker.stop().then(() => {
  console.log('drained');
  process.exit(0);
}));
