// A new job, or an old one changed: the form and the JSON are two views of one declaration.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { parseExact, stringifyExact } from "../api/exact_json";
import { Problem, read, request } from "../api/http";
import type { Job, JobSpec } from "../api/types";
import { guardLeaving, Link, navigate, usePlace } from "../app/router";
import { check } from "../editor/check";
import { draftAt, draftPlace, dropDraft, keepDraft } from "../editor/draft";
import { JobForm } from "../editor/job_form";
import { JsonEditor } from "../editor/json_editor";
import { ActionButton, Card, PageHead, Segmented } from "../parts/controls";
import { ErrorList, Loading, Notice, ProblemNotice, Snippet, tell } from "../parts/feedback";
import { cliFor, curlFor, declarationOf } from "../words/declaration";

const NEW_JOB: JobSpec = { name: "", action: { kind: "http", url: "" }, cron: "0 9 * * MON-FRI", timezone: "UTC" };
const CHECK_MS = 500;
const SIDES = [["json", "JSON"], ["curl", "curl"], ["cli", "CLI"]] as const;

/** A key that stays while the declaration does: pressing Submit twice submits once. */
function useSubmitKey(text: string): string {
  return useMemo(() => Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("-"), [text]);
}

/** Without what nobody said. */
function pruned(spec: JobSpec): JobSpec {
  return Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== undefined)) as JobSpec;
}

/** The same work once, now: what "run with changes" starts from. */
function onceOf(job: Job): JobSpec {
  const spec = declarationOf(job);
  for (const field of ["cron", "every", "scheduled_time", "start_at", "end_at", "max_runs", "jitter", "calendars", "misfire", "overlap", "key", "unique", "paused", "paused_until", "dst", "timezone"]) delete spec[field];
  return spec;
}

function copyOf(job: Job): JobSpec {
  const { key: _key, paused: _paused, paused_until: _until, ...spec } = declarationOf(job);
  return { ...spec, name: `${job.name} (copy)` } as JobSpec;
}

interface Loaded {
  spec: JobSpec;
  etag: string;
  job: Job | null;
}

async function startingPoint(id: string | null, from: string | null, as: string | null): Promise<Loaded> {
  if (id !== null) {
    const { body, etag } = await request<Job>("GET", `/api/jobs/${id}`);
    return { spec: declarationOf(body), etag, job: body };
  }
  if (from === null) return { spec: NEW_JOB, etag: "", job: null };
  const job = await read<Job>(`/api/jobs/${from}`);
  return { spec: as === "copy" ? copyOf(job) : onceOf(job), etag: "", job: null };
}

/** For an edit: the fields that differ, with null for what was taken out. */
function changesOf(before: JobSpec, after: JobSpec): Record<string, unknown> {
  const changes: Record<string, unknown> = {};
  for (const field of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (stringifyExact(before[field] ?? null) !== stringifyExact(after[field] ?? null)) changes[field] = after[field] ?? null;
  }
  return changes;
}

function useChecked(spec: JobSpec, job: Job | null, broken: boolean) {
  const [problem, setProblem] = useState<Problem | null>(null);
  const [state, setState] = useState<"" | "checking" | "good" | "bad">("");
  const text = stringifyExact(spec);
  useEffect(() => {
    if (broken) {
      setState("");
      return undefined;
    }
    const controller = new AbortController();
    const timer = window.setTimeout(() => {
      setState("checking");
      check(job ? (changesOf(declarationOf(job), spec) as unknown as JobSpec) : spec, job?.id ?? null, controller.signal).then(
        (found) => { setProblem(found); setState(found ? "bad" : "good"); },
        () => {},
      );
    }, CHECK_MS);
    return () => { window.clearTimeout(timer); controller.abort(); };
  }, [text, broken]);
  return { problem, state };
}

