// What a screen shows of the server: read once, kept while it is read again (nothing flashes), and read
// again when the stream says that it changed, at most as often as the server bears.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { clock } from "../app/clock";
import { type Problem, read, whenChangedHere } from "./http";
import { live, type LiveEvent } from "./live";
import { readOn } from "./pages";

interface Resource<T> {
  data: T | undefined;
  problem: Problem | undefined;
  /** A read is under way and `data` is of another address (the next page, another filter). */
  stale: boolean;
  /** `data` is not all of it yet. */
  partial: boolean;
  reload: () => void;
}

/** Which events make a reading old. */
type Concerns = (event: LiveEvent) => boolean;

export const anyChange: Concerns = (event) => event.name === "change";
/** Also what nobody tells: a node or worker that is gone says nothing, so it is looked at again and again. */
export const changeOrSilence: Concerns = (event) => anyChange(event);
export const never: Concerns = () => false;
export const jobChange = (job: string): Concerns => (event) =>
  event.name === "change" &&
  (event.data.all === true || event.data.queued === true || (event.data.jobs ?? []).includes(job) || (event.data.runs ?? []).some((run) => run.job === job));
export const runChange = (run: string, job: string | undefined): Concerns => (event) =>
  event.name === "change" &&
  (event.data.all === true || event.data.queued === true || (event.data.jobs ?? []).includes(job ?? "") ||
    (event.data.runs ?? []).some(({ id }) => id === run));

const SHORTEST_WAIT_MS = 400;
const COST_FACTOR = 6; // a reading that takes 200 ms is repeated at most every 1.2 s
const KEPT_MAX = 60;
const LONGEST_TIMER_MS = 2 ** 31 - 1; // browsers run longer ones at once
const WITHOUT_STREAM_MS = 5_000; // between readings of what the stream does not tell

const kept = new Map<string, unknown>();

function keep(path: string, data: unknown): void {
  kept.delete(path);
  kept.set(path, data);
  const oldest = kept.keys().next();
  if (kept.size > KEPT_MAX && !oldest.done) kept.delete(oldest.value);
}

export const forgetAll = (): void => kept.clear();

interface Reading<T> {
  path: string | null;
  data: T | undefined;
  problem: Problem | undefined;
  partial?: boolean;
}

type Reader<T> = (path: string, signal: AbortSignal, partly: (data: T) => void) => Promise<T>;

/** Reads `path`; null reads nothing. */
export function useResource<T>(path: string | null, concerns: Concerns = never, reader: Reader<T> = read): Resource<T> {
  const [state, setState] = useState<Reading<T>>(() => ({
    path,
    data: path === null ? undefined : (kept.get(path) as T | undefined),
    problem: undefined,
  }));
  const reloader = useRef<() => void>(() => {});
  const concernsNow = useRef(concerns);
  concernsNow.current = concerns;

  useEffect(() => {
    if (path === null) return undefined;
    let current: AbortController | null = null;
    let timer = 0;
    let again = false;
    let cost = 0;
    let whole = false; // what is whole is not taken away for a part
    const partly = (data: T) => { if (!whole) setState({ path, data, problem: undefined, partial: true }); };
    const load = async (anew = false) => {
      if (current && !anew) {
        again = true;
        return;
      }
      current?.abort(); // it was asked of a server, or over a line, that is gone
      const controller = (current = new AbortController());
      const began = performance.now();
      try {
        const data = await reader(path, controller.signal, partly);
        if (controller.signal.aborted) return;
        keep(path, data);
        whole = true;
        setState({ path, data, problem: undefined });
      } catch (error) {
        if (controller.signal.aborted) return;
        setState((before) => ({ path, data: before.path === path ? before.data : undefined, problem: error as Problem }));
      }
      cost = performance.now() - began;
      current = null;
      if (again) later();
      again = false;
    };
    const later = () => {
      if (timer !== 0) return;
      timer = window.setTimeout(() => { timer = 0; void load(); }, Math.max(SHORTEST_WAIT_MS, cost * COST_FACTOR));
    };
    const cached = kept.get(path) as T | undefined;
    if (cached !== undefined) setState({ path, data: cached, problem: undefined });
    whole = cached !== undefined;
    reloader.current = () => void load();
    void load();
    const deaf = live.listen((event) => {
      if (event.name === "resync") void load(true);
      else if (concernsNow.current(event)) later();
    });
    const unheard = whenChangedHere(() => void load());
    const poll = window.setInterval(() => {
      const untold = live.link.value !== "live" || concernsNow.current === changeOrSilence;
      if (untold && concernsNow.current !== never && !document.hidden) void load();
    }, WITHOUT_STREAM_MS);
    return () => {
      deaf();
      unheard();
      window.clearInterval(poll);
      window.clearTimeout(timer);
      current?.abort();
    };
  }, [path]);

  const reload = useCallback(() => reloader.current(), []);
  return { data: state.data, problem: state.problem, stale: state.path !== path, partial: state.partial === true, reload };
}

/** Reads again when this instant has passed: nothing may tell that it came. */
export function useReloadAt(at: string | null | undefined, reload: () => void): void {
  useEffect(() => {
    const wait = at ? Date.parse(at) - clock.now() + SHORTEST_WAIT_MS : NaN;
    if (!(wait > 0 && wait < LONGEST_TIMER_MS)) return undefined;
    const timer = window.setTimeout(reload, wait);
    return () => window.clearTimeout(timer);
  }, [at]);
}

/** A page of a list, read on while it is short and there is more; `field` holds its rows. */
export function usePage<T extends { next: string | null }>(path: string | null, concerns: Concerns, field: keyof T): Resource<T> {
  return useResource<T>(path, concerns, (from, signal, partly) => readOn<T>(from, field, (one) => read<T>(one, signal), partly));
}
