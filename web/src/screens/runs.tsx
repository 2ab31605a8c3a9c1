// All runs: what happened, by state, time, job and error; many at once.
import { pathWith } from "../api/http";
import { anyChange, usePage } from "../api/resource";
import type { RunList } from "../api/types";
import { may } from "../app/session";
import { BulkBar } from "../bulk/bulk";
import { Card, cursorOf, PageHead, Pager } from "../parts/controls";
import { Empty, Loading, NoMatch, ProblemNotice, Snippet } from "../parts/feedback";
import { SearchBox, useSearch } from "../search/box";
import { SavedViews } from "../search/saved_views";
import { FAILED, RUN_TERMS } from "../search/terms";
import { curlFor } from "../words/declaration";
import { RunsTable } from "./runs_table";
import { useSelection } from "./selection";

const PAGE = 50;
const views = new SavedViews("runs");
const CHIPS = [
  { label: "Failed", field: "state", value: FAILED },
  { label: "Running", field: "state", value: "running" },
  { label: "Retrying", field: "state", value: "retrying" },
  { label: "Missed", field: "state", value: "missed" },
  { label: "Last 24 h", field: "since", value: "24h" },
] as const;

export function Runs() {
  const { text, cursors, asked } = useSearch(RUN_TERMS);
  const path = pathWith("/api/runs", { ...asked.query, limit: PAGE, cursor: cursorOf(cursors) });
  const { data, problem, stale, partial, reload } = usePage<RunList>(path, anyChange, "runs");
  const runs = data?.runs ?? [];
  const ticks = useSelection(runs.map(({ id }) => id), path);
  return (
    <>
      <PageHead title="Runs" />
      <SearchBox text={text} vocabulary={RUN_TERMS} unknown={asked.unknown} seen={{}} chips={CHIPS} views={views} what="runs" />
      {problem && <ProblemNotice problem={problem} onRetry={reload} />}
      <BulkBar what="run" actions={["retry", "cancel"]} selected={ticks.selected} filter={asked.query}
        nameOf={(id) => runs.find((run) => run.id === id)?.job_name} onClear={ticks.clear} />
      <Card flush label="Runs">
        {!data && !problem && <Loading what="runs" />}
        {data && runs.length === 0 && (text === "" ? (
          <Empty icon="runs" title="Nothing has run yet">
            <p>Every planned instant of every job gets its row here: it ran, or it says why not.</p>
            <Snippet text={curlFor("GET", "/api/runs")} label="A curl command that lists the runs" />
          </Empty>
        ) : <NoMatch next={data.next} partial={partial} what="runs" title="No run matches"><p>Take a filter away, or look further back.</p></NoMatch>)}
        {runs.length > 0 && <RunsTable runs={runs} withJob stale={stale} ticks={may("operator") ? ticks : undefined} />}
        {data && <Pager next={data.next} cursors={cursors} shown={runs.length} limit={PAGE} partial={partial} what="runs" />}
      </Card>
    </>
  );
}
