// What is going on: now, lately, next; and whether the server is well.
import { pathWith } from "../api/http";
import { anyChange, useResource } from "../api/resource";
import type { Overview as Data, RunList } from "../api/types";
import { Link, setQuery, usePlace } from "../app/router";
import { may } from "../app/session";
import { Chart } from "../parts/chart";
import { Card, PageHead, Segmented } from "../parts/controls";
import { Loading, ProblemNotice } from "../parts/feedback";
import { Icon, type IconName } from "../parts/icon";
import { ClockTime, Relative } from "../parts/time";
import { FAILED, searchLink } from "../search/terms";
import { bytesText, countText } from "../words/count";
import { durationText, parseDuration } from "../words/time";
import { FirstJob } from "./first_job";
import { type Range, rangeIn, RANGES } from "./range";
import { RunsTable } from "./runs_table";

const RUNNING_MAX = 5;
const UPCOMING_MAX = 8;
const CHART_HEIGHT = 190;

function Figure({ icon, what, value, note, to, tone = "" }: { icon: IconName; what: string; value: number; note: string; to: string; tone?: string }) {
  return (
    <Link to={to} class={`figure ${value > 0 ? tone : ""}`}>
      <span class="what"><Icon name={icon} size={13} />{what}</span>
      <span class="value">{countText(value)}</span>
      <span class="note">{note}</span>
    </Link>
  );
}

function shareText(part: number, whole: number): string {
  if (whole === 0) return "nothing has ended";
  const share = (part / whole) * 100;
  return `${share > 99 && share < 100 ? Math.min(99.99, share).toFixed(2) : share.toFixed(1).replace(".0", "")} % of ${countText(whole)}`;
}

function Figures({ data, range }: { data: Data; range: Range }) {
  const { last } = data;
  const failed = last.failed + last.timed_out + last.lost;
  const runs = (state: string) => searchLink("/runs", { state });
  const lately = (state: string) => searchLink("/runs", { state, since: range });
  return (
    <div class="figures">
      <Figure icon="spinner" what="Running" value={data.running} note={`${countText(data.queued)} queued`} to={runs("running")} />
      <Figure icon="retry" what="Retrying" value={data.retrying} note="wait for an attempt" to={runs("retrying")} tone="warn" />
      <Figure icon="clock" what="Late" value={data.late} note="due and not started" to={runs("queued")} tone="warn" />
      <Figure icon="cross" what="Failed" value={failed} note={`in ${RANGES.find(([one]) => one === range)?.[1]}`} to={lately(FAILED)} tone="bad" />
      <Figure icon="alert" what="Missed" value={last.missed} note={`${countText(last.skipped)} skipped`} to={lately("missed")} tone="warn" />
      <Figure icon="check" what="Succeeded" value={last.succeeded} note={shareText(last.succeeded, last.succeeded + failed)} to={lately("succeeded")} />
    </div>
  );
}

const spanOrNull = (text: string | null) => (text === null ? null : parseDuration(text));

function Charts({ series: { points, step } }: { series: Data["series"] }) {
  const times = points.map(({ at }) => Date.parse(at) / 1000);
  return (
    <div class="columns">
      <Card title="Outcomes" actions={<span class="small soft">each bar {step}</span>}>
        <Chart label="Runs that succeeded, failed and were missed over time" height={CHART_HEIGHT} times={times} format={countText} stacked series={[
          { name: "Succeeded", colour: "good", kind: "bars", values: points.map(({ succeeded }) => succeeded) },
          { name: "Failed", colour: "bad", kind: "bars", values: points.map(({ failed }) => failed) },
          { name: "Missed", colour: "warn", kind: "bars", values: points.map(({ missed }) => missed) },
        ]} />
      </Card>
      <Card title="Lateness" actions={<span class="small soft">from the instant to the start</span>}>
        <Chart label="How late runs started over time" height={CHART_HEIGHT} times={times} format={durationText} series={[
          { name: "99 of 100 within", colour: "odd", kind: "line", values: points.map(({ lateness_p99 }) => spanOrNull(lateness_p99)) },
          { name: "Half of them within", colour: "busy", kind: "line", values: points.map(({ lateness_p50 }) => spanOrNull(lateness_p50)) },
        ]} />
      </Card>
    </div>
  );
}

