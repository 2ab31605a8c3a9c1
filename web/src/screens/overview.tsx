// What is going on: now, lately, next; and whether the server is well.
import { pathWith } from "../api/http";
import { anyChange, useResource } from "../api/resource";
import type { Overview as Data, OverviewPoint, RunList } from "../api/types";
import { Link, setQuery, usePlace } from "../app/router";
import { may } from "../app/session";
import { Chart } from "../parts/chart";
import { Card, PageHead, Segmented } from "../parts/controls";
import { Empty, Loading, ProblemNotice, Snippet } from "../parts/feedback";
import { Icon, type IconName } from "../parts/icon";
import { ClockTime, Relative } from "../parts/time";
import { bytesText, countText, plural } from "../words/count";
import { curlFor } from "../words/declaration";
import { durationText, parseDuration } from "../words/time";
import { RunsTable } from "./runs_table";

type Range = "24h" | "7d";
const RANGES = [["24h", "24 hours"], ["7d", "7 days"]] as const;
const UPCOMING_MAX = 8;
const LISTED = 10;
const FIRST_JOB = { name: "hello", cron: "* * * * *", action: { kind: "http", url: "http://127.0.0.1:9000/" } };

function Figure({ icon, what, value, note, to, tone = "" }: { icon: IconName; what: string; value: number; note: string; to: string; tone?: string }) {
  return (
    <Link to={to} class={`figure ${value > 0 ? tone : ""}`}>
      <span class="what"><Icon name={icon} size={13} />{what}</span>
      <span class="value">{countText(value)}</span>
      <span class="note">{note}</span>
    </Link>
  );
}

function Figures({ data, range }: { data: Data; range: Range }) {
  const { last } = data;
  const failed = last.failed + last.timed_out + last.lost;
  const ended = failed + last.succeeded;
  const share = ended === 0 ? "nothing has ended" : `${((last.succeeded / ended) * 100).toFixed(failed > 0 && failed / ended < 0.01 ? 2 : 1).replace(/\.0+$/, "")} % of ${countText(ended)}`;
  const since = `since:${range}`;
  const search = (text: string) => `/runs?q=${encodeURIComponent(text)}`;
  return (
    <div class="figures">
      <Figure icon="spinner" what="Running" value={data.running} note={`${countText(data.queued)} queued`} to={search("state:running")} />
      <Figure icon="retry" what="Retrying" value={data.retrying} note="wait for an attempt" to={search("state:retrying")} tone="warn" />
      <Figure icon="clock" what="Late" value={data.late} note="due and not started" to={search("state:queued")} tone="warn" />
      <Figure icon="cross" what="Failed" value={failed} note={`in ${range === "24h" ? "24 hours" : "7 days"}`} to={search(`state:failed ${since}`)} tone="bad" />
      <Figure icon="alert" what="Missed" value={last.missed} note={`${countText(last.skipped)} skipped`} to={search(`state:missed ${since}`)} tone="warn" />
      <Figure icon="check" what="Succeeded" value={last.succeeded} note={share} to={search(`state:succeeded ${since}`)} />
    </div>
  );
}

const timesOf = (points: readonly OverviewPoint[]) => points.map((point) => Date.parse(point.at) / 1000);
const durationOrNull = (text: string | null) => (text === null ? null : parseDuration(text));

function Charts({ data }: { data: Data }) {
  const { points, step } = data.series;
  const times = timesOf(points);
  return (
    <div class="columns">
      <Card title="Runs" actions={<span class="small soft">each bar {step}</span>}>
        <Chart label="Runs that succeeded, failed and were missed over time" times={times} format={countText} stacked series={[
          { label: "Succeeded", colour: "--good-mark", kind: "bars", values: points.map((point) => point.succeeded) },
          { label: "Failed", colour: "--bad-mark", kind: "bars", values: points.map((point) => point.failed) },
          { label: "Missed", colour: "--warn-mark", kind: "bars", values: points.map((point) => point.missed) },
        ]} />
      </Card>
      <Card title="Lateness" actions={<span class="small soft">from the instant to the start</span>}>
        <Chart label="How late runs started over time" times={times} format={durationText} series={[
          { label: "Slowest 1 %", colour: "--odd-mark", kind: "line", values: points.map((point) => durationOrNull(point.lateness_p99)) },
          { label: "Half of them", colour: "--busy-mark", kind: "line", values: points.map((point) => durationOrNull(point.lateness_p50)) },
        ]} />
      </Card>
    </div>
  );
}

