// The language of the search boxes: `status:failed tag:db "nightly report" since:2h`. A word without a
// field looks at the name. The text is what stands in the address, so a search can be shared.
import { parseDuration } from "../words/time";

interface Term {
  field: string;
  value: string;
}

export interface Vocabulary {
  /** field → values to suggest (none: free text) */
  fields: Record<string, readonly string[]>;
  /** what people call a field besides → its name */
  aliases?: Record<string, string>;
  /** field → the parameter of the API and its value */
  toQuery: (field: string, value: string, now: number) => [string, string] | null;
}

const TERM = /(?:([a-z_]+):)?(?:"([^"]*)"?|(\S+))/g;

function parseTerms(text: string): Term[] {
  const terms: Term[] = [];
  for (const [, field, quoted, bare] of text.matchAll(TERM)) {
    const value = quoted ?? bare ?? "";
    if (value !== "") terms.push({ field: field ?? "name", value });
  }
  return terms;
}

const quoted = (value: string) => (/\s/.test(value) ? `"${value}"` : value);
const termText = ({ field, value }: Term): string => `${field}:${quoted(value)}`;

export const says = (text: string, { field, value }: Term): boolean => parseTerms(text).some((term) => term.field === field && term.value === value);

/** The text with this term in place of others of its field, or without it when it was in it. */
export function toggled(text: string, term: Term): string {
  const others = parseTerms(text).filter(({ field }) => field !== term.field);
  return (says(text, term) ? others : [...others, term]).map(termText).join(" ");
}

/** The list at `path` with a search for these fields. */
export function searchLink(path: string, terms: Record<string, string>): string {
  return `${path}?q=${encodeURIComponent(Object.entries(terms).map(([field, value]) => termText({ field, value })).join(" "))}`;
}

interface Understood {
  query: Record<string, string>;
  /** Fields that are none, and terms that a later one took the place of; they are said, not ignored. */
  unknown: string[];
}

/** The words of a name belong together; of other fields the last counts. */
export function understood(text: string, { fields, aliases = {}, toQuery }: Vocabulary, now: number): Understood {
  const query: Record<string, string> = {};
  const unknown: string[] = [];
  const from: Record<string, Term> = {};
  for (const term of parseTerms(text)) {
    const field = Object.hasOwn(aliases, term.field) ? aliases[term.field] ?? "" : term.field;
    const { value } = term;
    const known = Object.hasOwn(fields, field);
    const asked = known ? toQuery(field, value, now) : null;
    if (!asked) {
      unknown.push(known ? `${field}:${value}` : field === "name" ? value : `${field}:`);
      continue;
    }
    const [name, said] = asked;
    const before = from[name];
    if (name !== "name" && before && query[name] !== said) unknown.push(termText(before));
    from[name] = term;
    query[name] = name === "name" && query.name !== undefined ? `${query.name} ${said}` : said;
  }
  return { query, unknown };
}

/** The states of a run that failed, whatever it failed of. */
export const FAILED = "failed,timed_out,lost";

const SPANS = ["1h", "2h", "6h", "24h", "7d", "30d"] as const;
const MINUTE_MS = 60_000;

function isoOf(value: string): string | null {
  const at = Date.parse(value);
  return Number.isFinite(at) ? new Date(at).toISOString() : null;
}

const isSpan = (value: string): boolean => Number.isFinite(parseDuration(value));
/** "2h", or an instant, for a parameter that takes both. */
const ageOrInstant = (value: string): string | null => (isSpan(value) ? value : isoOf(value));

/** "2h" before now, or an instant; whole minutes, so that a page read again has the same address. */
function instantOf(value: string, now: number): string | null {
  if (!isSpan(value)) return isoOf(value);
  return new Date(Math.floor((now - parseDuration(value)) / MINUTE_MS) * MINUTE_MS).toISOString();
}

const said = (name: string, value: string | null): [string, string] | null => (value === null ? null : [name, value]);

export const JOB_TERMS: Vocabulary = {
  fields: {
    status: ["scheduled", "running", "retrying", "paused", "succeeded", "failed", "cancelled"],
    kind: ["http", "command", "worker"],
    tag: [],
    queue: [],
    name: [],
    since: SPANS,
    until: SPANS,
  },
  toQuery: (field, value, now) => {
    if (field === "since") return said("created_after", instantOf(value, now));
    if (field === "until") return said("created_before", instantOf(value, now));
    return [field, value];
  },
};

export const RUN_TERMS: Vocabulary = {
  fields: {
    state: ["failed", "timed_out", "lost", "running", "retrying", "queued", "planned", "succeeded", "cancelled", "skipped", "missed"],
    tag: [],
    name: [],
    error: [],
    since: SPANS,
    until: SPANS,
  },
  aliases: { status: "state" }, // as jobs have it
  toQuery: (field, value) => (field === "since" || field === "until" ? said(field, ageOrInstant(value)) : [field, value]),
};

export const AUDIT_TERMS: Vocabulary = {
  fields: {
    action: [
      "job.submit", "job.update", "job.pause", "job.resume", "job.cancel", "job.run", "job.backfill", "job.restore", "run.cancel", "run.retry",
      "calendar.create", "calendar.update", "calendar.delete", "channel.create", "channel.update", "channel.delete", "channel.test",
      "bulk.create", "bulk.cancel", "key.create", "key.rotate", "key.revoke", "project.create", "session.begin", "session.link", "session.end",
      "notify.test", "backup.create",
    ],
    resource: [],
    actor: [],
    since: SPANS,
    until: SPANS,
  },
  toQuery: (field, value, now) => (field === "since" || field === "until" ? said(field, instantOf(value, now)) : [field, value]),
};
