import { EventEmitter } from 'node:events';

/** A duration as the API writes it: "1h30m", "200ms", "2d"; or a number of seconds. */
export type Duration = string | number;
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

export interface JobDeclaration<Payload = unknown> {
  name?: string;
  key?: string;
  /** `{kind: "worker"}` unless given. */
  action?: { kind: string; [member: string]: unknown };
  payload?: Payload;
  /** RFC 3339 with an offset; without a schedule the job runs now. */
  scheduled_time?: string;
  cron?: string | string[];
  every?: Duration;
  /** An IANA name, for `cron`. */
  timezone?: string;
  /** `skip`: nothing in a gap, and the first pass only of an hour that comes twice. */
  dst?: 'auto' | 'skip';
  start_at?: string;
  end_at?: string;
  max_runs?: number;
  jitter?: Duration | { max: Duration; mode?: 'random' | 'stable' };
  calendars?: string[];
  max_attempts?: number;
  retry?: {
    backoff?: 'exponential' | 'linear' | 'fixed';
    delay?: Duration;
    max_delay?: Duration;
    jitter?: 'full' | 'none';
    max_age?: Duration;
    on?: string[];
  };
  timeout?: Duration;
  deadline?: Duration;
  on_lost?: 'retry' | 'fail';
  misfire?: { policy?: 'run_once' | 'run_all' | 'skip' | 'ask'; grace?: Duration; window?: Duration; max?: number };
  overlap?: 'skip' | 'queue_one' | 'queue_all' | 'cancel_running' | 'allow';
  queue?: string;
  /** 0–9, 9 first; 4 unless given. */
  priority?: number;
  /** At most `max` runs with this key go on at once, in the whole project. */
  concurrency?: { key: string; max: number } | null;
  /** At most `max` attempts with this key start within any `per`. */
  rate?: { key: string; max: number; per: Duration } | null;
  unique?: {
    key: string;
    while?: 'queued' | 'running' | 'window';
    window?: Duration;
    on_conflict?: 'reject' | 'keep' | 'replace' | 'extend';
  };
  /** Whom to tell: e-mail addresses, a channel, or both. */
  notify?: {
    /** After the last attempt. */
    on?: 'failure';
    /** So many failed runs in a row; 1 unless given. */
    after?: number;
    email?: string[];
    channel?: string;
  }[];
  /** How much history is kept. */
  retention?: { runs?: number; age?: Duration };
  /** To change it needs the role operator. */
  paused?: boolean;
  /** The job is paused, and resumes by itself then; RFC 3339 with an offset. */
  paused_until?: string | null;
  tags?: string[];
  metadata?: Record<string, string>;
  note?: string;
  [member: string]: unknown;
}

export type JobStatus = 'scheduled' | 'running' | 'retrying' | 'paused' | 'succeeded' | 'failed' | 'cancelled';

/** A job as the server answers it: what was declared, with its defaults, and what became of it. */
export interface Job<Payload = unknown> extends JobDeclaration<Payload> {
  id: string;
  project: string;
  status: JobStatus;
  version: number;
  created_at: string;
  updated_at: string;
  next_run_at: string | null;
  last_run: { id: string; state: string; ended_at: string; error: string } | null;
  counts: Record<string, number>;
  warnings: { code: string; detail: string }[];
}

/** A run as its handler gets it. */
export interface WorkerRun<Payload = unknown> {
  readonly id: string;
  readonly job_id: string;
  /** Of the job. */
  readonly name: string;
  readonly trigger: 'schedule' | 'manual' | 'retry' | 'backfill' | 'dependency';
  readonly queue: string;
  readonly attempt: number;
  readonly max_attempts: number;
  readonly planned_at: string;
  /** When the attempt is out of time. */
  readonly deadline: string;
  readonly payload: Payload;
  readonly metadata: Record<string, string>;
  /** The fencing token of this claim: grows with every claim of the run. */
  readonly token: number;
  /** Aborted when the run was cancelled, its lease runs out, or the worker gives up. */
  readonly signal: AbortSignal;
  /** Shown while it runs. */
  progress(percent: number, message?: string): void;
  /** A line of the attempt's output. */
  log(text: string): void;
}

export interface WorkerOptions {
  /** Runs at once; 10 unless given. */
  concurrency?: number;
  /** For people; the host's name and the process id unless given. */
  name?: string;
  /** Seconds of a long poll, at most 30; 20 unless given. */
  wait?: number;
}

export interface WorkerEvents<Payload = unknown> {
  error: [ChronosError];
  completed: [WorkerRun<Payload>];
  failed: [WorkerRun<Payload>, unknown];
  stale: [WorkerRun<Payload>];
  drained: [];
}

export class Worker<Payload = unknown> extends EventEmitter {
  readonly id: string | undefined;
  readonly running: number;
  /** `timeout` in milliseconds; 10,000 unless given. */
  stop(options?: { timeout?: number }): Promise<void>;
  on<Name extends keyof WorkerEvents<Payload>>(event: Name, listener: (...args: WorkerEvents<Payload>[Name]) => void): this;
}

export class ChronosError extends Error {
  readonly status: number;
  readonly code: string;
  readonly errors: { pointer: string; code: string; detail: string; column?: number }[];
  readonly hint: string;
  readonly isTemporary: boolean;
}

export class Client {
  constructor(options?: { url?: string; apiKey?: string });
  submit<Payload = unknown>(job: JobDeclaration<Payload>, options?: { idempotencyKey?: string }): Promise<Job<Payload>>;
  submitMany<Payload = unknown>(
    jobs: JobDeclaration<Payload>[],
    options?: { idempotencyKey?: string },
  ): Promise<(Job<Payload> | ChronosError)[]>;
  getJob(id: string): Promise<Job>;
  getRun(id: string): Promise<Record<string, unknown>>;
  listRuns(jobId: string, options?: { limit?: number }): Promise<Record<string, unknown>[]>;
  why(id: string): Promise<Record<string, unknown>>;
  cancel(id: string, options?: { keepRunning?: boolean }): Promise<Job>;
  /**
   * Works on the runs of a queue. The handler's return value becomes the output; an error it throws is the
   * attempt's, and one with `retryAfter` (seconds, or a duration) says when to try again.
   */
  worker<Payload = unknown>(
    queue: string | string[],
    handler: (run: WorkerRun<Payload>) => unknown,
    options?: WorkerOptions,
  ): Worker<Payload>;
  close(): void;
}
