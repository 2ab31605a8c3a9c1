// A value that components look at: whoever changes it calls `set`, whoever uses `useWatched` is drawn anew.
import { useEffect, useReducer } from "preact/hooks";

export class Watched<T> {
  private listeners = new Set<(value: T) => void>();

  constructor(private current: T) {}

  get value(): T {
    return this.current;
  }

  set(value: T): void {
    if (Object.is(value, this.current)) return;
    this.current = value;
    for (const listener of [...this.listeners]) listener(value);
  }

  watch(listener: (value: T) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

export function useWatched<T>(watched: Watched<T>): T {
  const [, redraw] = useReducer<number, void>((count) => count + 1, 0);
  const drawn = watched.value;
  useEffect(() => {
    if (watched.value !== drawn) redraw(); // it changed between drawing and listening
    return watched.watch(() => redraw());
  }, [watched]);
  return drawn;
}
