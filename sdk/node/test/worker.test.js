// The client and the worker against a real server: work, failure, cancel, and workers that are killed,
// paused and drained.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { ChronosError, Client } from '../index.js';
import { Worker } from '../worker.js';
import { Server, until } from './server.js';

let server;
let client;
const workers = [];

// One that a failed test leaves behind would keep this process alive.
function work(...args) {
  workers.push(client.worker(...args));
  return workers.at(-1);
}

before(async () => {
  server = await Server.start();
  client = server.client();
});
after(async () => {
  await Promise.all(workers.map((worker) => worker.stop({ timeout: 0 })));
  client.close();
  await server.close();
});

const ended = (job) => until(async () => {
  const { status } = await client.getJob(job.id);
  return ['succeeded', 'failed', 'cancelled'].includes(status) && status;
}, `the end of ${job.id}`);

async function lastRun(job) {
  const [run] = await client.listRuns(job.id);
  return client.getRun(run.id);
}

test('a job is worked on, its payload and metadata arrive, its result is its output', async () => {
  const worker = work('basic', async (run) => {
    run.log('a line');
    run.progress(50, 'half');
    return { doubled: run.payload.number * 2, who: run.metadata.who };
  });
  const job = await client.submit({ queue: 'basic', payload: { number: 21 }, metadata: { who: 'me' } });
  assert.equal(job.name, 'basic');
  assert.equal(await ended(job), 'succeeded');
  await worker.stop();
  const run = await lastRun(job);
  assert.equal(run.attempts.length, 1);
  const output = await (await fetch(`${server.url}/api/runs/${run.id}/output`,
    { headers: { Authorization: `Bearer ${server.key}` } })).text();
  assert.match(output, /a line/);
  assert.match(output, /"doubled":42,"who":"me"/);
});

test('many jobs are done once each, by batches', async () => {
  const count = 2000;
  const seen = new Map();
  const jobs = await client.submitMany(Array.from({ length: count }, (_, i) => ({ queue: 'many', payload: i })));
  assert.equal(jobs.filter((job) => job.id).length, count);
  const worker = work('many', (run) => { seen.set(run.payload, (seen.get(run.payload) ?? 0) + 1); },
    { concurrency: 200 });
  await until(() => seen.size === count, 'all of them');
  await worker.stop();
  assert.ok([...seen.values()].every((times) => times === 1));
  const { counts } = await client.getJob(jobs[0].id);
  assert.equal(counts.succeeded, 1);
});

test('a handler that throws fails the attempt, and retryAfter says when the next may start', async () => {
  const attempts = [];
  const worker = work('failing', (run) => {
    attempts.push(run.attempt);
    if (run.attempt === 1) throw new Error('the first');
    if (run.attempt === 2) throw Object.assign(new Error('busy'), { retryAfter: '200ms' });
  });
  worker.on('failed', () => {});
  const job = await client.submit({ queue: 'failing', max_attempts: 3, retry: { delay: '50ms', jitter: 'none' } });
  assert.equal(await ended(job), 'succeeded');
  await worker.stop();
  assert.deepEqual(attempts, [1, 2, 3]);
  const run = await lastRun(job);
  assert.equal(run.attempts[0].error, 'the first');
});

test('an outcome that the server refuses spoils no other', async () => {
  let begin;
  const all = new Promise((resolve) => { begin = resolve; });
  let begun = 0;
  const worker = work('refused', async (run) => {
    if (++begun === 3) begin();
    await all;
    if (run.payload === 'bad') throw Object.assign(new Error('never'), { retryAfter: 'soon' });
  });
  worker.on('failed', () => {});
  const jobs = await client.submitMany(['good', 'bad', 'good'].map((payload) => ({ queue: 'refused', payload, max_attempts: 1 })));
  assert.deepEqual(await Promise.all(jobs.map(ended)), ['succeeded', 'failed', 'succeeded']);
  await worker.stop();
  assert.match((await lastRun(jobs[1])).attempts[0].error, /refused/);
});

