// The server's time as seen from here, told once a second to whoever shows a time that goes on, so that
// "3 s ago" does without reading anything again. A page that nobody looks at is told nothing.
import { useEffect, useReducer, useState } from "preact/hooks";

class Clock {
  private offset = 0;
  private listeners = new Set<() => void>();
  private timer = 0;

  /** Takes over the server's clock; small differences are the way there. */
  agreeWith(serverNow: string): void {
    const offset = Date.parse(serverNow) - Date.now();
    if (Number.isFinite(offset)) this.offset = Math.abs(offset) < 2000 ? 0 : offset;
  }

  now(): number {
    return Date.now() + this.offset;
  }

  eachSecond(listener: () => void): () => void {
    this.listeners.add(listener);
    if (this.timer === 0) this.timer = window.setInterval(() => this.tick(), 1000);
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size > 0) return;
      window.clearInterval(this.timer);
      this.timer = 0;
    };
  }

  private tick(): void {
    if (document.hidden) return;
    for (const listener of [...this.listeners]) listener();
  }
}

export const clock = new Clock();

/** Now; draws the component again each second while what it shows goes on. */
export function useNow(goesOn = true): number {
  const [, redraw] = useReducer<number, void>((count) => count + 1, 0);
  useEffect(() => (goesOn ? clock.eachSecond(() => redraw()) : undefined), [goesOn]);
  return clock.now();
}

const MINUTE_MS = 60_000;
const minuteNow = () => Math.floor(clock.now() / MINUTE_MS) * MINUTE_MS;

/** When this minute began; draws the component again when another does. */
export function useMinute(): number {
  const [minute, setMinute] = useState(minuteNow);
  useEffect(() => clock.eachSecond(() => setMinute(minuteNow())), []);
  return minute;
}
