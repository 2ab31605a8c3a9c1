// Requests to one server over connections that are kept alive.
import http from 'node:http';
import https from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';

import { ChronosError, errorOf } from './errors.js';

const TRIES = 5;

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
   *          timeout?: number}} request  `timeout` in milliseconds
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
          signal,
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
