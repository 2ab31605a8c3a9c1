// What will run, with its peaks and the hours when nothing may; and what happened, jobs by time.
import { useMemo } from "preact/hooks";
import { pathWith } from "../api/http";
import { anyChange, useResource } from "../api/resource";
import type { Forecast, Grid } from "../api/types";
import { clock } from "../app/clock";
import { Link, setQuery, usePlace } from "../app/router";
import { Chart } from "../parts/chart";
import { Card, cursorOf, PageHead, Pager, Segmented } from "../parts/controls";
import { Empty, Loading, Notice, ProblemNotice, Snippet } from "../parts/feedback";
import { Instant } from "../parts/time";
import { countText, plural } from "../words/count";
import { curlFor } from "../words/declaration";
import { lookOf } from "../words/states";
import { clockText, dayText, instantText } from "../words/time";

type Range = "24h" | "7d";
type View = "ahead" | "past";
const VIEWS = [["ahead", "What will run"], ["past", "What happened"]] as const;
const RANGES = [["24h", "24 hours"], ["7d", "7 days"]] as const;
const HOUR_MS = 3_600_000;
const SPAN_MS: Record<Range, number> = { "24h": 24 * HOUR_MS, "7d": 168 * HOUR_MS };
const FORECAST_STEP: Record<Range, string> = { "24h": "30m", "7d": "3h" };
const GRID_STEP: Record<Range, string> = { "24h": "1h", "7d": "6h" };
const STEP_MS: Record<string, number> = { "1h": HOUR_MS, "6h": 6 * HOUR_MS };
const TICKS = 8;

const floorTo = (at: number, step: number) => Math.floor(at / step) * step;

function Scale({ from, to }: { from: number; to: number }) {
  const ticks = Array.from({ length: TICKS }, (_one, index) => from + ((to - from) * index) / TICKS);
  const days = to - from > 2 * SPAN_MS["24h"];
  return (
    <div class="time-scale" aria-hidden="true">
      {ticks.map((at) => <span key={at}>{days ? dayText(at) : clockText(at)}</span>)}
    </div>
  );
}

interface Lane {
  id: string;
  name: string;
  times: number[];
}

function lanesOf(forecast: Forecast): Lane[] {
  const lanes = new Map<string, Lane>();
  for (const { at, job } of forecast.runs) {
    const lane = lanes.get(job.id) ?? { id: job.id, name: job.name, times: [] };
    lane.times.push(Date.parse(at));
    lanes.set(job.id, lane);
  }
  return [...lanes.values()].sort((a, b) => (a.times[0] ?? 0) - (b.times[0] ?? 0));
}

const share = (at: number, from: number, to: number) => `${(Math.min(1, Math.max(0, (at - from) / (to - from))) * 100).toFixed(3)}%`;

function Timeline({ forecast }: { forecast: Forecast }) {
  const from = Date.parse(forecast.from);
  const to = Date.parse(forecast.to);
  const lanes = lanesOf(forecast);
  if (lanes.length === 0) {
    return (
      <Empty icon="calendar" title="Nothing is planned in this time">
        <p>Give a job a schedule, and its runs are drawn here before they happen.</p>
        <Snippet text={curlFor("POST", "/api/submitJob", { name: "nightly", cron: "30 2 * * *", action: { kind: "http", url: "http://127.0.0.1:9000/" } })} label="A curl command that submits a nightly job" />
      </Empty>
    );
  }
  return (
    <div class="timeline">
      <div class="lane head"><span /><Scale from={from} to={to} /><span /></div>
      {lanes.map((lane) => (
        <div key={lane.id} class="lane" data-row>
          <Link to={`/jobs/${lane.id}`} class="cut" title={lane.name}>{lane.name}</Link>
          <div class="lane-line">
            {forecast.blackouts.map((closed) => (
              <i key={closed.calendar + closed.from} class="closed" title={`Closed by ${closed.calendar}`} style={{ left: share(Date.parse(closed.from), from, to), right: `calc(100% - ${share(Date.parse(closed.to), from, to)})` }} />
            ))}
            {lane.times.map((at) => <i key={at} class="due" title={instantText(at)} style={{ left: share(at, from, to) }} />)}
          </div>
          <span class="small soft nowrap">{lane.times.length === 1 ? clockText(lane.times[0] ?? 0) : `${countText(lane.times.length)}×`}</span>
        </div>
      ))}
    </div>
  );
}

