// Claims runs, hands them to a function, and tells the server what came of them: outcomes go in
// batches, and the next runs come back in the same round trip.
import { EventEmitter } from 'node:events';
import os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

import { ChronosError } from './errors.js';

const PAUSE_MS = { first: 100, longest: 5_000 };
const CLAIM_MAX = 1000; // runs in one claim
const SETTLE_MAX = 1000; // outcomes in one request
const LEASE_SHARE = 5 / 6; // of silence after which what runs is told to stop: before another may begin it
const GRACE_MS = 1_000; // from a worker that stops telling a handler so to giving the run up

/**
 * Events: `error` (ChronosError; the worker goes on), `completed` (run), `failed` (run, error), `stale`
 * (run: its lease had run out, or the run was cancelled; what it came to changed nothing), `drained`.
 * They come when the outcome is on its way: a listener that throws changes nothing about it. What it throws
 * is the `cause` of an `error` with the code "listener"; without a listener for that, a warning of the process.
 */
export class Worker extends EventEmitter {
  #transport;
  #handler;
  #queues;
  #options;
  #id;
  #heartbeatMs = 5_000;
  #leaseMs = 15_000;
  #sentAt = 0; // the last request, on performance.now()
  #heardAt = 0; // likewise: the runs are leased to this worker from then on at least
  #active = new Map(); // run id → Active
  #outcomes = [];
  #progress = new Map(); // run id → what it says of itself
  #reserved = 0; // slots offered to a claim that is under way
  #isUnsure = false; // an answer to a claim was lost: runs may be leased to this worker that it does not know
  #claimsOfSettlements = 0; // under way
  #singly = 0; // so many outcomes go one by one: the server has refused them together
  #isSettling = false;
  #isStopping = false;
  #stop = new AbortController();
  #beat;
  #claiming;
  #idle = []; // who waits for everything to be settled

  /**
   * @param {{concurrency?: number, name?: string, wait?: number}} options  `wait`: seconds of a long poll
   */
  constructor(transport, queues, handler, { concurrency = 10, name = `${os.hostname()}:${process.pid}`, wait = 20 } = {}) {
    super();
    if (!(Number.isInteger(concurrency) && concurrency >= 1)) {
      throw new TypeError('concurrency must be a whole number from 1 on');
    }
    this.#transport = transport;
    this.#queues = queues;
    this.#handler = handler;
    this.#options = { concurrency, name, wait };
    this.#beat = setInterval(() => this.#heartbeat(), 250);
    this.#claiming = this.#claimLoop();
  }

  /** The id the server gave it; undefined before the first claim was answered. */
  get id() {
    return this.#id;
  }

  /** Runs under way. */
  get running() {
    return this.#active.size;
  }