test('a cancel aborts the signal of a run under way', async () => {
  let began;
  const running = new Promise((resolve) => { began = resolve; });
  const worker = work('cancelled', async (run) => {
    began();
    await once(run.signal, 'abort');
    throw run.signal.reason;
  });
  worker.on('failed', () => {});
  const job = await client.submit({ queue: 'cancelled' });
  await running;
  await client.cancel(job.id);
  assert.equal(await ended(job), 'cancelled');
  await worker.stop();
});

test('a worker that is killed loses its run to another', async () => {
  const first = server.worker('killed', 'hang');
  const job = await client.submit({ queue: 'killed', retry: { delay: '50ms', jitter: 'none' } });
  await until(() => first.log.includes('begin'), 'the first attempt');
  first.kill('SIGKILL');
  const second = server.worker('killed', 'quick');
  assert.equal(await ended(job), 'succeeded');
  second.kill('SIGTERM');
  await once(second, 'exit');
  const run = await lastRun(job);
  assert.deepEqual(run.attempts.map((attempt) => attempt.state), ['lost', 'succeeded']);
});

test('a worker that is paused beyond its lease changes nothing when it wakes', async () => {
  const first = server.worker('paused', 'slow');
  const job = await client.submit({ queue: 'paused', retry: { delay: '50ms', jitter: 'none' } });
  await until(() => first.log.includes('begin'), 'the first attempt');
  first.kill('SIGSTOP');
  const second = server.worker('paused', 'quick');
  assert.equal(await ended(job), 'succeeded');
  first.kill('SIGCONT');
  await until(() => first.log.includes('stale'), 'the answer to the late outcome');
  for (const child of [first, second]) {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  const run = await lastRun(job);
  assert.deepEqual(run.attempts.map((attempt) => attempt.state), ['lost', 'succeeded']);
  assert.equal((await client.getJob(job.id)).counts.succeeded, 1);
});

test('a worker that is drained ends what runs and leaves the rest', async () => {
  const worker = server.worker('drained', 'slow', 2);
  const jobs = await client.submitMany(Array.from({ length: 10 }, () => ({ queue: 'drained' })));
  await until(() => worker.log.split('begin').length >= 3, 'two runs under way');
  worker.kill('SIGTERM');
  const [code] = await once(worker, 'exit');
  assert.equal(code, 0);
  const begun = worker.log.split('begin').length - 1;
  assert.equal(worker.log.split('end').length - 1, begun);
  const states = await Promise.all(jobs.map(async (job) => (await client.getJob(job.id)).status));
  assert.equal(states.filter((status) => status === 'succeeded').length, begun);
  assert.equal(states.filter((status) => status === 'scheduled').length, jobs.length - begun);
});

test('a listener that throws changes nothing about the run, and is told of as an error', async () => {
  const worker = work('listened', (run) => {
    if (run.payload === 'bad') throw new Error('the work');
  });
  const told = [];
  worker.on('completed', () => { throw new Error('of completed'); });
  worker.on('failed', () => { throw new Error('of failed'); });
  worker.on('drained', () => { throw new Error('of drained'); });
  worker.on('error', (error) => {
    told.push(`${error.code}: ${error.cause.message}`);
    throw new Error('and this');
  });
  const warned = once(process, 'warning');
  const good = await client.submit({ queue: 'listened', payload: 'good', max_attempts: 1 });
  assert.equal(await ended(good), 'succeeded');
  const bad = await client.submit({ queue: 'listened', payload: 'bad', max_attempts: 1 });
  assert.equal(await ended(bad), 'failed');
  await worker.stop();
  assert.equal((await lastRun(bad)).attempts[0].error, 'the work');
  assert.deepEqual(told, ['listener: of completed', 'listener: of failed', 'listener: of drained']);
  assert.match((await warned)[0].message, /and this/);
});

test('a listener of stale that throws loses no run that came with the answer', async () => {
  let end;
  const over = new Promise((resolve) => { end = resolve; });
  const worker = work('stale', ({ payload }) => (payload === 'late' ? over : undefined), { concurrency: 1 });
  let isTold = false;
  worker.on('stale', () => {
    isTold = true;
    throw new Error('of stale');
  });
  worker.on('error', () => {});
  const late = await client.submit({ queue: 'stale', payload: 'late', timeout: '1s', max_attempts: 1 });
  await until(() => worker.running === 1, 'the first run');
  const next = await client.submit({ queue: 'stale', payload: 'next', on_lost: 'fail' });
  assert.equal(await ended(late), 'failed');
  end();
  assert.equal(await ended(next), 'succeeded');
  await worker.stop();
  assert.ok(isTold);
});

test('a run that comes while the worker stops is handed back', async () => {
  let settled = '';
  // A server that answers a claim when it sees that the client hangs up.
  const late = net.createServer({ allowHalfOpen: true }, (socket) => {
    const answer = (body) => socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    let text = '';
    socket.on('data', (part) => {
      text += part;
      if (!text.startsWith('POST /api/workers/settle') || !text.endsWith('}')) return;
      settled = text;
      answer('{}');
    });
    socket.on('end', () => {
      if (text.startsWith('POST /api/workers/claim')) answer('{"worker_id":"wrk_1","runs":[{"id":"run_1","token":7}]}');
    });
    socket.on('error', () => {});
  });
  late.listen(0, '127.0.0.1');
  await once(late, 'listening');
  const there = once(late, 'connection');
  const far = server.client(`http://127.0.0.1:${late.address().port}`);
  let isBegun = false;
  const worker = far.worker('q', () => { isBegun = true; });
  const [socket] = await there;
  await once(socket, 'data');
  await worker.stop();
  far.close();
  late.close();
  assert.match(settled, /"release":\[\{"run":"run_1","token":7\}\]/);
  assert.ok(!isBegun);
});

// Stops a worker that does not wait, while it runs `handler` for a job with such members.
async function stopWhileRunning(queue, handler, members) {
  let began;
  const running = new Promise((resolve) => { began = resolve; });
  const worker = work(queue, (run) => {
    began();
    return handler(run);
  });
  const events = [];
  for (const event of ['completed', 'failed', 'stale']) worker.on(event, () => events.push(event));
  const job = await client.submit({ queue, ...members });
  await running;
  await worker.stop({ timeout: 0 });
  return { job: await client.getJob(job.id), run: await lastRun(job), events };
}

test('what a handler comes to after the worker began to stop is what is stored', async () => {
  const { job, run } = await stopWhileRunning('late', async ({ signal }) => {
    await once(signal, 'abort');
    return 'done all the same';
  });
  assert.equal(job.status, 'succeeded');
  assert.equal(run.attempts.length, 1);
});

test('a run whose handler never ends is lost when the worker stops, and on_lost: fail is not repeated', async () => {
  let end;
  const { job, run, events } = await stopWhileRunning('endless', () => new Promise((resolve) => { end = resolve; }),
    { on_lost: 'fail' });
  assert.equal(job.status, 'failed');
  assert.deepEqual(run.attempts.map(({ state, reason }) => [state, reason]), [['lost', 'shutdown']]);
  assert.deepEqual(events, ['failed']);
  end();
  await until(() => events.length === 2, 'the end of the handler');
  assert.equal(events[1], 'stale');
});

test('a handler that heeds the stop loses an attempt, and the run is repeated', async () => {
  const { job } = await stopWhileRunning('heeding', async ({ signal }) => {
    await once(signal, 'abort');
    throw signal.reason;
  }, { retry: { delay: '50ms', jitter: 'none' } });
  const next = work('heeding', () => {});
  assert.equal(await ended(job), 'succeeded');
  await next.stop();
  const { attempts } = await lastRun(job);
  assert.deepEqual(attempts.map(({ state }) => state), ['lost', 'succeeded']);
});

test('a worker that hears nothing for its lease tells its runs so', async () => {
  let began;
  const running = new Promise((resolve) => { began = resolve; });
  let isTold = false;
  const worker = work('silent', async ({ signal }) => {
    began();
    await once(signal, 'abort');
    isTold = true;
    throw signal.reason;
  });
  worker.on('error', () => {});
  const job = await client.submit({ queue: 'silent', on_lost: 'fail' });
  await running;
  server.process.kill('SIGSTOP');
  try {
    await until(() => isTold, 'the abort');
  } finally {
    server.process.kill('SIGCONT');
  }
  assert.equal(await ended(job), 'failed');
  await worker.stop();
  assert.deepEqual((await lastRun(job)).attempts.map(({ state }) => state), ['lost']);
});

test('the lease of a run that was waited for begins when it comes', async () => {
  let runs = [{ id: 'run_1', token: 7 }];
  // A server that answers the first claim when a whole lease has passed.
  const transport = {
    async call({ path, body, signal }) {
      body();
      if (path.endsWith('/settle')) return { body: {} };
      const given = runs;
      runs = [];
      await sleep(given.length > 0 ? 1200 : 20_000, undefined, { signal });
      return { body: { worker_id: 'wrk_1', lease_ttl: '1s', runs: given } };
    },
  };
  let isAborted;
  const worker = new Worker(transport, ['q'], async ({ signal }) => {
    await sleep(500);
    isAborted = signal.aborted;
  });
  await until(() => isAborted !== undefined, 'the run');
  await worker.stop();
  assert.equal(isAborted, false);
});

test('a server that is killed and comes back goes on with the same worker', async () => {
  const done = new Set();
  const worker = work('restarted', async (run) => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    done.add(run.payload);
  });
  worker.on('error', () => {});
  await client.submitMany(Array.from({ length: 100 }, (_, i) => ({ queue: 'restarted', payload: i })));
  await until(() => done.size > 10, 'some of them');
  await server.restart();
  await until(() => done.size === 100, 'all of them');
  await worker.stop();
});

