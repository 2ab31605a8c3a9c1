// The text of an event stream (HTML standard, server-sent events), cut into events.

export interface StreamEvent {
  name: string;
  data: string;
}

/** Cuts a text that arrives in pieces into events. */
export class EventParser {
  private rest = "";
  /** The newest id, of an event or of a place to come back to. */
  id = "";
  private name = "";
  private data: string[] = [];

  *feed(piece: string): Generator<StreamEvent> {
    this.rest += piece;
    for (let end = this.rest.indexOf("\n"); end >= 0; end = this.rest.indexOf("\n")) {
      const line = this.rest.slice(0, end).replace(/\r$/, "");
      this.rest = this.rest.slice(end + 1);
      if (line !== "") this.take(line);
      else if (this.data.length > 0) yield this.finish();
    }
  }

  private take(line: string): void {
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.name = value;
    else if (field === "data") this.data.push(value);
    else if (field === "id") this.id = value;
  }

  private finish(): StreamEvent {
    const event = { name: this.name === "" ? "message" : this.name, data: this.data.join("\n") };
    this.name = "";
    this.data = [];
    return event;
  }
}
