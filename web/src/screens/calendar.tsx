// What will run, with its peaks and the times that calendars close; and what happened, jobs by time.
import type { ComponentChildren } from "preact";
import { pathWith } from "../api/http";
import { anyChange, usePage, useResource } from "../api/resource";
import type { Forecast, Grid, GridRow } from "../api/types";
import { useMinute } from "../app/clock";
import { Link, navigate, setQuery, usePlace } from "../app/router";
import { Chart } from "../parts/chart";
import { Card, cursorOf, PageHead, Pager, Segmented } from "../parts/controls";
import { Empty, Loading, NoMatch, Notice, ProblemNotice, Snippet } from "../parts/feedback";
import { Instant } from "../parts/time";
import { SearchBox, useSearch } from "../search/box";
import { SavedViews } from "../search/saved_views";
import { JOB_TERMS, searchLink } from "../search/terms";
import { countText, plural } from "../words/count";
import { curlFor } from "../words/declaration";
import { type Look, lookOf } from "../words/states";
import { clockText, dayText, instantText } from "../words/time";
import { type Range, rangeIn, RANGES } from "./range";

type View = "ahead" | "past";
const VIEWS = [["ahead", "What will run"], ["past", "What happened"]] as const;
const HOUR_MS = 3_600_000;
const SPAN_MS: Record<Range, number> = { "24h": 24 * HOUR_MS, "7d": 168 * HOUR_MS };
const AHEAD_STEP: Record<Range, string> = { "24h": "30m", "7d": "3h" };
const PAST_HOURS: Record<Range, number> = { "24h": 1, "7d": 6 };
const TICK_HOURS: Record<Range, number> = { "24h": 3, "7d": 24 };
const LAST_TICK = 0.95; // its text needs room
const CHART_HEIGHT = 170;
const LANE_HEIGHT = 22;
const ROWS = 50;
const NIGHTLY = { name: "nightly", cron: "30 2 * * *", action: { kind: "http", url: "http://127.0.0.1:9000/" } };
const views = new SavedViews("calendar");
const CHIPS = [
  { label: "Failed", field: "status", value: "failed" },
  { label: "Paused", field: "status", value: "paused" },
  { label: "Commands", field: "kind", value: "command" },
  { label: "HTTP calls", field: "kind", value: "http" },
] as const;

/** A stretch of time that is drawn from left to right. */
interface Stretch {
  from: number;
  to: number;
}

/** How far an instant is from the left. */
const shareOf = (at: number, { from, to }: Stretch): string => `${(Math.min(1, Math.max(0, (at - from) / (to - from))) * 100).toFixed(3)}%`;
const widthOf = (begin: number, end: number, stretch: Stretch): string =>
  `${(((Math.min(end, stretch.to) - Math.max(begin, stretch.from)) / (stretch.to - stretch.from)) * 100).toFixed(3)}%`;

/** Whole hours or days, as the reader's clock has them. */
function ticksOf(range: Range, { from, to }: Stretch): number[] {
  const day = new Date(from);
  const tickAt = (hour: number) => new Date(day.getFullYear(), day.getMonth(), day.getDate(), hour).getTime();
  const ticks: number[] = [];
  for (let hour = 0; (tickAt(hour) - from) / (to - from) < LAST_TICK; hour += TICK_HOURS[range]) {
    if (tickAt(hour) >= from) ticks.push(tickAt(hour));
  }
  return ticks;
}

function Scale({ range, ...stretch }: Stretch & { range: Range }) {
  const text = range === "7d" ? dayText : clockText;
  return (
    <div class="lane head" aria-hidden="true">
      <span /><svg class="time-scale" width="100%" height="16">{ticksOf(range, stretch).map((at) => <text key={at} x={shareOf(at, stretch)} y="12">{text(at)}</text>)}</svg><span />
    </div>
  );
}

function Lane({ name, count, label, children }: { name: ComponentChildren; count: string; label: string; children: ComponentChildren }) {
  return (
    <li class="lane" data-row>
      {name}
      <svg class="lane-line" width="100%" height={LANE_HEIGHT} role="img" aria-label={label}>{children}</svg>
      <span class="small soft nowrap">{count}</span>
    </li>
  );
}

const JobName = ({ id, name }: { id: string; name: string }) => <Link to={`/jobs/${id}`} class="cut" title={name}>{name}</Link>;

