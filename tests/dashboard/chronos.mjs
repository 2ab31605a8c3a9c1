// A real server in a folder of its own, and its API as an administrator has it.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const BINARY = process.env.CHRONOS_BINARY ?? "build/release/chronos";
const READY_MS = 60_000;
const STOP_MS = 20_000;

export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Asks until the answer is not null; fails when it takes too long. */
export async function until(what, ask, limit = READY_MS) {
  const end = Date.now() + limit;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`this did not happen within ${limit} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export class Chronos {
  /** `demo` is with a made-up month in it; `data` is a folder that stays. */
  static async start({ path = "", args = [], demo = false, data = undefined } = {}) {
    const server = new Chronos();
    server.folder = mkdtempSync(join(tmpdir(), "chronos-dashboard-"));
    server.data = data ?? join(server.folder, "data");
    server.port = await freePort();
    server.host = `http://127.0.0.1:${server.port}`;
    server.url = server.host + path;
    server.args = args;
    try {
      if (demo) server.makeDemo();
      await server.launch();
      server.key = readFileSync(join(server.data, "admin.key"), "utf8").trim();
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  makeDemo() {
    const made = spawnSync(BINARY, ["demo", this.data], { encoding: "utf8" });
    if (made.status !== 0) throw new Error(`chronos demo: ${made.stderr}`);
  }

  async launch() {
    this.said = "";
    const args = ["serve", "--allow-commands", "--data-dir", this.data, "--listen", `127.0.0.1:${this.port}`, ...this.args];
    this.process = spawn(BINARY, args, { stdio: ["ignore", "pipe", "pipe"] });
    this.process.once("error", (error) => (this.said += error.message)); // it could not be started
    for (const stream of [this.process.stdout, this.process.stderr]) stream.on("data", (piece) => (this.said += piece));
    await until("the server is ready", async () => {
      if (this.hasEnded()) throw new Error(`the server ended: ${this.said}`);
      return fetch(`${this.host}/readyz`).then((answer) => answer.ok, () => false);
    });
  }

  hasEnded() {
    return (this.process.exitCode ?? this.process.signalCode) !== null;
  }

  async halt() {
    if (!this.process || this.hasEnded()) return;
    const ended = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.kill("SIGTERM");
    const timer = setTimeout(() => this.process.kill("SIGKILL"), STOP_MS);
    await ended;
    clearTimeout(timer);
  }

  async stop() {
    await this.halt();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async call(method, path, body) {
    const headers = { Authorization: `Bearer ${this.key}` };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const answer = await fetch(this.host + path, { method, headers, body: body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  }

  submit(job) {
    return this.call("POST", "/api/submitJob", job);
  }

  /** The job's newest run, once it is in one of these states. */
  run(job, ...states) {
    return until(`a run of ${job.name} is ${states.join(" or ")}`, async () => {
      const { runs } = await this.call("GET", `/api/jobs/${job.id}/runs?limit=1`);
      return runs[0] && states.includes(runs[0].state) ? runs[0] : null;
    });
  }

  /** A job that runs a shell command once, now. */
  shell(name, script, more = {}) {
    return this.submit({ name, action: { kind: "command", argv: ["/bin/sh", "-c", script] }, max_attempts: 1, ...more });
  }
}
