// beanstalkd over its own protocol. It has no batches; commands of one batch are written together
// (pipelined), which its protocol allows. A delay is a whole number of seconds from the put.
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { wallNow } from "../workloads.mjs";

export const about = {
  title: "beanstalkd",
  rows: ["S1", "L1", "T2", "T3"],
  cannot: { T1: "cannot: a delay is whole seconds from the put" },
  packages: [],
  settings: {
    S1: "64 connections, one put at a time on each",
    L1: "puts pipelined 1000 a write by 4 callers; 4 connections that reserve and delete 64 a write",
    T2:
      "each job is put two seconds before it is to begin, with a delay of two seconds, and due that long after its " +
      "put was sent",
    T3: "4 connections wait in reserve",
  },
  documented: "doc/protocol.txt: put, reserve, delete; beanstalkd(1): -b, -f",
};

const TTR = 60;
const DELAY = 2;

class Connection {
  #waiting = [];
  #in = Buffer.alloc(0);

  constructor(port) {
    this.socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
    this.socket.on("data", (data) => this.#take(data));
  }

  // The replies to `text`, which holds as many commands as `onReplies` has entries.
  send(text, onReplies) {
    for (const onReply of onReplies) this.#waiting.push(onReply);
    this.socket.write(text);
  }

  ask(text) {
    return new Promise((resolve) => this.send(text, [resolve]));
  }

  #take(data) {
    this.#in = this.#in.length === 0 ? data : Buffer.concat([this.#in, data]);
    let from = 0;
    for (;;) {
      const end = this.#in.indexOf("\r\n", from);
      if (end < 0) break;
      const words = this.#in.toString("latin1", from, end).split(" ");
      let body;
      let next = end + 2;
      if (words[0] === "RESERVED") {
        const length = Number(words[2]);
        if (this.#in.length < next + length + 2) break;
        body = this.#in.toString("utf8", next, next + length);
        next += length + 2;
      }
      from = next;
      this.#waiting.shift()({ word: words[0], id: words[1], body });
    }
    this.#in = this.#in.subarray(from);
  }
}

const put = (payload, delay) => {
  const body = JSON.stringify(payload);
  return `put 1024 ${delay} ${TTR} ${Buffer.byteLength(body)}\r\n${body}\r\n`;
};

const inserted = ({ word }) => {
  if (word !== "INSERTED") throw new Error(`put: ${word}`);
};

// Reserves up to `batch` jobs in one write, the first as soon as there is one, and deletes them in one.
function takeJobs(connection, batch, onStart, onDone) {
  const taken = [];
  let answers = 0;
  const onReserved = ({ word, id, body }) => {
    if (word === "RESERVED") {
      onStart(JSON.parse(body));
      taken.push(id);
    } else if (word !== "TIMED_OUT") {
      throw new Error(`reserve: ${word}`);
    }
    if (++answers < batch) return;
    let left = taken.length;
    const onDeleted = ({ word: answer }) => {
      if (answer !== "DELETED") throw new Error(`delete: ${answer}`);
      if (--left > 0) return;
      onDone?.(taken.length);
      takeJobs(connection, batch, onStart, onDone);
    };
    connection.send(taken.map((job) => `delete ${job}\r\n`).join(""), taken.map(() => onDeleted));
  };
  connection.send(
    "reserve\r\n" + "reserve-with-timeout 0\r\n".repeat(batch - 1),
    Array.from({ length: batch }, () => onReserved),
  );
}

function putAll(connection, jobs) {
  return new Promise((resolve) => {
    let left = jobs.length;
    const onReply = (reply) => {
      inserted(reply);
      if (--left === 0) resolve();
    };
    connection.send(jobs.map(({ payload, delay }) => put(payload, delay)).join(""), jobs.map(() => onReply));
  });
}

export async function open({ port, workload, clients = 4 }) {
  const count = { S1: clients, T2: 64 }[workload] ?? 4;
  const connections = Array.from({ length: count }, () => new Connection(port));
  const free = [...connections];
  return {
    async submit(payload) {
      const connection = free.pop();
      inserted(await connection.ask(put(payload, 0)));
      free.push(connection);
    },
    async submitMany(payloads) {
      const connection = free.pop();
      await putAll(connection, payloads.map((payload) => ({ payload, delay: 0 })));
      free.push(connection);
    },
    // Each is put DELAY seconds before it is to begin, and is due that long after its put was sent.
    async submitAt(jobs) {
      const due = jobs.map(({ at }) => at);
      (async () => {
        for (let next = 0; next < jobs.length; ) {
          const now = wallNow();
          for (; next < jobs.length && jobs[next].at - DELAY * 1000 <= now && free.length > 0; ++next) {
            const connection = free.pop();
            due[next] = wallNow() + DELAY * 1000;
            connection.ask(put(jobs[next].payload, DELAY)).then((reply) => {
              inserted(reply);
              free.push(connection);
            });
          }
          await sleep(1);
        }
      })();
      return due;
    },
    async work(onStart, onDone) {
      const batch = workload === "T3" ? 1 : 64;
      for (let i = 0; i < 4; ++i) takeJobs(new Connection(port), batch, onStart, onDone);
    },
    async close() {
      for (const connection of connections) connection.socket.destroy();
    },
  };
}
