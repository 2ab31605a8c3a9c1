// What the API answers, as api/openapi.json has it. Only what screens look at is named.

export type RunState =
  | "planned" | "queued" | "running" | "retrying" | "succeeded" | "failed" | "timed_out" | "lost" | "cancelled" | "skipped" | "missed";
export type JobStatus = "scheduled" | "running" | "retrying" | "paused" | "succeeded" | "failed" | "cancelled";
export type Trigger = "schedule" | "manual" | "retry" | "backfill" | "dependency";

interface JobRef {
  id: string;
  name: string;
}

interface Warning {
  code: string;
  detail: string;
  pointer?: string;
}

export interface HttpAction {
  kind: "http";
  url: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  expect?: { status?: string };
  follow_redirects?: boolean;
}

export interface CommandAction {
  kind: "command";
  argv: string[];
  env?: Record<string, string>;
  cwd?: string;
  stdin?: string;
  shell?: boolean;
}

export type Action = HttpAction | CommandAction | { kind: "worker" };

export interface NotifyRule {
  on?: string;
  after?: number;
  email?: string[];
  channel?: string;
}

/** A declaration: what is submitted. Fields that screens only pass on are `unknown`. */
export interface JobSpec {
  name: string;
  key?: string | null;
  action: Action;
  payload?: unknown;
  scheduled_time?: string | null;
  cron?: string | string[] | null;
  every?: string | null;
  timezone?: string;
  dst?: string;
  start_at?: string | null;
  end_at?: string | null;
  calendars?: string[];
  max_attempts?: number;
  timeout?: string;
  overlap?: string;
  queue?: string;
  priority?: number;
  notify?: NotifyRule[];
  tags?: string[];
  metadata?: Record<string, string>;
  note?: string;
  paused?: boolean;
  paused_until?: string | null;
  [field: string]: unknown;
}

/** A run that has begun or ended, briefly. */
export interface StripRun {
  run: string;
  state: RunState;
  planned_at: string;
  /** The instants it stands for. */
  count: number;
  started_at: string | null;
  duration: string | null;
  error?: string;
}

export interface Job extends JobSpec {
  id: string;
  project: string;
  status: JobStatus;
  timezone: string;
  calendars: string[];
  max_attempts: number;
  timeout: string;
  queue: string;
  priority: number;
  tags: string[];
  metadata: Record<string, string>;
  note: string;
  paused: boolean;
  created_at: string;
  updated_at: string;
  version: number;
  next_run_at: string | null;
  last_run: { id: string; state: RunState; ended_at: string; error: string } | null;
  counts: { succeeded: number; failed: number; cancelled: number; skipped: number; missed: number; running: number };
  warnings: Warning[];
  strip?: StripRun[];
}

export interface Attempt {
  number: number;
  state: RunState;
  node: string;
  started_at: string;
  ended_at: string;
  reason: string;
  error: string;
  exit_code: number | null;
  signal: number | null;
  http_status: number | null;
}

export interface Run {
  id: string;
  job_id: string;
  job_name: string;
  trigger: Trigger;
  state: RunState;
  reason: string;
  planned_at: string | null;
  planned_until: string | null;
  count: number;
  queued_at: string | null;
  started_at: string | null;
  ended_at: string | null;
  next_attempt_at: string | null;
  lateness_ms: number | null;
  attempts_made: number;
  node: string;
  error: string;
  exit_code: number | null;
  http_status: number | null;
  retry_of: string | null;
  cancel_requested: boolean;
  attempts?: Attempt[];
}

export interface JobList { jobs: Job[]; next: string | null }
export interface RunList { runs: Run[]; next: string | null }

export interface WhyBlocker {
  kind: string;
  id: string | null;
  name: string | null;
  runs: string[];
  in_use: number | null;
  max: number | null;
  ahead: number | null;
}

export interface RunWhy {
  run_id: string;
  job_id: string;
  state: RunState;
  planned_at: string | null;
  code: string;
  text: string;
  blocker: WhyBlocker | null;
  unblocked_by: string | null;
  since: string | null;
  until: string | null;
}

export interface JobWhy {
  job_id: string;
  status: JobStatus;
  next_run_at: string | null;
  code: string;
  text: string;
  blocker: WhyBlocker | null;
  unblocked_by: string | null;
  since: string | null;
  until: string | null;
  runs: RunWhy[];
  has_more_runs: boolean;
  not_run: { state: "skipped" | "missed"; reason: string; count: number }[];
  undecided: { count: number; first: string; last: string } | null;
}

interface Occurrence { at: string; local: string; shifted: string | null }

