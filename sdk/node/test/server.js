// A real server, the binary of CHRONOS_BINARY, on a free port with leases of two seconds; and worker
// processes of their own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';

import { Client } from '../index.js';

const here = path.dirname(fileURLToPath(import.meta.url));
const binary = path.resolve(here, '../../..', process.env.CHRONOS_BINARY ?? 'build/release/chronos');

export class Server {
  static async start() {
    const server = new Server();
    server.folder = mkdtempSync(path.join(os.tmpdir(), 'chronos-sdk-'));
    await server.run('127.0.0.1:0');
    server.key = readFileSync(path.join(server.folder, 'data', 'admin.key'), 'utf8').trim();
    return server;
  }

  async run(listen) {
    this.process = spawn(binary, ['serve', '--data-dir', path.join(this.folder, 'data'), '--listen', listen],
      { stdio: ['ignore', 'pipe', 'ignore'], env: { PATH: process.env.PATH, CHRONOS_WORKERS_LEASE_TTL: '2s' } });
    let text = '';
    for await (const part of this.process.stdout) {
      text += part;
      const found = /listening on (http:\/\/[^\s]+)/.exec(text);
      if (found) {
        this.url = found[1];
        break;
      }
    }
    if (!this.url) throw new Error('the server did not start');
  }

  client(url = this.url) {
    return new Client({ url, apiKey: this.key });
  }

  /** A way to the server on which answers get lost: those for which `loses(text)` is true end it instead. */
  async lossyWay(loses) {
    const way = net.createServer((near) => {
      const far = net.connect(new URL(this.url).port, '127.0.0.1');
      near.pipe(far);
      far.on('data', (part) => (loses(part.toString()) ? near.destroy() : near.write(part)));
      for (const [one, other] of [[near, far], [far, near]]) {
        one.on('close', () => other.destroy());
        one.on('error', () => other.destroy());
      }
    });
    way.listen(0, '127.0.0.1');
    await once(way, 'listening');
    return { url: `http://127.0.0.1:${way.address().port}`, close: () => way.close() };
  }

  /** A worker process of its own; `log` gathers its lines. */
  worker(queue, mode, concurrency = 5) {
    const child = spawn(process.execPath, [path.join(here, 'worker_process.js'), queue, mode, String(concurrency)],
      { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, CHRONOS_URL: this.url, CHRONOS_API_KEY: this.key } });
    child.log = '';
    child.stdout.on('data', (part) => { child.log += part; });
    return child;
  }

  async kill() {
    this.process.kill('SIGKILL');
    await once(this.process, 'exit');
  }

  /** Again, on the same port. */
  async restart() {
    await this.kill();
    await this.run(new URL(this.url).host);
  }

  async close() {
    if (this.process.exitCode === null && this.process.signalCode === null) await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The first true value of `condition()`, which may be a promise. */
export async function until(condition, what, seconds = 20) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await sleep(20);
  }
}
