// One job: what it is, when it runs, why it does not, what it did.
import { useEffect, useMemo } from "preact/hooks";
import { pathWith, send } from "../api/http";
import { jobChange, usePage, useReloadAt, useResource } from "../api/resource";
import type { Job as JobData, JobWhy, Preview, Run, RunList, StripRun } from "../api/types";
import { Link, navigate, setQuery, usePlace } from "../app/router";
import { may } from "../app/session";
import { ActionButton, Card, cursorOf, Menu, PageHead, Pager } from "../parts/controls";
import { ask } from "../parts/dialog";
import { copyText, Empty, Loading, NoMatch, Notice, ProblemNotice, Snippet, tell } from "../parts/feedback";
import { Icon } from "../parts/icon";
import { State } from "../parts/state";
import { Strip } from "../parts/strip";
import { Instant, Relative } from "../parts/time";
import { RUN_TERMS, searchLink } from "../search/terms";
import { countText, plural } from "../words/count";
import { cliFor, curlFor, declarationOf, isRecurring, previewQuery, scheduleText } from "../words/declaration";
import { lookOf } from "../words/states";
import { durationText, parseDuration } from "../words/time";
import { ActionFacts } from "./action_facts";
import { askBackfill } from "./backfill";
import { DurationChart } from "./duration_chart";
import { NextRuns } from "./next_runs";
import { askPause } from "./pause";
import { RunsTable } from "./runs_table";
import { Versions } from "./versions";
import { WhyPanel } from "./why_panel";

const TABS = [["overview", "Overview"], ["runs", "Runs"], ["versions", "Versions"], ["declaration", "Declaration"]] as const;
type Tab = (typeof TABS)[number][0];
const NEXT_RUNS = 10;
const RUNS_PAGE = 30;
const BARS = 50;
const RUNS_LISTED = 8;

function JobActions({ job }: { job: JobData }) {
  const runNow = async () => {
    const run = await send<Run>("POST", `/api/jobs/${job.id}/run`, {});
    tell("It runs now.");
    navigate(`/runs/${run.id}`);
  };
  const resume = async () => {
    await send("POST", `/api/jobs/${job.id}/resume`, {});
    tell("Resumed.");
  };
  const cancel = () => ask({
    title: `Cancel ${job.name}?`,
    text: "No further run starts, and a running attempt is stopped. Its history stays; it can be given a new schedule later.",
    yes: "Cancel the job",
    risky: true,
    run: async () => {
      await send("DELETE", `/api/jobs/${job.id}`);
      tell("Cancelled.");
    },
  });
  const copy = async (text: string, what: string) => {
    await copyText(text);
    tell(`Copied as ${what}.`);
  };
  const over = job.status === "cancelled";
  return (
    <>
      {may("submitter") && <ActionButton kind="main" icon="play" run={runNow} disabled={over}>Run now</ActionButton>}
      {may("submitter") && <Link to={`/jobs/${job.id}/edit`} class="button"><Icon name="edit" size={14} />{over ? "Reschedule" : "Edit"}</Link>}
      {may("operator") && (job.paused
        ? <ActionButton icon="play" run={resume}>Resume</ActionButton>
        : !over && isRecurring(job) && <button type="button" class="button" onClick={() => askPause(job)}><Icon name="pause" size={14} />Pause</button>)}
      <Menu label="More">
        <button type="button" onClick={() => void copy(curlFor("POST", "/api/submitJob", declarationOf(job)), "curl")}><Icon name="copy" size={14} />Copy as curl</button>
        <button type="button" onClick={() => void copy(cliFor(declarationOf(job)), "command")}><Icon name="copy" size={14} />Copy as CLI</button>
        <button type="button" onClick={() => void copy(job.id, "id")}><Icon name="copy" size={14} />Copy id</button>
        {may("submitter") && <Link to={`/jobs/new?from=${job.id}&as=copy`}><Icon name="plus" size={14} />Duplicate</Link>}
        {may("operator") && isRecurring(job) && <button type="button" onClick={() => askBackfill(job)}><Icon name="calendar" size={14} />Backfill…</button>}
        {may("admin") && <Link to={searchLink("/audit", { resource: job.id })}><Icon name="audit" size={14} />Who changed it</Link>}
        {may("submitter") && !over && <button type="button" class="risky" onClick={cancel}><Icon name="ban" size={14} />Cancel the job…</button>}
      </Menu>
    </>
  );
}