export interface Preview {
  words: string;
  timezone: string;
  next: Occurrence[];
  excluded: { calendar: string; from: Occurrence; through: Occurrence }[];
  warnings: Warning[];
}

export interface Backfill {
  job_id: string;
  dry_run: boolean;
  count: number;
  first: string | null;
  last: string | null;
  already_run: number;
  instants: string[];
  runs: string[];
  truncated: boolean;
}

interface OverviewPoint {
  at: string;
  succeeded: number;
  /** Timed out and lost among them. */
  failed: number;
  missed: number;
  lateness_p50: string | null;
  lateness_p99: string | null;
}

export interface Overview {
  running: number;
  queued: number;
  retrying: number;
  late: number;
  jobs: Record<"total" | "scheduled" | "paused" | "succeeded" | "failed" | "cancelled", number>;
  last: Record<"succeeded" | "failed" | "timed_out" | "lost" | "cancelled" | "skipped" | "missed", number>;
  upcoming: { at: string; job: JobRef; run: string }[];
  upcoming_count: number;
  recent_failures: Run[];
  series: { step: string; points: OverviewPoint[] };
  store: { kind: string; size_bytes: number; oldest_due_at: string | null };
  node: { name: string; version: string; started_at: string };
}

export interface Forecast {
  from: string;
  to: string;
  buckets: { at: string; count: number }[];
  /** The first of them. */
  runs: { at: string; job: JobRef }[];
  blackouts: { calendar: string; from: string; to: string }[];
  /** Something was left out of the counts. */
  truncated: boolean;
}

export interface GridRow {
  id: string;
  name: string;
  cells: { at: string; worst_state: RunState; runs: number }[];
  /** The earliest runs are missing. */
  truncated: boolean;
}

export interface Grid { jobs: GridRow[]; next: string | null }

export interface Queue {
  name: string;
  planned: number;
  ready: number;
  running: number;
  waiting: number;
  concurrency: number | null;
  oldest_ready_at: string | null;
  workers: number;
}

export interface Node {
  id: string;
  name: string;
  version: string;
  started_at: string;
  seen_at: string;
  alive: boolean;
  running: number;
  is_this: boolean;
}

export interface Worker {
  id: string;
  name: string;
  queues: string[] | null;
  alive: boolean;
  polling: boolean;
  first_seen_at: string;
  last_seen_at: string;
  running: number;
  runs: { id: string; percent: number | null; message: string }[];
}

export interface Key {
  id: string;
  name: string;
  role: string;
  created_at: string;
  expires_at: string | null;
  revoked_at: string | null;
  last_used_at: string | null;
  secret?: string | null;
}

export interface Channel {
  name: string;
  kind: "email" | "webhook" | "slack";
  to: string[];
  url: string;
  has_secret: boolean;
  /** Since when nothing is sent there; null: it is on. */
  disabled_at: string | null;
}

export interface ChannelTest { delivered: boolean; error: string; took: string }

export interface Version {
  version: number;
  at: string;
  /** null: the server itself, or nobody knows. */
  by: { key: string; name: string } | null;
  declaration: JobSpec;
}

export interface AuditEntry {
  id: string;
  at: string;
  actor: { key: string; name: string; role: string };
  action: string;
  resource: { kind: string; id: string; name: string };
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
}

export type BulkAction = "cancel" | "pause" | "resume" | "run" | "retry";

export interface BulkPreview { matches: number; sample: JobRef[] }

/** How far one came, as the stream tells it. */
export interface BulkProgress {
  id: string;
  status: "waiting" | "running" | "done" | "cancelled";
  total: number;
  /** That went well. */
  done: number;
  failed_count: number;
}

export interface Bulk extends BulkProgress {
  action: BulkAction;
  /** The first of them. */
  failed: { id: string; code: string; detail: string }[];
  starts_at: string;
}

export interface Calendar {
  name: string;
  kind: "blackout" | "business";
  timezone: string;
  dates: string[];
  weekly: { days?: string[]; from?: string; to?: string }[];
  events: { summary?: string; start?: string }[];
  note: string;
  updated_at: string;
}

const FINAL: ReadonlySet<RunState> = new Set(["succeeded", "failed", "timed_out", "lost", "cancelled", "skipped", "missed"]);
const REPEATABLE: ReadonlySet<RunState> = new Set(["succeeded", "failed", "timed_out", "lost", "cancelled"]);

export const hasEnded = (state: RunState): boolean => FINAL.has(state);
export const isRepeatable = (state: RunState): boolean => REPEATABLE.has(state);
