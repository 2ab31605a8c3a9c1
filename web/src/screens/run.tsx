// One run: its story, its attempts, what was asked and answered, its log; and what to do about it.
import { useEffect, useMemo, useState } from "preact/hooks";
import { pathWith, send } from "../api/http";
import { never, runChange, usePage, useReloadAt, useResource } from "../api/resource";
import { hasEnded, isRepeatable, type Attempt, type Job, type Run as RunData, type RunList, type RunWhy } from "../api/types";
import { Link, navigate, setQuery, usePlace } from "../app/router";
import { may } from "../app/session";
import { Log } from "../log/view";
import { ActionFacts } from "./action_facts";
import { RunComparison } from "./run_comparison";
import { ActionButton, Card, Menu, PageHead } from "../parts/controls";
import { ask } from "../parts/dialog";
import { copyText, Loading, ProblemNotice, tell } from "../parts/feedback";
import { Icon } from "../parts/icon";
import { State } from "../parts/state";
import { ClockTime, Instant, Relative, Span } from "../parts/time";
import { plural } from "../words/count";
import { curlFor } from "../words/declaration";
import { triggerText } from "../words/states";
import { durationText } from "../words/time";
import { WhyPanel } from "./why_panel";

interface Chapter {
  word: string;
  at: string | null;
  note?: string;
  tone: string;
}

function storyOf(run: RunData): Chapter[] {
  const late = run.lateness_ms === null ? {} : { note: `started ${durationText(run.lateness_ms)} after its instant` };
  const chapters: Chapter[] = [{ word: "Planned", at: run.planned_at, tone: "" }];
  // With a second attempt it is the time that this one was queued: the first's is not kept.
  const running = run.state === "running";
  const tries = (run.attempts ?? []).length + (running ? 1 : 0);
  if (tries <= 1) chapters.push({ word: "Queued", at: run.queued_at, tone: "", ...late });
  for (const attempt of run.attempts ?? []) {
    chapters.push({ word: `Attempt ${attempt.number}`, at: attempt.started_at, note: attempt.node, tone: attempt.state === "succeeded" ? "good" : "bad" });
  }
  if (running) chapters.push({ word: `Attempt ${(run.attempts ?? []).length + 1}`, at: tries > 1 ? run.queued_at : run.started_at, note: run.node, tone: "busy" });
  if (run.state === "retrying") chapters.push({ word: "Next attempt", at: run.next_attempt_at, tone: "warn" });
  if (hasEnded(run.state)) chapters.push({ word: "Ended", at: run.ended_at, tone: run.state === "succeeded" ? "good" : "bad" });
  return chapters.filter(({ at, word }) => at !== null || word === "Planned");
}

function Story({ run }: { run: RunData }) {
  const chapters = storyOf(run);
  return (
    <ol class="story">
      {chapters.map((chapter, index) => {
        const before = chapters[index - 1];
        return (
          <li key={chapter.word} class={chapter.tone}>
            <div class="story-word">{chapter.word}</div>
            <div class="small">{chapter.at ? <ClockTime at={chapter.at} /> : "–"}</div>
            {before?.at && chapter.at && <div class="small soft">+{durationText(Date.parse(chapter.at) - Date.parse(before.at))}</div>}
            {chapter.note && <div class="small soft cut" title={chapter.note}>{chapter.note}</div>}
          </li>
        );
      })}
    </ol>
  );
}

const outcomeOf = (attempt: Attempt) => {
  if (attempt.error !== "") return attempt.error;
  if (attempt.http_status !== null) return `HTTP ${attempt.http_status}`;
  if (attempt.signal !== null) return `signal ${attempt.signal}`;
  if (attempt.exit_code !== null) return `exit code ${attempt.exit_code}`;
  return attempt.reason;
};