  /**
   * Takes nothing new, waits for what runs and for the server to know of it. After `timeout`
   * milliseconds what still runs is told to stop; what has not ended a second later is reported as lost,
   * and the job's `on_lost` decides about it. It may still act: nobody can end a function.
   */
  async stop({ timeout = 10_000 } = {}) {
    this.#isStopping = true;
    this.#stop.abort();
    await this.#claiming;
    const late = setTimeout(() => this.#interrupt('the worker stops'), timeout);
    const tooLate = setTimeout(() => this.#giveUp(), timeout + GRACE_MS);
    await this.#settled();
    clearTimeout(late);
    clearTimeout(tooLate);
    clearInterval(this.#beat);
    this.#tell('drained');
  }

  get #free() {
    return this.#options.concurrency - this.#active.size - this.#reserved;
  }

  // -- Claims

  // One long poll at a time, while there are free slots. Under load the settlements bring the next
  // runs, and this has nothing to do.
  async #claimLoop() {
    let pause = PAUSE_MS.first;
    while (!this.#isStopping) {
      const max = Math.min(this.#free, CLAIM_MAX);
      if (max < 1 || (this.#isUnsure && this.#claimsOfSettlements > 0)) {
        await this.#pause(20);
        continue;
      }
      this.#reserved += max;
      let tellsAll;
      const claim = () => {
        tellsAll = this.#knowsAll();
        return this.#claim(max, tellsAll);
      };
      try {
        const reply = await this.#post('/api/workers/claim', claim, { signal: this.#stop.signal, claims: true });
        this.#id = reply.worker_id;
        if (tellsAll) this.#isUnsure = false;
        this.#take(reply);
        pause = PAUSE_MS.first;
      } catch (error) {
        if (this.#isStopping) break;
        this.#complain(error);
        await this.#pause(pause);
        pause = Math.min(pause * 2, PAUSE_MS.longest);
      } finally {
        this.#reserved -= max;
      }
    }
  }

  // While an answer that may bring runs is under way, what it holds is not known.
  #knowsAll() {
    return this.#isUnsure && this.#claimsOfSettlements === 0 && this.#id !== undefined;
  }

  // One that `tellsAll` names every run it holds, and does not wait: the server hands back the others.
  #claim(max, tellsAll) {
    const held = () => [...this.#active.keys(), ...this.#outcomes.map(({ run }) => run.id)];
    return {
      ...(this.#id ? { worker_id: this.#id } : { worker: this.#options.name }),
      ...(tellsAll ? { holding: held() } : { wait: `${this.#options.wait}s` }),
      queues: this.#queues,
      max,
    };
  }

  async #pause(ms) {
    await sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => {});
  }

  // Everything a reply may bring: how often to be heard of, runs to stop, runs to do.
  #take(reply) {
    this.#heartbeatMs = milliseconds(reply.heartbeat) ?? this.#heartbeatMs;
    this.#leaseMs = milliseconds(reply.lease_ttl) ?? this.#leaseMs;
    for (const id of reply.cancel ?? []) this.#active.get(id)?.cancel();
    for (const run of reply.runs ?? []) this.#start(run);
  }

  // -- Runs

  async #start(run) {
    if (this.#isStopping) {
      this.#outcomes.push({ release: true, run });
      return this.#settle();
    }
    const active = new Active(run, (said) => this.#say(run, said));
    this.#active.set(run.id, active);
    let outcome;
    let event;
    try {
      outcome = success(await this.#handler(active.view));
      event = ['completed', active.view];
    } catch (error) {
      outcome = failure(active, error);
      event = ['failed', active.view, error];
    }
    if (this.#end(active, outcome)) this.#tell(...event);
    else this.#tell('stale', run);
  }

  #end(active, outcome) {
    const { run } = active;
    // It was given up, or came to this worker a second time: what the handler ends with is nobody's.
    if (this.#active.get(run.id) !== active) return false;
    // What it logged and was not sent yet comes first.
    const output = (this.#progress.get(run.id)?.output ?? '') + (outcome.output ?? '');
    this.#progress.delete(run.id);
    this.#active.delete(run.id);
    this.#outcomes.push({ run, outcome: { ...outcome, output } });
    this.#settle();
    return true;
  }

  // What a run says of itself goes with the next request: the newest figure, and all that it logged.
  #say(run, { output = '', ...said }) {
    const before = this.#progress.get(run.id);
    const entry = { ...before, ...said, run: run.id, token: run.token };
    if (output || before?.output) entry.output = (before?.output ?? '') + output;
    this.#progress.set(run.id, entry);
  }

  #interrupt(reason) {
    for (const active of this.#active.values()) active.abort(reason);
  }

  // Those whose handlers did not listen.
  #giveUp() {
    for (const active of [...this.#active.values()]) {
      this.#end(active, { outcome: 'lost', error: 'the worker stopped before the handler ended' });
      this.#tell('failed', active.view, active.view.signal.reason);
    }
  }

  // -- Settlements

  // One at a time; what ends meanwhile goes with the next.
  async #settle() {
    if (this.#isSettling) return;
    this.#isSettling = true;
    let pause = PAUSE_MS.first;
    // Those that end in this turn of the event loop go together.
    await new Promise(setImmediate);
    while (this.#outcomes.length > 0) {
      const batch = this.#outcomes.slice(0, this.#singly > 0 ? 1 : SETTLE_MAX);
      const max = this.#isStopping || this.#isUnsure ? 0 : Math.min(this.#free, CLAIM_MAX);
      const progress = this.#takeProgress();
      const claims = max > 0;
      this.#reserved += max;
      this.#claimsOfSettlements += claims ? 1 : 0;
      try {
        const reply = await this.#post('/api/workers/settle', this.#settlement(batch, progress, max), { claims });
        this.#outcomes.splice(0, batch.length);
        this.#singly = Math.max(0, this.#singly - 1);
        this.#tellStale(batch, reply);
        this.#reserved -= max;
        this.#take(reply);
        this.#claimsOfSettlements -= claims ? 1 : 0;
        pause = PAUSE_MS.first;
      } catch (error) {
        this.#reserved -= max;
        this.#claimsOfSettlements -= claims ? 1 : 0;
        this.#giveBack(progress);
        this.#complain(error);
        if (error.status === 422) this.#mend(batch, error);
        // Nobody will ever take these: the leases have run out.
        else if (!error.isTemporary) this.#outcomes.splice(0, batch.length);
        else await sleep(pause);
        pause = Math.min(pause * 2, PAUSE_MS.longest);
      }
    }
    this.#isSettling = false;
    this.#tellIdle();
  }

  // One of the batch is at fault, not all: they go one by one, and the one that is refused alone is told
  // as a failure.
  #mend(batch, error) {
    if (batch.length > 1) {
      this.#singly = batch.length;
    } else if (batch[0].outcome && !batch[0].isMended) {
      const outcome = { outcome: 'failed', error: `the outcome was refused: ${error.message}`.slice(0, 4000) };
      this.#outcomes[0] = { run: batch[0].run, outcome, isMended: true };
    } else {
      this.#outcomes.shift();
      this.#singly = Math.max(0, this.#singly - 1);
    }
  }

  #settlement(batch, progress, max) {
    const settled = batch.filter((entry) => !entry.release);
    return {
      worker_id: this.#id,
      outcomes: settled.map(({ run, outcome }) => ({ run: run.id, token: run.token, ...outcome })),
      release: batch.filter((entry) => entry.release).map(({ run }) => ({ run: run.id, token: run.token })),
      progress,
      ...(max > 0 ? { claim: { queues: this.#queues, max } } : {}),
    };
  }

  #takeProgress() {
    const entries = [...this.#progress.values()];
    this.#progress.clear();
    return entries;
  }

  // It did not arrive: it goes before what was said since.
  #giveBack(entries) {
    for (const entry of entries) {
      if (!this.#active.has(entry.run)) continue;
      const since = this.#progress.get(entry.run);
      const output = (entry.output ?? '') + (since?.output ?? '');
      this.#progress.set(entry.run, { ...entry, ...since, ...(output ? { output } : {}) });
    }
  }

  #tellStale(batch, reply) {
    const settled = batch.filter((entry) => !entry.release);
    reply.outcomes?.forEach((answer, i) => {
      if (answer !== 'ok') this.#tell('stale', settled[i].run);
    });
  }

  // -- Being heard of

  async #heartbeat() {
    const now = performance.now();
    if (now - this.#heardAt >= this.#leaseMs * LEASE_SHARE) this.#interrupt('the lease has run out');
    const isDue = now - this.#sentAt >= this.#heartbeatMs;
    if (!this.#id || this.#isSettling || !(this.#progress.size > 0 || (isDue && this.#active.size > 0))) return;
    const progress = this.#takeProgress();
    try {
      this.#take(await this.#post('/api/workers/settle', { worker_id: this.#id, progress }));
    } catch (error) {
      this.#giveBack(progress);
      this.#complain(error);
    }
  }

  async #post(path, body, { signal, claims = false } = {}) {
    let sentAt;
    const send = () => {
      sentAt = this.#sentAt = performance.now();
      return typeof body === 'function' ? body() : body;
    };
    const timeout = (this.#options.wait + 30) * 1000;
    const onLost = claims ? () => { this.#isUnsure = true; } : undefined;
    const { body: reply } = await this.#transport.call({ method: 'POST', path, body: send, signal, timeout, onLost });
    // A request renews the leases when it comes; one that waited for runs, when it finds them.
    this.#heardAt = Math.max(this.#heardAt, reply.runs?.length > 0 ? performance.now() : sentAt);
    return reply;
  }

  #complain(error) {
    if (error.code === 'not_found') this.#beginAnew();
    if (this.listenerCount('error') > 0) this.#tell('error', error);
  }

  #tell(event, ...facts) {
    try {
      this.emit(event, ...facts);
    } catch (cause) {
      const error = new ChronosError(`a listener of '${event}' threw: ${cause?.message ?? cause}`, { code: 'listener', cause });
      if (event === 'error' || this.listenerCount('error') === 0) process.emitWarning(error);
      else this.#tell('error', error);
    }
  }

  // The server does not know this worker any more: what it held is somebody else's now.
  #beginAnew() {
    this.#id = undefined;
    this.#interrupt('the lease has run out');
  }

  #settled() {
    return new Promise((resolve) => {
      this.#idle.push(resolve);
      this.#tellIdle();
    });
  }

  #tellIdle() {
    if (this.#active.size > 0 || this.#outcomes.length > 0 || this.#isSettling) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}

// A run under way, and how its handler sees it.
class Active {
  isCancelled = false; // else it was aborted for the worker's sake
  #abort = new AbortController();

  constructor(run, say) {
    this.run = run;
    this.view = Object.freeze({
      ...run,
      signal: this.#abort.signal,
      progress: (percent, message = '') => say({ percent, message }),
      log: (text) => say({ output: text.endsWith('\n') ? text : `${text}\n` }),
    });
  }

  abort(reason) {
    this.#abort.abort(new ChronosError(reason, { code: 'cancelled' }));
  }

  cancel() {
    this.isCancelled ||= !this.isAborted;
    this.abort('cancelled');
  }

  get isAborted() {
    return this.#abort.signal.aborted;
  }
}

function success(result) {
  if (result === undefined) return { outcome: 'succeeded' };
  return { outcome: 'succeeded', output: typeof result === 'string' ? result : JSON.stringify(result) };
}

// An error with `retryAfter` (seconds, or a duration such as "5m") says when to try again.
function failure(active, error) {
  const text = (error instanceof Error ? error.message : String(error)).slice(0, 4000);
  const after = error?.retryAfter;
  if (active.isCancelled) return { outcome: 'cancelled', error: text };
  // Stopped half-way, and it does not say what for.
  if (active.isAborted && after === undefined) return { outcome: 'lost', error: text };
  return {
    outcome: after === undefined ? 'failed' : 'retry_later',
    error: text,
    ...(after === undefined ? {} : { retry_after: typeof after === 'number' ? `${Math.round(after * 1000)}ms` : after }),
    ...(error instanceof Error ? { output: error.stack } : {}),
  };
}

// "15s", "1m30s", "666ms666us"; undefined for anything else.
function milliseconds(duration) {
  if (!/^(\d+(d|h|ms|us|m|s))+$/.test(duration ?? '')) return undefined;
  const units = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1, us: 0.001 };
  return [...duration.matchAll(/(\d+)(d|h|ms|us|m|s)/g)]
    .reduce((sum, [, number, unit]) => sum + Number(number) * units[unit], 0);
}
