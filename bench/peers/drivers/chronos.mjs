// Chronos over HTTP, from Node like the peers' own clients: keep-alive connections, one request at a time
// on each. Jobs of T1 and T2 are http actions; a start is the arrival of the call at a server of this
// process, so the way there counts.
import net from "node:net";

export const about = {
  title: "Chronos",
  rows: ["S1", "T1", "T2"],
  cannot: { L1: "not yet: no worker protocol", T3: "not yet: no worker protocol" },
  packages: [],
  settings: {
    S1: "64 keep-alive connections, POST /api/submitJob, one at a time on each",
    T1: "POST /api/jobs/batch of 1000; http actions to a server of the driver's process",
    T2: "as T1",
  },
  documented: "docs/configuration.md: all defaults",
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
  #waiting;

  constructor({ port, key }) {
    this.key = key;
    this.socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
    onMessages(this.socket, (message) => this.#waiting(message));
  }

  async post(path, body, type = "application/json") {
    this.socket.write(
      `POST ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${this.key}\r\n` +
        `Content-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
    const message = await new Promise((resolve) => (this.#waiting = resolve));
    if (message[9] !== 0x32) throw new Error(`POST ${path}: ${message.toString("utf8")}`); // not 2xx
    return message;
  }
}

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

const FAR = "2199-01-01T00:00:00Z";
const NOWHERE = { kind: "http", url: "http://127.0.0.1:9/" };

export async function open(options) {
  const { workload, clients = 4 } = options;
  const connections = Array.from({ length: workload === "S1" ? clients : 1 }, () => new Connection(options));
  const free = [...connections];
  let url;
  return {
    async submit(payload) {
      const connection = free.pop();
      const job = { name: "bench", action: NOWHERE, scheduled_time: FAR, payload };
      await connection.post("/api/submitJob", JSON.stringify(job));
      free.push(connection);
    },
    async submitAt(jobs) {
      for (let first = 0; first < jobs.length; first += 1000) {
        const lines = jobs.slice(first, first + 1000).map(({ payload, at }) =>
          JSON.stringify({
            name: "bench",
            action: { kind: "http", url: url + payload.id },
            scheduled_time: new Date(at).toISOString(),
            payload,
          }),
        );
        const answer = await connections[0].post("/api/jobs/batch", lines.join("\n"), "application/x-ndjson");
        const { failed, results } = JSON.parse(answer.toString("utf8", answer.indexOf("\r\n\r\n") + 4));
        if (failed !== 0) throw new Error(JSON.stringify(results.find((result) => result.error) ?? results[0]));
      }
    },
    async work(onStart) {
      url = `http://127.0.0.1:${await listen((path) => onStart({ id: Number(path.slice(1)) }))}/`;
    },
    async close() {
      for (const connection of connections) connection.socket.destroy();
    },
  };
}