function Ahead({ range }: { range: Range }) {
  const from = useMemo(() => new Date(floorTo(clock.now(), 60_000)).toISOString(), [range]);
  const to = new Date(Date.parse(from) + SPAN_MS[range]).toISOString();
  const { data, problem, reload } = useResource<Forecast>(pathWith("/api/forecast", { from, to, step: FORECAST_STEP[range] }));
  if (problem) return <ProblemNotice problem={problem} onRetry={reload} />;
  if (!data) return <Loading what="what will run" />;
  const total = data.buckets.reduce((sum, { count }) => sum + count, 0);
  const peak = data.buckets.reduce((most, bucket) => (bucket.count > most.count ? bucket : most), { at: "", count: 0 });
  return (
    <>
      <Card title="Load" actions={<span class="small soft">{plural(total, "run")}{peak.count > 0 && <>, most ({countText(peak.count)}) at <Instant at={peak.at} /></>}</span>}>
        <Chart label="Planned runs over time" height={170} times={data.buckets.map(({ at }) => Date.parse(at) / 1000)} format={countText}
          series={[{ label: "Planned runs", colour: "--busy-mark", kind: "bars", values: data.buckets.map(({ count }) => count) }]} />
      </Card>
      {data.blackouts.length > 0 && (
        <Notice title="Closed times">
          <ul class="small">
            {data.blackouts.slice(0, 6).map((closed) => <li key={closed.calendar + closed.from}><strong>{closed.calendar}</strong> <Instant at={closed.from} /> – <Instant at={closed.to} /></li>)}
          </ul>
        </Notice>
      )}
      {data.truncated && <Notice tone="warn" title="Not all are drawn">The load above counts all of them; below are the first {countText(data.runs.length)}.</Notice>}
      <Card title="Jobs by time" flush><Timeline forecast={data} /></Card>
    </>
  );
}

function Past({ range }: { range: Range }) {
  const { query } = usePlace();
  const cursors = query.get("page") ?? "";
  const step = STEP_MS[GRID_STEP[range]] ?? HOUR_MS;
  const end = floorTo(clock.now(), step) + step;
  const to = new Date(end).toISOString();
  const from = new Date(end - SPAN_MS[range]).toISOString();
  const { data, problem, stale, reload } = useResource<Grid>(pathWith("/api/grid", { from, to, step: GRID_STEP[range], cursor: cursorOf(cursors) }), anyChange);
  if (problem) return <ProblemNotice problem={problem} onRetry={reload} />;
  if (!data) return <Loading what="what happened" />;
  const columns = Math.round(SPAN_MS[range] / step);
  const begin = Date.parse(from);
  return (
    <Card flush title="Jobs by time" actions={<Legend />}>
      {data.jobs.length === 0 ? <Empty icon="calendar" title="Nothing happened in this time" /> : (
        <div class="timeline dims" aria-busy={stale}>
          <div class="lane head"><span /><Scale from={begin} to={end} /><span /></div>
          {data.jobs.map((job) => (
            <div key={job.id} class="lane" data-row>
              <Link to={`/jobs/${job.id}`} class="cut" title={job.name}>{job.name}</Link>
              <div class="cells" role="img" aria-label={cellsText(job)}>
                {job.cells.map((cell) => (
                  <i key={cell.at} class={`mark ${lookOf(cell.worst_state).tone}`} title={`${instantText(Date.parse(cell.at))}\n${lookOf(cell.worst_state).word}, ${plural(cell.runs, "run")}`}
                    style={{ left: `${(((Date.parse(cell.at) - begin) / step / columns) * 100).toFixed(3)}%`, width: `calc(${(100 / columns).toFixed(3)}% - 2px)` }} />
                ))}
              </div>
              <span class="small soft nowrap">{countText(job.cells.reduce((sum, cell) => sum + cell.runs, 0))}×</span>
            </div>
          ))}
        </div>
      )}
      <Pager next={data.next} cursors={cursors} shown={data.jobs.length} what="jobs" />
    </Card>
  );
}

function cellsText(job: Grid["jobs"][number]): string {
  const bad = job.cells.filter((cell) => lookOf(cell.worst_state).tone === "bad").length;
  return `${job.name}: ran in ${plural(job.cells.length, "period")}, failed in ${bad}`;
}

const Legend = () => (
  <div class="legend">
    {(["succeeded", "failed", "missed", "skipped", "running"] as const).map((state) => <span key={state}><i class={`mark ${lookOf(state).tone}`} />{lookOf(state).word}</span>)}
  </div>
);

export function Calendar() {
  const { query } = usePlace();
  const range: Range = query.get("range") === "7d" ? "7d" : "24h";
  const view: View = query.get("view") === "past" ? "past" : "ahead";
  return (
    <>
      <PageHead title="Calendar" note={<>Now: <Instant at={new Date(clock.now()).toISOString()} /></>}>
        <Segmented label="View" options={VIEWS} value={view} onChange={(next) => setQuery({ view: next === "ahead" ? undefined : next, page: undefined })} />
        <Segmented label="Range" options={RANGES} value={range} onChange={(next) => setQuery({ range: next === "24h" ? undefined : next, page: undefined })} />
      </PageHead>
      {view === "ahead" ? <Ahead range={range} /> : <Past range={range} />}
    </>
  );
}
