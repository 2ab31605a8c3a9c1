// Server-sent events read with fetch: unlike EventSource it can say `Last-Event-ID` after a reload of its
// address, and it tells a 401 from a lost line.
import { EventParser, type StreamEvent } from "./event_parser";
import { Problem, fetchRaw } from "./http";

interface StreamListener {
  opened(): void;
  event(event: StreamEvent): void;
  lost(): void;
}

const SILENCE_MS = 40_000; // the server sends a comment every 15 s
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;

/** Keeps one stream open until it is closed, whatever happens on the way. */
export class EventStream {
  private lastId = "";
  private wait = FIRST_WAIT_MS;
  private timer = 0;
  private ended = false;
  private connection = new AbortController();

  constructor(private readonly path: () => string, private readonly listener: StreamListener) {
    void this.connect();
  }

  /** Opens it again at once, at the address that is right now. */
  reopen(): void {
    this.connection.abort();
    window.clearTimeout(this.timer);
    if (!this.ended) void this.connect();
  }

  close(): void {
    this.ended = true;
    this.connection.abort();
    window.clearTimeout(this.timer);
  }

  private async connect(): Promise<void> {
    const connection = new AbortController();
    this.connection = connection;
    try {
      await this.readFrom(connection);
    } catch (error) {
      if (error instanceof Problem && error.status === 401) return;
    }
    if (this.ended || connection.signal.aborted && this.connection !== connection) return;
    this.listener.lost();
    this.timer = window.setTimeout(() => void this.connect(), this.wait * (0.75 + Math.random() / 2));
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MS);
  }

  private async readFrom(connection: AbortController): Promise<void> {
    const response = await fetchRaw("GET", this.path(), { signal: connection.signal, lastEventId: this.lastId, accept: "text/event-stream" });
    if (!response.body) return;
    this.wait = FIRST_WAIT_MS;
    this.listener.opened();
    const parser = new EventParser();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let watchdog = 0;
    try {
      for (;;) {
        watchdog = window.setTimeout(() => connection.abort(), SILENCE_MS);
        const { done, value } = await reader.read();
        window.clearTimeout(watchdog);
        if (done) return;
        for (const event of parser.feed(value)) this.listener.event(event);
        if (parser.id !== "") this.lastId = parser.id;
      }
    } finally {
      window.clearTimeout(watchdog);
    }
  }
}