/** Runs of one job, or closed times of one calendar, together. */
function byName<T>(all: readonly T[], idOf: (one: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const one of all) groups.set(idOf(one), [...(groups.get(idOf(one)) ?? []), one]);
  return [...groups.values()];
}

function ClosedLane({ closed, stretch }: { closed: Forecast["blackouts"]; stretch: Stretch }) {
  const name = closed[0]?.calendar ?? "";
  return (
    <Lane name={<span class="cut soft" title={name}>Closed by {name}</span>} count={`${countText(closed.length)}×`} label={`Calendar ${name}: closed ${plural(closed.length, "time")}`}>
      {closed.map(({ from, to }) => (
        <rect key={from} class="closed" x={shareOf(Date.parse(from), stretch)} width={widthOf(Date.parse(from), Date.parse(to), stretch)} y="0" height={LANE_HEIGHT}>
          <title>{`${instantText(Date.parse(from))} – ${instantText(Date.parse(to))}`}</title>
        </rect>
      ))}
    </Lane>
  );
}

function DueLane({ runs, stretch }: { runs: Forecast["runs"]; stretch: Stretch }) {
  const { job = { id: "", name: "" }, at: first = "" } = runs[0] ?? {};
  return (
    <Lane name={<JobName id={job.id} name={job.name} />} count={runs.length === 1 ? clockText(Date.parse(first)) : `${countText(runs.length)}×`}
      label={`${job.name}: ${plural(runs.length, "run")}, the first at ${instantText(Date.parse(first))}`}>
      {runs.map(({ at }) => <rect key={at} class="due" x={shareOf(Date.parse(at), stretch)} y="5" width="4" height="12" rx="2"><title>{instantText(Date.parse(at))}</title></rect>)}
    </Lane>
  );
}

function Timeline({ forecast, range }: { forecast: Forecast; range: Range }) {
  const stretch = { from: Date.parse(forecast.from), to: Date.parse(forecast.to) };
  if (forecast.runs.length === 0) {
    return (
      <Empty icon="calendar" title="Nothing is planned in this time">
        <p>Give a job a schedule, and its runs are drawn here before they happen.</p>
        <Snippet text={curlFor("POST", "/api/submitJob", NIGHTLY)} label="A curl command that submits a nightly job" />
      </Empty>
    );
  }
  return (
    <>
      <Scale range={range} {...stretch} />
      <ul>
        {byName(forecast.blackouts, ({ calendar }) => calendar).map((closed) => <ClosedLane key={closed[0]?.calendar} closed={closed} stretch={stretch} />)}
        {byName(forecast.runs, ({ job }) => job.id).map((runs) => <DueLane key={runs[0]?.job.id} runs={runs} stretch={stretch} />)}
      </ul>
    </>
  );
}

function Ahead({ range }: { range: Range }) {
  const from = useMinute();
  const path = pathWith("/api/forecast", { from: new Date(from).toISOString(), to: new Date(from + SPAN_MS[range]).toISOString(), step: AHEAD_STEP[range] });
  const { data, problem, stale, reload } = useResource<Forecast>(path);
  if (problem) return <ProblemNotice problem={problem} onRetry={reload} />;
  if (!data) return <Loading what="what will run" />;
  const total = data.buckets.reduce((sum, { count }) => sum + count, 0);
  const peak = data.buckets.reduce((most, bucket) => (bucket.count > most.count ? bucket : most), { at: "", count: 0 });
  const left = total - data.runs.length;
  return (
    <div class="stack dims" aria-busy={stale}>
      <Card title="Load" actions={<span class="small soft">{plural(total, "run")}{peak.count > 0 && <>, most ({countText(peak.count)} in {AHEAD_STEP[range]}) from <Instant at={peak.at} /> on</>}</span>}>
        <Chart label="Planned runs over time" height={CHART_HEIGHT} times={data.buckets.map(({ at }) => Date.parse(at) / 1000)} format={countText}
          series={[{ name: "Planned runs", colour: "busy", kind: "bars", values: data.buckets.map(({ count }) => count) }]} />
      </Card>
      {data.truncated && <Notice tone="warn" title="There is more">Not all jobs were looked at: those whose next run comes first are counted.</Notice>}
      <Card title="Jobs by time" flush actions={left > 0 && <span class="small soft">{countText(data.runs.length)} of {countText(total)} runs are drawn</span>}>
        <Timeline forecast={data} range={range} />
      </Card>
    </div>
  );
}

