// Requests to one server over connections that are kept alive.
import http from 'node:http';
import https from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';

import { ChronosError, errorOf } from './errors.js';

const TRIES = 5;
const PATIENCE_MS = 1_000; // with a server, or a proxy, that does not see that somebody hangs up

export class Transport {
  #base;
  #key;
  #agent;
  #library;

  constructor({ url, apiKey }) {
    this.#base = new URL(url);
    if (!['http:', 'https:'].includes(this.#base.protocol)) {
      throw new TypeError(`'${url}' is no http or https address`);
    }
    this.#key = apiKey;
    this.#library = this.#base.protocol === 'https:' ? https : http;
    this.#agent = new this.#library.Agent({ keepAlive: true });
  }

  close() {
    this.#agent.destroy();
  }

  /**
   * One try. Answers `{status, body, headers}` of any answer; rejects when there is none.
   * @param {{method: string, path: string, body?: unknown, headers?: object, signal?: AbortSignal,
   *          timeout?: number}} request  `timeout` in milliseconds; `signal` hangs up: an answer that is on
   *          its way still comes
   */
  once({ method, path, body, headers = {}, signal, timeout = 60_000 }) {
    const text = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const request = this.#library.request(
        {
          agent: this.#agent,
          hostname: this.#base.hostname.replace(/^\[|\]$/g, ''),
          port: this.#base.port,
          path: this.#base.pathname.replace(/\/$/, '') + path,
          method,
          headers: {
            Authorization: `Bearer ${this.#key}`,
            ...(text === undefined
              ? {}
              : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }),
            ...headers,
          },
        },
        (answer) => {
          const parts = [];
          answer.on('data', (part) => parts.push(part));
          answer.on('error', reject);
          answer.on('end', () =>
            resolve({
              status: answer.statusCode,
              headers: answer.headers,
              body: Buffer.concat(parts).toString('utf8'),
            }),
          );
        },
      );
      request.setTimeout(timeout, () => request.destroy(new Error(`no answer in ${timeout} ms`)));
      request.on('error', reject);
      hangUpWith(request, signal);
      request.end(text);
    });
  }

  /**
   * The parsed body of a success. Tries again, with growing pauses, when nobody answers or the server
   * asks to come again: for requests that may be repeated. `body` may be a function, called for each try;
   * `onLost` is told of each that was sent and had no answer.
   */
  async call({ onLost, ...request }) {
    for (let tries = 1; ; ++tries) {
      let problem;
      let pause = 50 * 2 ** tries * (0.5 + Math.random());
      try {
        const sent = typeof request.body === 'function' ? request.body() : request.body;
        const { status, headers, body } = await this.once({ ...request, body: sent });
        if (status < 300) return { status, headers, body: body ? JSON.parse(body) : undefined };
        problem = errorOf(status, body);
        const after = Number(headers['retry-after']);
        if (after > 0) pause = after * 1000;
      } catch (cause) {
        onLost?.();
        if (request.signal?.aborted) throw cause;
        problem = new ChronosError(`the server cannot be reached: ${cause.message}`, { cause });
      }
      if (!problem.isTemporary || tries === TRIES) throw problem;
      await sleep(pause, undefined, { signal: request.signal });
    }
  }
}

// Finishes what is sent, and reads on: what the server leased with an answer that is lost would be lost too.
function hangUpWith(request, signal) {
  if (!signal) return;
  let late;
  const hangUp = () => {
    if (!request.socket) return request.destroy(new Error('stopped'));
    request.socket.end();
    late = setTimeout(() => request.destroy(new Error('stopped')), PATIENCE_MS);
  };
  signal.addEventListener('abort', hangUp);
  request.on('close', () => {
    signal.removeEventListener('abort', hangUp);
    clearTimeout(late);
  });
  if (signal.aborted) hangUp();
}