function Figures({ job, strip }: { job: JobData; strip: readonly StripRun[] }) {
  const { counts } = job;
  const spans = strip.map((run) => parseDuration(run.duration)).filter(Number.isFinite).sort((a, b) => a - b);
  const typical = spans[Math.floor(spans.length / 2)];
  return (
    <div class="figures">
      <div class="figure"><span class="what"><Icon name="clock" size={13} />Next run</span><span class="value"><Relative at={job.next_run_at} kind="future" zone={job.timezone} /></span><span class="note">{job.next_run_at ? <Instant at={job.next_run_at} zone={job.timezone} /> : "none planned"}</span></div>
      <div class="figure"><span class="what"><Icon name="check" size={13} />Succeeded</span><span class="value">{countText(counts.succeeded)}</span><span class="note">of all time</span></div>
      <div class={`figure ${counts.failed > 0 ? "bad" : ""}`}><span class="what"><Icon name="cross" size={13} />Failed</span><span class="value">{countText(counts.failed)}</span><span class="note">{countText(counts.cancelled)} cancelled</span></div>
      <div class={`figure ${counts.missed > 0 ? "warn" : ""}`}><span class="what"><Icon name="alert" size={13} />Not run</span><span class="value">{countText(counts.missed + counts.skipped)}</span><span class="note">{countText(counts.missed)} missed, {countText(counts.skipped)} skipped</span></div>
      <div class="figure"><span class="what"><Icon name="runs" size={13} />Takes</span><span class="value">{typical === undefined ? "–" : durationText(typical)}</span><span class="note">{typical === undefined ? "none has ended" : `the median of the last ${spans.length}`}</span></div>
    </div>
  );
}

function ScheduleCard({ job }: { job: JobData }) {
  const recurring = isRecurring(job) || job.scheduled_time;
  const concerns = useMemo(() => jobChange(job.id), [job.id]);
  const { data: preview, problem, reload } = useResource<Preview>(recurring ? pathWith("/api/schedule/preview", previewQuery(job, job.id, NEXT_RUNS)) : null, concerns);
  useReloadAt(preview?.next[0]?.at, reload);
  return (
    <Card title="Schedule">
      <div class="stack">
        <dl class="facts">
          <dt>In words</dt><dd>{preview?.words ?? scheduleText(job)}</dd>
          {recurring && <><dt>Declared</dt><dd class="mono">{scheduleText(job)}</dd></>}
          {job.scheduled_time && <><dt>At</dt><dd><Instant at={job.scheduled_time} zone={job.timezone} /></dd></>}
          <dt>Zone</dt><dd>{job.timezone}</dd>
          {job.calendars.length > 0 && <><dt>Calendars</dt><dd>{job.calendars.join(", ")}</dd></>}
          {job.overlap && <><dt>Overlap</dt><dd>{job.overlap}</dd></>}
        </dl>
        {problem && problem.code !== "schedule_never_fires" && <ProblemNotice problem={problem} />}
        {preview?.warnings.map((warning) => <Notice key={warning.code} tone="warn" title="Mind">{warning.detail}</Notice>)}
        {preview && isRecurring(job) && !job.paused && job.status !== "cancelled" && <NextRuns preview={preview} />}
      </div>
    </Card>
  );
}

function LastRuns({ strip }: { strip: readonly StripRun[] }) {
  return (
    <Card title={strip.length === 0 ? "Last runs" : `Last ${plural(strip.length, "run")}`}>
      {strip.length === 0 ? <p class="soft">It has not run yet.</p> : <div class="stack"><Strip runs={strip} bars={BARS} step={14} height={52} /><DurationChart runs={strip} /></div>}
    </Card>
  );
}

function NewestRuns({ job }: { job: string }) {
  const concerns = useMemo(() => jobChange(job), [job]);
  const { data, problem, reload } = useResource<RunList>(pathWith(`/api/jobs/${job}/runs`, { limit: RUNS_LISTED }), concerns);
  return (
    <Card title="Newest runs" flush actions={<button type="button" class="button slim" onClick={() => setQuery({ tab: "runs" })}>All runs</button>}>
      {problem && <ProblemNotice problem={problem} onRetry={reload} />}
      {!data && !problem && <Loading what="runs" />}
      {data && (data.runs.length === 0 ? <Empty icon="runs" title="No runs yet" /> : <RunsTable runs={data.runs} />)}
    </Card>
  );
}