/** What went wrong is higher than what went well: it is seen without its colour. */
const INSETS: Partial<Record<Look["tone"], number>> = { bad: 0, warn: 2, good: 6 };

function cellText({ at, worst_state, runs }: GridRow["cells"][number]): string {
  return `${instantText(Date.parse(at))}\n${lookOf(worst_state).word}${runs > 0 ? `, ${plural(runs, "run")}` : ""}`;
}

function RowLane({ row, step, stretch }: { row: GridRow; step: number; stretch: Stretch }) {
  const bad = row.cells.filter(({ worst_state }) => lookOf(worst_state).tone === "bad").length;
  const total = row.cells.reduce((sum, { runs }) => sum + runs, 0);
  const open = (at: number) => navigate(searchLink("/runs", { name: row.name, since: new Date(at).toISOString(), until: new Date(at + step).toISOString() }));
  return (
    <Lane name={<JobName id={row.id} name={row.name} />} count={`${countText(total)}${row.truncated ? "+" : ""}×`} label={`${row.name}: ran in ${plural(row.cells.length, "period")}, failed in ${bad}`}>
      {row.cells.map((cell) => {
        const at = Date.parse(cell.at);
        const { tone } = lookOf(cell.worst_state);
        const inset = INSETS[tone] ?? 4;
        return (
          <rect key={cell.at} class={`mark cell ${tone}`} x={shareOf(at, stretch)} width={widthOf(at, at + step, stretch)} y={inset} height={LANE_HEIGHT - 2 * inset} rx="2" onClick={() => open(at)}>
            <title>{cellText(cell)}</title>
          </rect>
        );
      })}
    </Lane>
  );
}

function Legend() {
  return (
    <div class="legend" aria-hidden="true">
      {(["succeeded", "failed", "missed", "skipped", "running"] as const).map((state) => <span key={state}><i class={`mark ${lookOf(state).tone}`} />{lookOf(state).word}</span>)}
    </div>
  );
}

function Past({ range }: { range: Range }) {
  const { text, cursors, asked } = useSearch(JOB_TERMS);
  const step = PAST_HOURS[range] * HOUR_MS;
  const to = (Math.floor(useMinute() / step) + 1) * step;
  const stretch = { from: to - SPAN_MS[range], to };
  const path = pathWith("/api/grid", {
    ...asked.query, from: new Date(stretch.from).toISOString(), to: new Date(to).toISOString(), step: `${PAST_HOURS[range]}h`, limit: ROWS, cursor: cursorOf(cursors),
  });
  const { data, problem, stale, partial, reload } = usePage<Grid>(path, anyChange, "jobs");
  return (
    <>
      <SearchBox text={text} vocabulary={JOB_TERMS} unknown={asked.unknown} seen={{}} chips={CHIPS} views={views} what="jobs" />
      {problem && <ProblemNotice problem={problem} onRetry={reload} />}
      <Card flush title="Jobs by time" actions={<Legend />}>
        {!data && !problem && <Loading what="what happened" />}
        {data && data.jobs.length === 0 && (text === "" ? <Empty icon="calendar" title="There are no jobs yet" /> : <NoMatch next={data.next} partial={partial} what="jobs" title="No job matches" />)}
        {data && data.jobs.length > 0 && (
          <div class="dims" aria-busy={stale}>
            <Scale range={range} {...stretch} />
            <ul>{data.jobs.map((row) => <RowLane key={row.id} row={row} step={step} stretch={stretch} />)}</ul>
          </div>
        )}
        {data && <Pager next={data.next} cursors={cursors} shown={data.jobs.length} limit={ROWS} partial={partial} what="jobs" />}
      </Card>
    </>
  );
}

export function Calendar() {
  const { query } = usePlace();
  const range = rangeIn(query);
  const view: View = query.get("view") === "past" ? "past" : "ahead";
  return (
    <>
      <PageHead title="Calendar">
        <Segmented label="View" options={VIEWS} value={view} onChange={(next) => setQuery({ view: next === "ahead" ? undefined : next, page: undefined, q: undefined })} />
        <Segmented label="Range" options={RANGES} value={range} onChange={(next) => setQuery({ range: next === "24h" ? undefined : next, page: undefined })} />
      </PageHead>
      {view === "ahead" ? <Ahead range={range} /> : <Past range={range} />}
    </>
  );
}
