// What changes on the server, as it happens. All tabs share one stream (a browser gives a host few
// connections): the tab that holds the lock reads it and tells the others. Where there are no locks (plain
// HTTP to another machine) each tab has a stream of its own.
import { Watched } from "../app/watched";
import type { StreamEvent } from "./event_parser";
import { EventStream } from "./event_stream";
import { BASE, pathWith } from "./http";
import type { BulkProgress, RunState } from "./types";

interface Change {
  all?: boolean;
  jobs?: string[];
  runs?: { id: string; job: string | null; state: RunState | null }[];
  /** Runs whose ids are not told became ready. */
  queued?: boolean;
}

interface OutputGrown {
  run: string;
  attempt: number;
  size: number;
}

type LinkState = "connecting" | "live" | "lost";
export type LiveEvent =
  | { name: "change"; data: Change }
  | { name: "output"; data: OutputGrown }
  | { name: "bulk"; data: BulkProgress }
  | { name: "resync"; data: unknown }
  /** The stream begins here: `output` from before was not told. */
  | { name: "opened"; data: unknown };

type Said =
  | { kind: "event"; event: LiveEvent }
  | { kind: "link"; state: LinkState }
  | { kind: "hello" }
  | { kind: "wants"; tab: string; outputs: string[] };

const NAMES: ReadonlySet<string> = new Set(["change", "output", "bulk", "resync"]);
const OUTPUTS_MAX = 20; // the server's bound
const TAB = Math.random().toString(36).slice(2);

class Live {
  readonly link = new Watched<LinkState>("connecting");
  private listeners = new Set<(event: LiveEvent) => void>();
  private outputs = new Map<string, number>();
  private wantedByTab = new Map<string, string[]>();
  private stream: EventStream | null = null;
  private channel: BroadcastChannel | null = null;
  private release: () => void = () => {};
  private wasLost = false;

  constructor() {
    window.addEventListener("pagehide", () => this.say({ kind: "wants", tab: TAB, outputs: [] }));
  }

  /** Called at login; until `stop` there is a stream, here or in another tab. */
  start(): void {
    this.channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(`chronos${BASE}`);
    if (this.channel) this.channel.onmessage = (message: MessageEvent<Said>) => this.hear(message.data);
    if (!this.channel || !navigator.locks) {
      this.lead();
      return;
    }
    this.say({ kind: "hello" });
    const stopped = new AbortController();
    const until = new Promise<void>((resolve) => {
      this.release = () => { stopped.abort(); resolve(); };
    });
    navigator.locks.request(`chronos${BASE}`, { signal: stopped.signal }, () => {
      this.lead();
      return until;
    }).catch(() => {});
  }

  stop(): void {
    this.release();
    this.stream?.close();
    this.stream = null;
    this.channel?.close();
    this.channel = null;
    this.link.set("connecting");
  }

  listen(listener: (event: LiveEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** While it is watched, `output` events of this run come in. */
  watchOutput(run: string): () => void {
    this.outputs.set(run, (this.outputs.get(run) ?? 0) + 1);
    this.wantsChanged();
    return () => {
      const left = (this.outputs.get(run) ?? 1) - 1;
      if (left > 0) this.outputs.set(run, left);
      else this.outputs.delete(run);
      this.wantsChanged();
    };
  }

  private lead(): void {
    this.wasLost = this.link.value !== "connecting"; // who led before may not have told all
    this.stream = new EventStream(() => this.path(), {
      opened: () => {
        this.linkIs("live");
        this.deliver({ name: "opened", data: {} });
        if (this.wasLost) this.deliver({ name: "resync", data: {} });
        this.wasLost = false;
      },
      event: (event) => this.receive(event),
      lost: () => {
        this.wasLost = true;
        this.linkIs("lost");
      },
    });
  }

  private path(): string {
    const wanted = new Set([...this.outputs.keys(), ...[...this.wantedByTab.values()].flat()]);
    return pathWith("/api/events", { output: [...wanted].slice(-OUTPUTS_MAX).sort().join(",") });
  }

  private receive({ name, data }: StreamEvent): void {
    if (!NAMES.has(name)) return;
    this.deliver({ name, data: JSON.parse(data) } as LiveEvent);
  }

  private deliver(event: LiveEvent): void {
    this.say({ kind: "event", event });
    for (const listener of [...this.listeners]) listener(event);
  }

  private linkIs(state: LinkState): void {
    this.link.set(state);
    this.say({ kind: "link", state });
  }

  private wantsChanged(): void {
    if (this.stream) this.stream.reopen();
    else this.say({ kind: "wants", tab: TAB, outputs: [...this.outputs.keys()] });
  }

  private say(said: Said): void {
    this.channel?.postMessage(said);
  }

  private hear(said: Said): void {
    if (said.kind === "event") {
      for (const listener of [...this.listeners]) listener(said.event);
      if (said.event.name === "opened" && this.outputs.size > 0) this.wantsChanged(); // it may be another tab's now
    }
    else if (said.kind === "link") this.link.set(said.state);
    else if (said.kind === "hello" && this.stream) this.say({ kind: "link", state: this.link.value });
    else if (said.kind === "wants" && this.stream) {
      const before = this.path();
      this.wantedByTab.set(said.tab, said.outputs);
      if (this.path() !== before) this.stream.reopen();
    }
  }
}

export const live = new Live();
