// All jobs: a search among them, what their last runs were, many at once.
import { useEffect, useState } from "preact/hooks";
import { pathWith } from "../api/http";
import { anyChange, usePage } from "../api/resource";
import type { Job, JobList } from "../api/types";
import { Link } from "../app/router";
import { may } from "../app/session";
import { BulkBar } from "../bulk/bulk";
import { Card, cursorOf, PageHead, Pager } from "../parts/controls";
import { Loading, NoMatch, ProblemNotice } from "../parts/feedback";
import { Icon } from "../parts/icon";
import { State } from "../parts/state";
import { Strip } from "../parts/strip";
import { Relative } from "../parts/time";
import { SearchBox, useSearch } from "../search/box";
import { SavedViews } from "../search/saved_views";
import { JOB_TERMS, searchLink } from "../search/terms";
import { actionText, scheduleText } from "../words/declaration";
import { FirstJob } from "./first_job";
import { useSelection } from "./selection";

const PAGE = 50;
const BARS = 30;
const views = new SavedViews("jobs");
const CHIPS = [
  { label: "Failed", field: "status", value: "failed" },
  { label: "Running", field: "status", value: "running" },
  { label: "Retrying", field: "status", value: "retrying" },
  { label: "Paused", field: "status", value: "paused" },
  { label: "New in 24 h", field: "since", value: "24h" },
] as const;

interface RowProps {
  job: Job;
  /** When not given, rows are not ticked. */
  onSelect?: ((event: MouseEvent) => void) | undefined;
  selected: boolean;
}

function JobRow({ job, selected, onSelect }: RowProps) {
  return (
    <tr data-row data-selected={selected}>
      {onSelect && <td class="pick"><input type="checkbox" aria-label={`Select ${job.name}`} checked={selected} onClick={onSelect} /></td>}
      <td>
        <div class="name-cell">
          <Link to={`/jobs/${job.id}`} class="cut" title={job.name}>{job.name}</Link>
          <span class="soft small cut mono" title={actionText(job.action)}>{actionText(job.action)}</span>
        </div>
      </td>
      <td data-label="Status"><State of={job.status} /></td>
      <td data-label="Schedule">
        <span class="mono small cut schedule-cell" title={`${scheduleText(job)} (${job.timezone})`}>{scheduleText(job)}</span>
      </td>
      <td data-label="Next" class="nowrap"><Relative at={job.next_run_at} kind="future" zone={job.timezone} /></td>
      <td data-label="Last" class="nowrap">
        {job.last_run ? <Link to={`/runs/${job.last_run.id}`} class="last-run"><State of={job.last_run.state} /><Relative at={job.last_run.ended_at} kind="past" zone={job.timezone} /></Link> : <span class="soft">never</span>}
      </td>
      <td data-label="History"><Strip runs={job.strip ?? []} bars={BARS} step={5} height={26} /></td>
      <td data-label="Tags" class={`tags-cell ${job.tags.length === 0 ? "hide-folded" : ""}`}>
        {job.tags.slice(0, 3).map((tag) => <Link key={tag} class="tag" to={searchLink("/jobs", { tag })}>{tag}</Link>)}
      </td>
    </tr>
  );
}

export function Jobs() {
  const { text, cursors, asked } = useSearch(JOB_TERMS);
  const path = pathWith("/api/jobs", { ...asked.query, strip: BARS, limit: PAGE, cursor: cursorOf(cursors) });
  const { data, problem, stale, partial, reload } = usePage<JobList>(path, anyChange, "jobs");
  const jobs = data?.jobs ?? [];
  const picks = may("operator");
  const { selected, toggle, toggleAll, clear } = useSelection(jobs.map(({ id }) => id), path);
  const [tags, setTags] = useState<string[]>([]);
  useEffect(() => setTags((known) => [...new Set([...known, ...jobs.flatMap((job) => job.tags)])].sort()), [data]);
  return (
    <>
      <PageHead title="Jobs">
        {may("submitter") && <Link to="/jobs/new" class="button main"><Icon name="plus" />New job</Link>}
      </PageHead>
      <SearchBox text={text} vocabulary={JOB_TERMS} unknown={asked.unknown} seen={{ tag: tags }} chips={CHIPS} views={views} what="jobs" />
      {problem && <ProblemNotice problem={problem} onRetry={reload} />}
      <BulkBar what="job" actions={["run", "pause", "resume", "cancel"]} selected={selected} filter={asked.query}
        nameOf={(id) => jobs.find((job) => job.id === id)?.name} onClear={clear} />
      <Card flush label="Jobs">
        {!data && !problem && <Loading what="jobs" />}
        {data && jobs.length === 0 && text === "" && <FirstJob />}
        {data && jobs.length === 0 && text !== "" && <NoMatch next={data.next} partial={partial} what="jobs" title="No job matches"><p>Look for a part of the name, or take a filter away.</p></NoMatch>}
        {jobs.length > 0 && (
          <div class="table-scroll dims" aria-busy={stale}>
            <table class="folds">
              <thead>
                <tr>
                  {picks && <th class="pick"><input type="checkbox" aria-label="Select all on this page" checked={jobs.every(({ id }) => selected.has(id))} onClick={toggleAll} /></th>}
                  <th>Name</th><th>Status</th><th>Schedule</th><th>Next run</th><th>Last run</th><th>Last {BARS} runs</th><th>Tags</th>
                </tr>
              </thead>
              <tbody>
                {jobs.map((job) => (
                  <JobRow key={job.id} job={job} selected={selected.has(job.id)} onSelect={picks ? (event) => toggle(job.id, event.shiftKey) : undefined} />
                ))}
              </tbody>
            </table>
          </div>
        )}
        {data && <Pager next={data.next} cursors={cursors} shown={jobs.length} limit={PAGE} partial={partial} what="jobs" />}
      </Card>
    </>
  );
}
