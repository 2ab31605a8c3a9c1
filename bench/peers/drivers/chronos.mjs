// Chronos over HTTP, from Node like the peers' own clients: keep-alive connections, on which what is asked in
// one turn of the event loop leaves in one write; of a cluster (options.ports) to one node after the other.
// Jobs of T1 and T2 are http actions, of which a start is the arrival of the call at a server of this process,
// so the way there counts; or, with options.action "worker" and in L1, L2 and T3, runs that a worker pulls.
import net from "node:net";
import { fail } from "../workloads.mjs";

const CALLERS = 4;
const PIPES = 4; // 16 requests of one connection may be under way
const LOOPS = 4;
const BATCH = 1000;
const NDJSON = "application/x-ndjson";

export const about = {
  title: "Chronos",
  rows: ["S1", "L1", "T1", "T2", "T3"],
  packages: [],
  settings: {
    S1: `POST /api/submitJob of a job for a worker, for now; ${PIPES} keep-alive connections, pipelined`,
    L1:
      `POST /api/jobs/batch of 1000 by 4 callers; a worker process with ${LOOPS} loops, each claims ${BATCH} runs, ` +
      "and settles them and claims the next in one request",
    T1: "POST /api/jobs/batch of 1000; http actions to a server of the driver's process",
    T2: "as T1",
    T3: `POST /api/submitJob; a worker with ${LOOPS} claims that wait`,
  },
  documented: "docs/configuration.md: all defaults; docs/workers.md",
};

// The end of the first whole message in `data` from `from`, or -1.
function messageEnd(data, from) {
  const head = data.indexOf("\r\n\r\n", from);
  if (head < 0) return -1;
  const length = /\r\ncontent-length: *(\d+)/i.exec(data.toString("latin1", from, head + 2));
  const end = head + 4 + (length ? Number(length[1]) : 0);
  return data.length < end ? -1 : end;
}

function onMessages(socket, each) {
  let kept = Buffer.alloc(0);
  socket.on("data", (data) => {
    kept = kept.length === 0 ? data : Buffer.concat([kept, data]);
    let from = 0;
    for (let end; (end = messageEnd(kept, from)) >= 0; from = end) each(kept.subarray(from, end));
    kept = kept.subarray(from);
  });
}

class Connection {
  #waiting = [];
  #unsent = "";

  // The number'th of its kind.
  constructor({ port, ports = [port], key }, number) {
    this.key = key;
    port = ports.at(number % ports.length);
    this.socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
    onMessages(this.socket, (message) => this.#waiting.shift()(message));
  }

  async post(path, body, type = "application/json") {
    if (this.#unsent === "") process.nextTick(() => this.#send());
    this.#unsent +=
      `POST ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${this.key}\r\n` +
      `Content-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
    const message = await new Promise((resolve) => this.#waiting.push(resolve));
    const status = message.toString("latin1", 9, 12);
    if (status[0] !== "2") throw new Error(`POST ${path}: ${status} ${bodyOf(message)}`);
    return message;
  }

  // After all that the answers of one read have set going.
  #send() {
    this.socket.write(this.#unsent);
    this.#unsent = "";
  }
}

const bodyOf = (message) => message.toString("utf8", message.indexOf("\r\n\r\n") + 4);

// Answers every call at once; tells `onCall` the path.
function listen(onCall) {
  const server = net.createServer({ noDelay: true }, (socket) => {
    onMessages(socket, (message) => {
      onCall(message.toString("latin1", 5, message.indexOf(" ", 5)));
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    socket.on("error", () => {}); // the server goes away at the end
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server.address().port)));
}

const PULLED = { kind: "worker" };

// A worker of its own: claims up to `max` runs, and settles them and claims the next in one request. The
// claim after a batch does not wait, so that its outcomes are acknowledged at once; the one after nothing
// waits in the server.
async function takeRuns(connection, max, onStart, onDone) {
  const ask = async (path, body) => JSON.parse(bodyOf(await connection.post(path, JSON.stringify(body))));
  let { worker_id, runs } = await ask("/api/workers/claim", { worker: "bench", queues: ["default"], max });
  for (;;) {
    while (runs.length > 0) {
      for (const run of runs) onStart(run.payload);
      const outcomes = runs.map(({ id, token }) => ({ run: id, token, outcome: "succeeded" }));
      const answer = await ask("/api/workers/settle", { worker_id, outcomes, claim: { max, wait: "0s" } });
      const refused = answer.outcomes.find((word) => word !== "ok");
      if (refused) throw new Error(`an outcome is ${refused}`);
      onDone?.(outcomes.length);
      runs = answer.runs;
    }
    ({ runs } = await ask("/api/workers/claim", { worker_id, max, wait: "30s" }));
  }
}

export async function open(options) {
  const { workload, action } = options;
  const pulled = action === "worker" || ["S1", "L1", "L1-worker", "T3"].includes(workload);
  const count = workload === "S1" ? PIPES : CALLERS;
  const connections = Array.from({ length: count }, (_, i) => new Connection(options, i));
  let next = 0;
  const free = [...connections];
  let url;

  const job = (payload, at) => ({
    name: "bench",
    action: pulled ? PULLED : { kind: "http", url: url + payload.id },
    ...(at === undefined ? {} : { scheduled_time: at }),
    payload,
  });

  async function submitAll(jobs) {
    const connection = free.pop();
    const answer = await connection.post("/api/jobs/batch", jobs.map((one) => JSON.stringify(one)).join("\n"), NDJSON);
    free.push(connection);
    const { failed, results } = JSON.parse(bodyOf(answer));
    if (failed !== 0) throw new Error(JSON.stringify(results.find((result) => result.error) ?? results[0]));
  }

  return {
    async submit(payload) {
      await connections[next++ % count].post("/api/submitJob", JSON.stringify(job(payload)));
    },
    submitMany: (payloads) => submitAll(payloads.map((payload) => job(payload))),
    async submitAt(jobs) {
      for (let first = 0; first < jobs.length; first += 1000)
        await submitAll(
          jobs.slice(first, first + 1000).map(({ payload, at }) => job(payload, new Date(at).toISOString())),
        );
    },
    async work(onStart, onDone) {
      if (!pulled) {
        url = `http://127.0.0.1:${await listen((path) => onStart({ id: Number(path.slice(1)) }))}/`;
        return;
      }
      // The other way round than those that submit: no node is left out, were there five for four of each.
      for (let i = 1; i <= LOOPS; ++i) takeRuns(new Connection(options, -i), BATCH, onStart, onDone).catch(fail);
    },
    async close() {
      for (const connection of connections) connection.socket.destroy();
    },
  };
}