function Upcoming({ data }: { data: Data }) {
  return (
    <Card title="Next hour" flush actions={<Link to="/calendar" class="button slim">Calendar</Link>}>
      {data.upcoming.length === 0 ? <p class="soft pad">Nothing is planned in the next hour.</p> : (
        <ul class="upcoming">
          {data.upcoming.slice(0, UPCOMING_MAX).map(({ at, job, run }) => (
            <li key={run}><ClockTime at={at} /><Link to={`/jobs/${job.id}`} class="cut">{job.name}</Link><span class="soft small nowrap"><Relative at={at} kind="future" /></span></li>
          ))}
          {data.upcoming_count > UPCOMING_MAX && <li class="soft small">and {countText(data.upcoming_count - UPCOMING_MAX)} more</li>}
        </ul>
      )}
    </Card>
  );
}

function Health({ data }: { data: Data }) {
  const { store, node } = data;
  return (
    <Card title="This server" actions={<Link to="/nodes" class="button slim">Nodes</Link>}>
      <dl class="facts">
        <dt>Node</dt><dd>{node.name ?? node.id}{node.version ? `, ${node.version}` : ""}</dd>
        {node.started_at && <><dt>Up</dt><dd>since <Relative at={node.started_at} kind="past" /></dd></>}
        <dt>Store</dt><dd>{store.kind}, {bytesText(store.size_bytes)}</dd>
        {store.commit_p99 && <><dt>Commits</dt><dd>99 % within {store.commit_p99}</dd></>}
        <dt>Oldest due</dt><dd>{store.oldest_due_at ? <Relative at={store.oldest_due_at} /> : "nothing waits"}</dd>
        <dt>Jobs</dt><dd>{Object.entries(data.jobs).filter(([, count]) => (count ?? 0) > 0).map(([status, count]) => `${countText(count ?? 0)} ${status}`).join(", ") || "none"}</dd>
      </dl>
    </Card>
  );
}

/** Where the server has no numbers of the whole: the runs that matter, from the list of all. */
function Lists() {
  const running = useResource<RunList>(pathWith("/api/runs", { state: "running", limit: LISTED }), anyChange).data;
  const failed = useResource<RunList>(pathWith("/api/runs", { state: "failed", limit: LISTED }), anyChange).data;
  return (
    <>
      {[{ title: "Running", list: running, none: "Nothing runs." }, { title: "Newest failures", list: failed, none: "Nothing has failed." }].map(({ title, list, none }) => (
        <Card key={title} title={title} flush>
          {!list ? <Loading what={title} /> : list.runs.length === 0 ? <p class="soft pad">{none}</p> : <RunsTable runs={list.runs} withJob />}
        </Card>
      ))}
    </>
  );
}

export function Overview() {
  const { query } = usePlace();
  const range: Range = query.get("range") === "7d" ? "7d" : "24h";
  const { data, problem, reload } = useResource<Data>(pathWith("/api/overview", { range }), anyChange);
  const jobs = Object.values(data?.jobs ?? {}).reduce<number>((sum, count) => sum + (count ?? 0), 0);
  return (
    <>
      <PageHead title="Overview">
        <Segmented label="Range" options={RANGES} value={range} onChange={(next) => setQuery({ range: next === "24h" ? undefined : next }, { replace: true })} />
        {may("submitter") && <Link to="/jobs/new" class="button main"><Icon name="plus" />New job</Link>}
      </PageHead>
      {problem?.status === 404 && <Lists />}
      {problem && problem.status !== 404 && <ProblemNotice problem={problem} onRetry={reload} />}
      {!data && !problem && <Loading what="the overview" />}
      {data && jobs === 0 && (
        <Card>
          <Empty icon="jobs" title="Submit your first job">
            <p>It appears here by itself. This one runs each minute:</p>
            <Snippet text={curlFor("POST", "/api/submitJob", FIRST_JOB)} label="A curl command that submits a job" />
          </Empty>
        </Card>
      )}
      {data && (
        <>
          <Figures data={data} range={range} />
          <Charts data={data} />
          <Card title="Newest failures" flush actions={<Link to="/runs?q=state%3Afailed" class="button slim">All failures</Link>}>
            {data.recent_failures.length === 0
              ? <p class="soft pad row"><Icon name="check" /> Nothing failed in the last {range === "24h" ? "24 hours" : "7 days"}{jobs > 0 ? `, with ${plural(jobs, "job")}.` : "."}</p>
              : <RunsTable runs={data.recent_failures} withJob />}
          </Card>
          <div class="columns"><Upcoming data={data} /><Health data={data} /></div>
        </>
      )}
    </>
  );
}
