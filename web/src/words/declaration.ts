// A job's declaration in words and in commands: schedule, action, curl, CLI.
import { BASE } from "../api/http";
import { stringifyExact } from "../api/exact_json";
import type { Action, Job, JobSpec } from "../api/types";

/** What is written with commas between. */
export const listOf = (text: string): string[] => text.split(",").map((one) => one.trim()).filter(Boolean);

export const cronTexts = (cron: JobSpec["cron"]): string[] => (Array.isArray(cron) ? cron : cron ? [cron] : []);
export const isRecurring = (job: JobSpec): boolean => cronTexts(job.cron).length > 0 || Boolean(job.every);

/** The schedule as it was declared; the words come from the server's preview. */
export function scheduleText(job: JobSpec): string {
  const crons = cronTexts(job.cron);
  if (crons.length > 0) return crons.join(" · ");
  if (job.every) return `every ${job.every}`;
  if (job.scheduled_time) return "once";
  return "once, at once";
}

export function actionText(action: Action): string {
  if (action.kind === "http") return `${action.method ?? "POST"} ${action.url}`;
  if (action.kind === "command") return action.argv.join(" ");
  return "pulled by a worker";
}

/** For an input that a server computes with: the query of GET /api/schedule/preview; `id` is of a job that is there already. */
export function previewQuery(job: JobSpec, id: string | undefined, count: number) {
  return {
    cron: cronTexts(job.cron),
    every: job.every ?? undefined,
    scheduled_time: job.scheduled_time ?? undefined,
    timezone: job.timezone,
    dst: job.dst,
    start_at: job.start_at ?? undefined,
    end_at: job.end_at ?? undefined,
    calendars: job.calendars ?? [],
    job: id,
    seed: id === undefined ? job.key ?? job.name : undefined,
    count,
  };
}

const ANSWERED = new Set([
  "id", "project", "status", "created_at", "updated_at", "version", "next_run_at", "last_run", "counts", "warnings", "strip",
]);

/** What was declared, of what is answered: fields that may be sent back. */
export function declarationOf(job: Job): JobSpec {
  const spec: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(job)) {
    if (!ANSWERED.has(field) && value !== null && value !== undefined) spec[field] = value;
  }
  return spec as JobSpec;
}

export const shellQuoted = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

export function curlFor(method: string, path: string, body?: unknown): string {
  const lines = [`curl -s ${method === "GET" ? "" : `-X ${method} `}${window.location.origin}${BASE}${path}`, `  -H "Authorization: Bearer $KEY"`];
  if (body !== undefined) lines.push("  -H 'Content-Type: application/json'", `  -d ${shellQuoted(stringifyExact(body, 1))}`);
  return lines.join(" \\\n");
}

/** What a declaration that says nothing about a field comes to. */
const DEFAULTS: Record<string, unknown> = {
  timezone: "UTC", dst: "auto", calendars: [], max_attempts: 3, timeout: "5m", on_lost: "retry", overlap: "skip", queue: "default", priority: 4,
  retry: { backoff: "exponential", delay: "1s", max_delay: "1h", jitter: "full", max_age: null, on: [] },
  misfire: { policy: "run_once", grace: "1m", window: "1d", max: 1000 },
  retention: { runs: 10000, age: "30d" }, notify: [], tags: [], metadata: {}, paused: false, note: "",
};
const FLAGGED = ["name", "cron", "every", "scheduled_time", "timezone"];

/** Flags say all of it: a name, a schedule, and what to call or to run. */
function isPlain({ action, ...rest }: JobSpec): boolean {
  const fields = Object.keys(action).sort().join();
  const isDefault = (field: string, value: unknown) => value === null || value === undefined || stringifyExact(value) === stringifyExact(DEFAULTS[field] ?? null);
  return (action.kind === "http" ? fields === "kind,url" : fields === "argv,kind") && !rest.name.startsWith("-") &&
    Object.entries(rest).every(([field, value]) => FLAGGED.includes(field) || isDefault(field, value));
}

/** The command that submits this job: with flags when they say all of it, else with the declaration on its stdin. */
export function cliFor(spec: JobSpec): string {
  if (!isPlain(spec)) return `chronos submit -f - <<'JSON'\n${stringifyExact(spec, 2)}\nJSON`;
  const words = ["chronos submit", "--name", shellQuoted(spec.name)];
  for (const cron of cronTexts(spec.cron)) words.push("--cron", shellQuoted(cron));
  if (spec.every) words.push("--every", shellQuoted(spec.every));
  if (spec.scheduled_time) words.push("--at", shellQuoted(spec.scheduled_time));
  if (spec.timezone && spec.timezone !== "UTC") words.push("--timezone", shellQuoted(spec.timezone));
  if (spec.action.kind === "http") words.push("--url", shellQuoted(spec.action.url));
  if (spec.action.kind === "command") words.push("--", ...spec.action.argv.map(shellQuoted));
  return words.join(" ");
}