function Editor({ loaded }: { loaded: Loaded }) {
  const { job, etag } = loaded;
  const [spec, setSpec] = useState(loaded.spec);
  const [text, setText] = useState(stringifyExact(loaded.spec, 2));
  const [broken, setBroken] = useState<string | null>(null);
  const [side, setSide] = useState<(typeof SIDES)[number][0]>("json");
  const [refused, setRefused] = useState<Problem | null>(null);
  const [tried, setTried] = useState(false);
  const { problem, state } = useChecked(spec, job, broken !== null);
  const changed = stringifyExact(spec) !== stringifyExact(loaded.spec);
  const saved = useRef(false);
  const idempotencyKey = useSubmitKey(text);
  const [place] = useState(draftPlace);
  const [draft, setDraft] = useState(() => draftAt(place));
  const dirty = changed || broken !== null;

  // Kept as it is shown: an effect after the paint would lose what was typed in the last moment.
  useLayoutEffect(() => {
    if (dirty) keepDraft(place, job?.version ?? 0, text);
    else if (!draft) dropDraft(place);
  }, [text, dirty, draft]);
  useEffect(() => {
    const discard = () => {
      if (!window.confirm("Leave without saving?")) return false;
      dropDraft(place);
      return true;
    };
    guardLeaving(changed ? () => saved.current || discard() : null);
    const warn = (event: BeforeUnloadEvent) => { if (changed && !saved.current) event.preventDefault(); };
    window.addEventListener("beforeunload", warn);
    return () => { guardLeaving(null); window.removeEventListener("beforeunload", warn); };
  }, [changed]);

  const change = (changes: Partial<JobSpec>) => {
    const next = pruned({ ...spec, ...changes });
    setSpec(next);
    setText(stringifyExact(next, 2));
    setBroken(null);
    setRefused(null);
  };
  const write = (next: string) => {
    setText(next);
    setRefused(null);
    try {
      const parsed = parseExact(next) as JobSpec;
      if (typeof parsed !== "object" || parsed === null || typeof parsed.action !== "object") throw new Error("A job is an object with at least a name and an action.");
      setSpec({ ...parsed, name: typeof parsed.name === "string" ? parsed.name : "" });
      setBroken(null);
    } catch (error) {
      setBroken((error as Error).message);
    }
  };
  const errors = (pointer: string) => (refused ?? (tried || spec.name !== "" ? problem : null))?.errors.filter((error) => error.pointer === pointer) ?? [];
  const save = async () => {
    setTried(true);
    try {
      const answer = job
        ? await request<Job>("PATCH", `/api/jobs/${job.id}`, { body: changesOf(declarationOf(job), spec), ifMatch: etag })
        : await request<Job>("POST", "/api/submitJob", { body: spec, idempotencyKey });
      saved.current = true;
      dropDraft(place);
      tell(job ? "Saved." : "Submitted.");
      navigate(`/jobs/${answer.body.id}`);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setRefused(error);
    }
  };
  const shown = refused ?? (tried ? problem : null);
  const toMend = state === "bad" && (tried || spec.name !== "") ? problem : null;
  return (
    <>
      <PageHead title={job ? `Edit ${job.name}` : "New job"} crumbs={<><Link to="/jobs">Jobs</Link>{job && <><span>/</span><Link to={`/jobs/${job.id}`}>{job.name}</Link></>}</>}>
        <Link to={job ? `/jobs/${job.id}` : "/jobs"} class="button">Leave</Link>
        <ActionButton kind="main" icon="check" disabled={broken !== null} run={save}>{job ? "Save" : "Submit"}</ActionButton>
      </PageHead>
      {shown && shown.status !== 412 && <ProblemNotice problem={shown} />}
      {shown?.status === 412 && <Notice tone="warn" title="Somebody changed this job meanwhile">Your changes are still here. Open the job in another tab, compare, and load this page again to start from what it is now.</Notice>}
      {draft && (
        <Notice tone="busy" title="There is a draft that was not saved">
          {draft.version !== (job?.version ?? 0) && <p>The job was changed since: compare before you save.</p>}
          <div class="row wrap">
            <button type="button" class="button slim" onClick={() => { write(draft.text); setDraft(null); }}>Go on with it</button>
            <button type="button" class="button slim" onClick={() => setDraft(null)}>Discard it</button>
          </div>
        </Notice>
      )}
      <div class="columns editor-columns">
        <JobForm spec={spec} id={job?.id} errors={errors} onChange={change} />
        <div class="stack sticky">
          <Card title={<Segmented label="Shown as" options={SIDES} value={side} onChange={setSide} />} actions={<span class="small" role="status" data-check={state}>{state === "checking" ? "Checking…" : state === "good" ? "The server would take this" : toMend ? <span class="bad-text">{toMend.errors.length > 0 ? `${toMend.errors.length} to mend` : toMend.title}</span> : ""}</span>}>
            <div class="stack">
              {toMend && !shown && (
                <Notice tone="warn" title="The server would not take this">
                  {toMend.errors.length > 0 ? <ErrorList errors={toMend.errors} /> : <p>{toMend.detail} {toMend.hint}</p>}
                </Notice>
              )}
              {side === "json" && <JsonEditor text={text} problem={broken} onChange={write} />}
              {side === "curl" && <Snippet text={job ? curlFor("PATCH", `/api/jobs/${job.id}`, changesOf(declarationOf(job), spec)) : curlFor("POST", "/api/submitJob", spec)} label="As curl" />}
              {side === "cli" && <Snippet text={cliFor(spec)} label="As a command" />}
            </div>
          </Card>
        </div>
      </div>
    </>
  );
}

export function EditJob({ id }: { id: string | null }) {
  const { query } = usePlace();
  const from = query.get("from");
  const as = query.get("as");
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  const [problem, setProblem] = useState<unknown>(null);
  const load = useMemo(() => () => startingPoint(id, from, as).then(setLoaded, setProblem), [id, from, as]);
  useEffect(() => {
    document.title = `${id ? "Edit job" : "New job"} · Chronos`;
    setLoaded(null);
    setProblem(null);
    void load();
  }, [load]);
  if (problem !== null) return <ProblemNotice problem={problem} onRetry={() => void load()} />;
  return loaded ? <Editor loaded={loaded} /> : <Loading what="the job" />;
}