function Attempts({ run, shown }: { run: RunData; shown: number | undefined }) {
  const attempts = run.attempts ?? [];
  if (attempts.length === 0) return null;
  return (
    <Card title="Attempts" flush>
      <div class="table-scroll">
        <table class="folds">
          <thead><tr><th>Attempt</th><th>State</th><th>Started</th><th class="number">Took</th><th>Node</th><th>Outcome</th><th><span class="visually-hidden">Output</span></th></tr></thead>
          <tbody>
            {attempts.map((attempt) => (
              <tr key={attempt.number} data-row data-selected={attempt.number === shown}>
                <td data-label="Attempt" class="number-left">{attempt.number}</td>
                <td data-label="State"><State of={attempt.state} /></td>
                <td data-label="Started" class="nowrap"><ClockTime at={attempt.started_at} /></td>
                <td data-label="Took" class="number"><Span from={attempt.started_at} to={attempt.ended_at} /></td>
                <td data-label="Node" class="cut small">{attempt.node}</td>
                <td data-label="Outcome"><span class="small wrap-anywhere">{outcomeOf(attempt)}</span></td>
                <td><button type="button" class="button slim" onClick={() => setQuery({ attempt: String(attempt.number) }, { replace: true })}>Output</button></td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

function RunActions({ run, job }: { run: RunData; job: Job | undefined }) {
  const retry = async () => {
    const made = await send<RunData>("POST", `/api/runs/${run.id}/retry`, {});
    tell("A new run was made.");
    navigate(`/runs/${made.id}`);
  };
  const cancel = () => ask({
    title: "Cancel this run?",
    text: run.state === "running" ? "Its attempt is stopped. What it has done already stays done." : "It will not start.",
    yes: "Cancel the run",
    risky: true,
    run: async () => {
      await send("POST", `/api/runs/${run.id}/cancel`, {});
      tell("Cancelled.");
    },
  });
  const copy = async (text: string, what: string) => {
    await copyText(text);
    tell(`Copied: ${what}`);
  };
  return (
    <>
      {isRepeatable(run.state) && may("submitter") && <ActionButton kind="main" icon="retry" run={retry}>Retry</ActionButton>}
      {job && may("submitter") && <Link to={`/jobs/new?from=${run.job_id}`} class="button"><Icon name="edit" size={14} />Run with changes</Link>}
      {!hasEnded(run.state) && may("submitter") && <button type="button" class="button risky" disabled={run.cancel_requested} onClick={cancel}><Icon name="ban" size={14} />{run.cancel_requested ? "Cancelling…" : "Cancel"}</button>}
      <Menu label="More">
        <button type="button" onClick={() => void copy(curlFor("POST", `/api/runs/${run.id}/retry`, {}), "curl to retry it")}><Icon name="copy" size={14} />Copy retry as curl</button>
        <button type="button" onClick={() => void copy(`chronos retry ${run.id}`, "command to retry it")}><Icon name="copy" size={14} />Copy retry as CLI</button>
        <button type="button" onClick={() => void copy(`chronos logs -f ${run.id}`, "command to read its log")}><Icon name="copy" size={14} />Copy log as CLI</button>
        <button type="button" onClick={() => void copy(run.id, run.id)}><Icon name="copy" size={14} />Copy id</button>
      </Menu>
    </>
  );
}

/** The newest success of the job before this run. */
function useLastSuccess(run: RunData | undefined) {
  const wanted = run && hasEnded(run.state) && run.state !== "succeeded" && run.planned_at;
  const path = wanted ? pathWith(`/api/jobs/${run.job_id}/runs`, { state: "succeeded", planned_before: run.planned_at ?? undefined, limit: 1 }) : null;
  return usePage<RunList>(path, never, "runs").data?.runs[0];
}

export function Run({ id }: { id: string }) {
  const { query } = usePlace();
  const [jobId, setJobId] = useState<string>();
  const concerns = useMemo(() => runChange(id, jobId), [id, jobId]);
  const { data: run, problem, reload } = useResource<RunData>(`/api/runs/${id}`, concerns);
  useEffect(() => setJobId(run?.job_id), [run?.job_id]);
  const { data: why } = useResource<RunWhy>(run && run.state !== "succeeded" ? `/api/runs/${id}/why` : null, concerns);
  const { data: job } = useResource<Job>(run ? `/api/jobs/${run.job_id}` : null);
  const lastSuccess = useLastSuccess(run);
  const [comparing, setComparing] = useState(false);
  useEffect(() => {
    document.title = run ? `${run.job_name}: ${run.state} · Chronos` : "Run · Chronos";
  }, [run]);
  useReloadAt(run && !hasEnded(run.state) && run.state !== "running" ? run.next_attempt_at ?? run.planned_at : null, reload);
  if (problem && !run) return <ProblemNotice problem={problem} onRetry={reload} />;
  if (!run) return <Loading what="the run" />;
  const newest = (run.attempts ?? []).length + (run.state === "running" ? 1 : 0);
  const chosen = Number(query.get("attempt") ?? 0) || newest || undefined;
  const growing = run.state === "running" && chosen === newest;
  const crumbs = <><Link to="/jobs">Jobs</Link><span>/</span><Link to={`/jobs/${run.job_id}`}>{run.job_name}</Link><span>/</span><span class="mono">{run.id}</span></>;
  return (
    <>
      <PageHead crumbs={crumbs} title={<span class="row wrap">{run.job_name}<State of={run.state} /></span>}
        note={<>Run {triggerText(run.trigger)}, planned <Relative at={run.planned_at} zone={job?.timezone} />{run.retry_of && <> · repeats <Link to={`/runs/${run.retry_of}`}>an earlier run</Link></>}</>}>
        <RunActions run={run} job={job} />
      </PageHead>
      {problem && <ProblemNotice problem={problem} />}
      <Card label="Story"><Story run={run} /></Card>
      {why && run.state !== "succeeded" && <WhyPanel why={why} job={run.job_id} title={hasEnded(run.state) ? "Why it ended so" : run.state === "running" ? "What it does" : "Why it is not running"} />}
      <div class="columns main-aside">
        <div class="stack">
          {newest > 0 && (
            <Card flush title={`${job?.action.kind === "http" ? "Answer" : "Output"}${newest > 1 ? ` of attempt ${chosen}` : ""}`}>
              <Log key={`${id} ${chosen}`} run={id} attempt={chosen} growing={growing} />
            </Card>
          )}
          <Attempts run={run} shown={chosen} />
          {lastSuccess && (
            <Card title="Compared with the last success" actions={<button type="button" class="button slim" aria-expanded={comparing} onClick={() => setComparing(!comparing)}>{comparing ? "Hide" : "Compare"}</button>} flush={!comparing}>
              {comparing ? <RunComparison run={run} other={lastSuccess} /> : null}
            </Card>
          )}
        </div>
        <div class="stack">
          <Card title="Times">
            <dl class="facts">
              <dt>Planned</dt><dd><Instant at={run.planned_at} zone={job?.timezone} /></dd>
              {run.count > 1 && <><dt>Until</dt><dd><Instant at={run.planned_until} zone={job?.timezone} /> ({plural(run.count, "instant")})</dd></>}
              <dt>Started</dt><dd><Instant at={run.started_at} zone={job?.timezone} /></dd>
              <dt>Ended</dt><dd><Instant at={run.ended_at} zone={job?.timezone} /></dd>
              <dt>Took</dt><dd><Span from={run.started_at} to={run.ended_at} /></dd>
              <dt>Late by</dt><dd>{run.lateness_ms === null ? "–" : durationText(run.lateness_ms)}</dd>
              <dt>Node</dt><dd>{run.node || "–"}</dd>
              {run.reason && <><dt>Reason</dt><dd>{run.reason}</dd></>}
              {run.error && <><dt>Error</dt><dd class="bad-text">{run.error}</dd></>}
            </dl>
          </Card>
          {job && <ActionFacts job={job} />}
        </div>
      </div>
    </>
  );
}