test('a run whose claim was answered in vain is claimed again', async () => {
  let lost = 0;
  const way = await server.lossyWay((text) => text.includes('"runs":[{') && ++lost === 1);
  const far = server.client(way.url);
  const worker = far.worker('vain', (run) => run.attempt);
  workers.push(worker);
  worker.on('error', () => {});
  await until(() => worker.id, 'the first answer');
  const job = await client.submit({ queue: 'vain', timeout: '1h' });
  assert.equal(await ended(job), 'succeeded');
  assert.equal(lost, 2);
  assert.equal((await lastRun(job)).attempts.length, 1);
  await worker.stop();
  far.close();
  way.close();
});

test('what the server refuses says which field is wrong', async () => {
  await assert.rejects(client.submit({ queue: 'x', max_attempts: -1 }), (error) => {
    assert.ok(error instanceof ChronosError);
    assert.equal(error.status, 422);
    assert.equal(error.errors[0].pointer, '/max_attempts');
    return !error.isTemporary;
  });
  const [bad, good] = await client.submitMany([{ queue: 'x', priority: 99 }, { queue: 'x', paused: true }]);
  assert.equal(bad.errors[0].pointer, '/priority');
  assert.ok(good.id);
  assert.throws(() => new Client({ url: 'ftp://x', apiKey: 'k' }), TypeError);
  assert.throws(() => client.worker('q', () => {}, { concurrency: 0 }), TypeError);
});

test('a job submitted twice with one idempotency key is one job', async () => {
  const jobs = await Promise.all([1, 2].map(() => client.submit({ queue: 'y' }, { idempotencyKey: 'once' })));
  assert.equal(jobs[0].id, jobs[1].id);
});

test('the types of a job have the members that the API has', () => {
  const text = (name) => readFileSync(new URL(name, import.meta.url), 'utf8');
  const [, declaration] = /interface JobDeclaration[^{]*\{\n(.*?)\n\}/s.exec(text('../index.d.ts'));
  const typed = [...declaration.matchAll(/^ {2}(\w+)\??:/gm)].map(([, member]) => member);
  const { properties } = JSON.parse(text('../../../api/openapi.json')).components.schemas.JobSpec;
  // The key goes in a header, and cron has one name.
  const wanted = Object.keys(properties).filter((member) => !['api_key', 'cron_expression'].includes(member));
  assert.deepEqual(typed.sort(), wanted.sort());
});
