// Runs as rows: in the list of all, in a job, in the overview.
import type { Run } from "../api/types";
import { Link } from "../app/router";
import { State } from "../parts/state";
import { Relative, Span } from "../parts/time";
import { plural } from "../words/count";
import { durationText } from "../words/time";
import { triggerText } from "../words/states";

/** Which rows are ticked. */
interface Ticks {
  selected: ReadonlySet<string>;
  toggle: (id: string, range: boolean) => void;
  toggleAll: () => void;
}

interface TableProps {
  runs: readonly Run[];
  withJob?: boolean;
  stale?: boolean;
  /** When not given, rows are not ticked. */
  ticks?: Ticks | undefined;
}

const what = (run: Run) => {
  if (run.error !== "") return run.error;
  if (run.count > 1) return `${plural(run.count, "instant")}, ${run.reason}`;
  if (run.exit_code !== null && run.exit_code !== 0) return `exit code ${run.exit_code}`;
  if (run.http_status !== null) return `HTTP ${run.http_status}`;
  return run.reason;
};

function RunRow({ run, withJob, ticks }: { run: Run; withJob: boolean; ticks: Ticks | undefined }) {
  const isTicked = ticks?.selected.has(run.id) ?? false;
  return (
    <tr data-row data-selected={isTicked}>
      {ticks && <td class="pick"><input type="checkbox" aria-label={`Select the run of ${run.job_name}`} checked={isTicked} onClick={(event) => ticks.toggle(run.id, event.shiftKey)} /></td>}
      <td data-label="State"><Link to={`/runs/${run.id}`} class="state-link" aria-label={`Run of ${run.job_name}, ${run.state}`}><State of={run.state} reason={run.count > 1 ? `${run.count}×` : undefined} /></Link></td>
      {withJob && <td data-label="Job"><div class="name-cell"><Link to={`/jobs/${run.job_id}`} class="cut" title={run.job_name}>{run.job_name}</Link></div></td>}
      <td data-label="Planned" class="nowrap"><Relative at={run.planned_at} /></td>
      <td data-label="Took" class="number nowrap">{run.started_at ? <Span from={run.started_at} to={run.ended_at} /> : <span class="soft">–</span>}</td>
      <td data-label="Late" class="number nowrap">{run.lateness_ms === null ? <span class="soft">–</span> : durationText(run.lateness_ms)}</td>
      <td data-label="Attempts" class="number">{run.attempts_made}</td>
      <td data-label="Trigger" class="soft nowrap small">{triggerText(run.trigger)}</td>
      <td data-label="What" class="what"><span class="cut what-cell small" title={what(run)}>{what(run)}</span></td>
    </tr>
  );
}

export function RunsTable({ runs, withJob = false, stale = false, ticks }: TableProps) {
  return (
    <div class="table-scroll dims" aria-busy={stale}>
      <table class="folds runs">
        <thead>
          <tr>
            {ticks && <th class="pick"><input type="checkbox" aria-label="Select all on this page" checked={runs.every(({ id }) => ticks.selected.has(id))} onClick={ticks.toggleAll} /></th>}
            <th>State</th>
            {withJob && <th>Job</th>}
            <th>Planned</th><th class="number">Took</th><th class="number">Late</th><th class="number">Attempts</th><th>Trigger</th><th>What</th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => <RunRow key={run.id} run={run} withJob={withJob} ticks={ticks} />)}
        </tbody>
      </table>
    </div>
  );
}
