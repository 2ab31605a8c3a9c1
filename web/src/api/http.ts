// The one way to the server: requests with the session's cookie, answers with exact numbers, refusals as
// `Problem`. Paths are given as in the API's documents ("/api/jobs"); the path prefix is added here.
import { parseExact, stringifyExact } from "./exact_json";

export const BASE = document.querySelector<HTMLMetaElement>('meta[name="chronos-base"]')?.content.replace(/\.?\/$/, "") ?? "";

export interface FieldError {
  pointer: string;
  code: string;
  detail: string;
  column?: number;
  length?: number;
  hint?: string;
}

/** A refusal (RFC 9457), or that the server could not be reached (status 0). */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly title: string,
    readonly detail: string,
    readonly errors: FieldError[] = [],
    readonly hint = "",
    readonly retryAfter = 0,
  ) {
    super(detail || title);
  }
}

type Query = Record<string, string | number | boolean | readonly string[] | undefined>;

export function pathWith(path: string, query: Query): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === "") continue;
    if (Array.isArray(value)) for (const one of value as string[]) params.append(name, one);
    else params.set(name, String(value));
  }
  const text = params.toString();
  return text === "" ? path : `${path}?${text}`;
}

export interface Answer<T> {
  body: T;
  status: number;
  etag: string;
  headers: Headers;
}

interface RequestOptions {
  body?: unknown;
  ifMatch?: string;
  signal?: AbortSignal;
  accept?: string;
  /** Two requests with the same key are carried out once. */
  idempotencyKey?: string;
  lastEventId?: string;
}

let onSignedOut: () => void = () => {};

/** Called whenever the server says that the session is over. */
export function whenSignedOut(listener: () => void): void {
  onSignedOut = listener;
}

async function problemOf(response: Response): Promise<Problem> {
  const retryAfter = Number(response.headers.get("Retry-After") ?? 0);
  try {
    const said = (await response.json()) as Partial<Problem>;
    const { code = "", title = "", detail = "", errors = [], hint = "" } = said;
    return new Problem(response.status, code, title, detail, errors, hint, retryAfter);
  } catch {
    return new Problem(response.status, "", `The server answered ${response.status}`, "", [], "", retryAfter);
  }
}

export async function fetchRaw(method: string, path: string, options: RequestOptions = {}): Promise<Response> {
  const headers: Record<string, string> = { Accept: options.accept ?? "application/json" };
  if (options.body !== undefined) headers["Content-Type"] = "application/json";
  if (options.lastEventId) headers["Last-Event-ID"] = options.lastEventId;
  if (options.idempotencyKey) headers["Idempotency-Key"] = options.idempotencyKey;
  if (options.ifMatch) headers["If-Match"] = options.ifMatch;
  const init: RequestInit = { method, headers, credentials: "same-origin", cache: "no-store" };
  if (options.body !== undefined) init.body = stringifyExact(options.body);
  if (options.signal) init.signal = options.signal;
  let response: Response;
  try {
    response = await fetch(BASE + path, init);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Problem(0, "unreachable", "The server cannot be reached", "It may be restarting, or the network is down.", [],
      "What you see may be old. It is read again as soon as the server answers.");
  }
  if (response.ok) return response;
  const problem = await problemOf(response);
  if (problem.status === 401 && path !== "/api/login") onSignedOut();
  throw problem;
}

const READ_MS = 15_000;

/** Ends a read that nobody answers: a network may swallow what is asked without a word. */
export async function timely<T>(signal: AbortSignal | undefined, act: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = () => controller.abort();
  signal?.addEventListener("abort", stop);
  if (signal?.aborted) stop();
  const timer = setTimeout(stop, READ_MS);
  try {
    return await act(controller.signal);
  } catch (error) {
    if (!controller.signal.aborted || signal?.aborted) throw error;
    throw new Problem(0, "no_answer", "The server does not answer", `Nothing came within ${READ_MS / 1000} s.`, [], "What you see may be old. It is asked again.");
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
}

async function textOf(method: string, path: string, options: RequestOptions): Promise<{ response: Response; text: string }> {
  const response = await fetchRaw(method, path, options);
  return { response, text: await response.text() };
}

export async function request<T>(method: string, path: string, options: RequestOptions = {}): Promise<Answer<T>> {
  const { response, text } = method === "GET"
    ? await timely(options.signal, (signal) => textOf(method, path, { ...options, signal }))
    : await textOf(method, path, options);
  const json = (response.headers.get("Content-Type") ?? "").includes("json") && text !== "";
  const body = (json ? parseExact(text) : undefined) as T;
  return { body, status: response.status, etag: response.headers.get("ETag") ?? "", headers: response.headers };
}

export const read = async <T>(path: string, signal?: AbortSignal): Promise<T> =>
  (await request<T>("GET", path, signal ? { signal } : {})).body;

const changeListeners = new Set<() => void>();

/** Called after each change that this page made: what it shows is old, whatever the stream says. */
export function whenChangedHere(listener: () => void): () => void {
  changeListeners.add(listener);
  return () => changeListeners.delete(listener);
}

export async function send<T>(method: "POST" | "PUT" | "PATCH" | "DELETE", path: string, body?: unknown): Promise<T> {
  const answer = await request<T>(method, path, { body });
  for (const listener of [...changeListeners]) listener();
  return answer.body;
}
