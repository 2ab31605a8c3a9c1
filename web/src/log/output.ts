// The output of one attempt as lines: read once, and from where it ended when the server says that it grew.
import { fetchRaw, pathWith, Problem, timely } from "../api/http";
import { live } from "../api/live";

export interface Output {
  lines: readonly string[];
  /** Grows with each piece, so that who looks notices. */
  revision: number;
  dropped: number;
  loaded: boolean;
  problem: Problem | null;
}

const POLL_MS = 2_000;

export class OutputFeed {
  private lines: string[] = [];
  private open = ""; // the last line, when it has not ended yet
  private offset = 0;
  private revision = 0;
  private dropped = 0;
  private loaded = false;
  private readonly decoder = new TextDecoder(); // a piece may end within a character
  private busy = false;
  private again = false;
  private timer = 0;
  private readonly release: (() => void)[] = [];
  private readonly stopped = new AbortController();

  constructor(
    private readonly run: string,
    private readonly attempt: number | undefined,
    private readonly growing: boolean,
    private readonly tell: (output: Output) => void,
  ) {
    void this.read();
    if (!growing) return;
    this.release.push(live.watchOutput(run), live.listen((event) => {
      const grown = event.name === "output" && event.data.run === run && (attempt === undefined || event.data.attempt === attempt);
      if (grown || event.name === "resync" || event.name === "opened") void this.read();
    }));
    this.timer = window.setInterval(() => { if (live.link.value !== "live") void this.read(); }, POLL_MS);
  }

  close(): void {
    this.stopped.abort();
    window.clearInterval(this.timer);
    for (const release of this.release) release();
  }

  private async read(): Promise<void> {
    if (this.busy) {
      this.again = true;
      return;
    }
    this.busy = true;
    let problem: Problem | null = null;
    try {
      const path = pathWith(`/api/runs/${this.run}/output`, { attempt: this.attempt, offset: this.offset > 0 ? this.offset : undefined });
      const response = await timely(this.stopped.signal, (signal) => fetchRaw("GET", path, { signal, accept: "text/plain" })); // much text may take longer
      await this.take(response);
      if (this.stopped.signal.aborted) return;
    } catch (error) {
      if (this.stopped.signal.aborted) return;
      problem = error as Problem;
      if (problem.status === 404) problem = null; // nothing was written yet
    } finally {
      this.busy = false;
    }
    this.loaded = true;
    this.publish(problem);
    if (this.again) {
      this.again = false;
      void this.read();
    }
  }

  private async take(response: Response): Promise<void> {
    this.dropped = Number(response.headers.get("Chronos-Output-Dropped") ?? 0);
    const bytes = new Uint8Array(await response.arrayBuffer());
    const next = Number(response.headers.get("Chronos-Output-Next") ?? NaN);
    this.offset = Number.isFinite(next) ? next : this.offset + bytes.length;
    if (bytes.length === 0) return;
    const parts = (this.open + this.decoder.decode(bytes, { stream: this.growing })).split("\n");
    this.open = parts.pop() ?? "";
    for (const part of parts) this.lines.push(part);
  }

  private publish(problem: Problem | null): void {
    this.revision += 1;
    const lines = this.open === "" ? this.lines : [...this.lines, this.open];
    this.tell({ lines, revision: this.revision, dropped: this.dropped, loaded: this.loaded, problem });
  }
}