function Overview({ job }: { job: JobData }) {
  const concerns = useMemo(() => jobChange(job.id), [job.id]);
  const { data, problem, reload } = useResource<{ strip: StripRun[] }>(pathWith(`/api/jobs/${job.id}/strip`, { limit: BARS }), concerns);
  return (
    <>
      <Figures job={job} strip={data?.strip ?? []} />
      <div class="columns main-aside">
        <div class="stack">
          {problem && <ProblemNotice problem={problem} onRetry={reload} />}
          {!data && !problem && <Loading what="the last runs" />}
          {data && <LastRuns strip={data.strip} />}
          <NewestRuns job={job.id} />
        </div>
        <div class="stack">
          <ScheduleCard job={job} />
          <ActionFacts job={job} />
          {(job.note || Object.keys(job.metadata).length > 0 || job.tags.length > 0) && (
            <Card title="Notes">
              <dl class="facts">
                {job.note && <><dt>Note</dt><dd>{job.note}</dd></>}
                {job.tags.length > 0 && <><dt>Tags</dt><dd class="row wrap">{job.tags.map((tag) => <Link key={tag} class="tag" to={searchLink("/jobs", { tag })}>{tag}</Link>)}</dd></>}
                {Object.entries(job.metadata).map(([name, value]) => <><dt>{name}</dt><dd>{value}</dd></>)}
              </dl>
            </Card>
          )}
        </div>
      </div>
    </>
  );
}

function AllRuns({ job }: { job: JobData }) {
  const { query } = usePlace();
  const cursors = query.get("page") ?? "";
  const state = query.get("state") ?? "";
  const concerns = useMemo(() => jobChange(job.id), [job.id]);
  const path = pathWith(`/api/jobs/${job.id}/runs`, { limit: RUNS_PAGE, state, cursor: cursorOf(cursors) });
  const { data, problem, stale, partial } = usePage<RunList>(path, concerns, "runs");
  return (
    <Card flush title="Runs" actions={
      <select aria-label="State" value={state} onChange={(event) => setQuery({ state: event.currentTarget.value, page: undefined })}>
        <option value="">All states</option>
        {RUN_TERMS.fields.state?.map((one) => <option key={one} value={one}>{lookOf(one).word}</option>)}
      </select>
    }>
      {problem && <ProblemNotice problem={problem} />}
      {!data && !problem && <Loading what="runs" />}
      {data && (data.runs.length === 0 ? <NoMatch next={data.next} partial={partial} what="runs" title="No such run" /> : <RunsTable runs={data.runs} stale={stale} />)}
      {data && <Pager next={data.next} cursors={cursors} shown={data.runs.length} limit={RUNS_PAGE} partial={partial} what="runs" />}
    </Card>
  );
}

function Declaration({ job }: { job: JobData }) {
  const spec = declarationOf(job);
  return (
    <div class="stack">
      <Card title="As curl"><Snippet text={curlFor("POST", "/api/submitJob", spec)} label="The job as a curl command" /></Card>
      <Card title="As a command"><Snippet text={cliFor(spec)} label="The job as a command" /></Card>
    </div>
  );
}

export function Job({ id }: { id: string }) {
  const { query } = usePlace();
  const concerns = useMemo(() => jobChange(id), [id]);
  const { data: job, problem, reload } = useResource<JobData>(`/api/jobs/${id}`, concerns);
  const { data: why } = useResource<JobWhy>(job ? `/api/jobs/${id}/why` : null, concerns);
  useEffect(() => { document.title = `${job?.name ?? "Job"} · Chronos`; }, [job?.name]);
  if (problem && !job) return <ProblemNotice problem={problem} onRetry={reload} />;
  if (!job) return <Loading what="the job" />;
  const tab = (query.get("tab") ?? "overview") as Tab;
  return (
    <>
      <PageHead crumbs={<><Link to="/jobs">Jobs</Link><span>/</span><span class="mono">{job.key ?? job.id}</span></>}
        title={<span class="row wrap">{job.name}<State of={job.status} /></span>}
        note={<>Declared <Relative at={job.created_at} kind="past" />, version {job.version}</>}>
        <JobActions job={job} />
      </PageHead>
      {problem && <ProblemNotice problem={problem} />}
      {job.warnings.map((warning) => <Notice key={warning.code + warning.detail} tone="warn" title="Mind">{warning.detail}</Notice>)}
      {why && <WhyPanel why={why} job={id} title={job.status === "running" ? "Running now" : "Why it is not running now"}>
        {why.runs[0] && <Link to={`/runs/${why.runs[0].run_id}`} class="button slim">Its run</Link>}
        {why.undecided && may("operator") && <button type="button" class="button slim" onClick={() => askBackfill(job)}>Decide on {countText(why.undecided.count)} missed</button>}
      </WhyPanel>}
      <div class="tabs" role="tablist" aria-label="About this job">
        {TABS.map(([name, label]) => <button key={name} type="button" role="tab" aria-selected={tab === name} onClick={() => setQuery({ tab: name === "overview" ? undefined : name, page: undefined, state: undefined })}>{label}</button>)}
      </div>
      {tab === "overview" && <Overview job={job} />}
      {tab === "runs" && <AllRuns job={job} />}
      {tab === "versions" && <Versions key={job.version} job={job} />}
      {tab === "declaration" && <Declaration job={job} />}
    </>
  );
}