function Running() {
  const { data, problem, reload } = useResource<RunList>(pathWith("/api/runs", { state: "running", limit: RUNNING_MAX }), anyChange);
  if (problem) return <ProblemNotice problem={problem} onRetry={reload} />;
  if (!data || data.runs.length === 0) return null;
  return <Card title="Running now" flush actions={<Link to={searchLink("/runs", { state: "running" })} class="button slim">All that run</Link>}><RunsTable runs={data.runs} withJob /></Card>;
}

function Failures({ runs }: { runs: Data["recent_failures"] }) {
  return (
    <Card title="Newest failures" flush actions={<Link to={searchLink("/runs", { state: FAILED })} class="button slim">All failures</Link>}>
      {runs.length === 0 ? <p class="soft pad row"><Icon name="check" />Nothing has failed.</p> : <RunsTable runs={runs} withJob />}
    </Card>
  );
}

function Upcoming({ data }: { data: Data }) {
  return (
    <Card title="Next hour" flush actions={<Link to="/calendar" class="button slim">Calendar</Link>}>
      {data.upcoming.length === 0 ? <p class="soft pad">Nothing is planned in the next hour.</p> : (
        <ul class="upcoming">
          {data.upcoming.slice(0, UPCOMING_MAX).map(({ at, job, run }) => (
            <li key={run}><ClockTime at={at} /><Link to={`/jobs/${job.id}`} class="cut" title={job.name}>{job.name}</Link><span class="soft small nowrap"><Relative at={at} kind="future" /></span></li>
          ))}
          {data.upcoming_count > UPCOMING_MAX && <li class="soft small"><span class="more">and {countText(data.upcoming_count - UPCOMING_MAX)} more</span></li>}
        </ul>
      )}
    </Card>
  );
}

function Health({ data: { store, node, jobs } }: { data: Data }) {
  const { total, ...states } = jobs;
  return (
    <Card title="This server" actions={<Link to="/nodes" class="button slim">Nodes</Link>}>
      <dl class="facts">
        <dt>Node</dt><dd>{node.name}, {node.version}</dd>
        <dt>Up</dt><dd>since <Relative at={node.started_at} kind="past" /></dd>
        <dt>Store</dt><dd>{store.kind}{store.size_bytes > 0 && `, ${bytesText(store.size_bytes)}`}</dd>
        <dt>First due</dt><dd><Relative at={store.oldest_due_at} none="nothing waits" /></dd>
        <dt>Jobs</dt><dd>{countText(total)}: {Object.entries(states).filter(([, count]) => count > 0).map(([state, count]) => `${countText(count)} ${state}`).join(", ")}</dd>
      </dl>
    </Card>
  );
}

export function Overview() {
  const { query } = usePlace();
  const range = rangeIn(query);
  const { data, problem, stale, reload } = useResource<Data>(pathWith("/api/overview", { range }), anyChange);
  return (
    <>
      <PageHead title="Overview">
        <Segmented label="Range" options={RANGES} value={range} onChange={(next) => setQuery({ range: next === "24h" ? undefined : next }, { replace: true })} />
        {may("submitter") && <Link to="/jobs/new" class="button main"><Icon name="plus" />New job</Link>}
      </PageHead>
      {problem && <ProblemNotice problem={problem} onRetry={reload} />}
      {!data && !problem && <Loading what="the overview" />}
      {data?.jobs.total === 0 && <Card label="No jobs yet"><FirstJob /></Card>}
      {data && data.jobs.total > 0 && (
        <div class="stack dims" aria-busy={stale}>
          <Figures data={data} range={range} />
          <Charts series={data.series} />
          {data.running > 0 && <Running />}
          <Failures runs={data.recent_failures} />
          <div class="columns"><Upcoming data={data} /><Health data={data} /></div>
        </div>
      )}
    </>
  );
}
