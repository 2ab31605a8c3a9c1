// What a program asks of a server.
import { randomUUID } from 'node:crypto';

import { ChronosError } from './errors.js';
import { Transport } from './http.js';
import { Worker } from './worker.js';

export class Client {
  #transport;

  /**
   * @param {{url?: string, apiKey?: string}} [options]  else CHRONOS_URL and CHRONOS_API_KEY
   */
  constructor({ url = process.env.CHRONOS_URL ?? 'http://127.0.0.1:8086', apiKey = process.env.CHRONOS_API_KEY } = {}) {
    if (!apiKey) throw new ChronosError('no API key: give apiKey or set CHRONOS_API_KEY', { code: 'missing_key' });
    this.#transport = new Transport({ url, apiKey });
  }

  /**
   * Submits a job; its action is `worker` unless it says otherwise, its name the queue's. Safe to
   * repeat: an answer that was lost on the way does not make two jobs.
   * @returns the job
   */
  async submit(job, { idempotencyKey = randomUUID() } = {}) {
    const { body } = await this.#transport.call({
      method: 'POST',
      path: '/api/jobs',
      body: declared(job),
      headers: { 'Idempotency-Key': idempotencyKey },
    });
    return body;
  }

  /**
   * Submits up to 10,000 jobs in one request.
   * @returns for each, in order, the job or a ChronosError
   */
  async submitMany(jobs, { idempotencyKey = randomUUID() } = {}) {
    const { body } = await this.#transport.call({
      method: 'POST',
      path: '/api/jobs/batch',
      body: jobs.map(declared),
      headers: { 'Idempotency-Key': idempotencyKey },
    });
    return body.results.map(({ status, job, error }) =>
      job ??
      new ChronosError(error.detail || error.title, {
        status,
        code: error.code,
        errors: error.errors,
        hint: error.hint,
      }));
  }

  /** The job with this id. */
  getJob(id) {
    return this.#get(`/api/jobs/${encodeURIComponent(id)}`);
  }

  /** The run with this id, with its attempts. */
  getRun(id) {
    return this.#get(`/api/runs/${encodeURIComponent(id)}`);
  }

  /** The newest runs of a job. */
  async listRuns(jobId, { limit = 50 } = {}) {
    return (await this.#get(`/api/jobs/${encodeURIComponent(jobId)}/runs?limit=${limit}`)).runs;
  }

  /** Why it does not run, or ended so; of a job or a run. */
  why(id) {
    return this.#get(`/api/${id.startsWith('run_') ? 'runs' : 'jobs'}/${encodeURIComponent(id)}/why`);
  }

  /** Cancels a job; a running attempt is told to stop unless `keepRunning`. */
  async cancel(id, { keepRunning = false } = {}) {
    const { body } = await this.#transport.call({
      method: 'DELETE',
      path: `/api/jobs/${encodeURIComponent(id)}${keepRunning ? '?running=keep' : ''}`,
    });
    return body;
  }

  /**
   * Begins to work on the runs of a queue (or of several).
   * @param {string | string[]} queue
   * @param {(run: object) => unknown} handler  succeeds when it returns, fails when it throws
   * @param {object} [options]  see Worker
   */
  worker(queue, handler, options = {}) {
    return new Worker(this.#transport, Array.isArray(queue) ? queue : [queue], handler, options);
  }

  /** Closes idle connections. Workers are stopped by themselves, first. */
  close() {
    this.#transport.close();
  }

  async #get(path) {
    return (await this.#transport.call({ method: 'GET', path })).body;
  }
}

function declared(job) {
  return { name: job.queue ?? 'default', action: { kind: 'worker' }, ...job };
}
