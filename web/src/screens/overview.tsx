// What is going on: what runs now, and what failed last.
import { pathWith } from "../api/http";
import { anyChange, useResource, type Resource } from "../api/resource";
import type { JobList, Run, RunList, RunState } from "../api/types";
import { Link } from "../app/router";
import { may } from "../app/session";
import { Card, PageHead } from "../parts/controls";
import { Loading, ProblemNotice } from "../parts/feedback";
import { Icon } from "../parts/icon";
import { FirstJob } from "./first_job";
import { RunsTable } from "./runs_table";

const LISTED = 10;

const useRuns = (state: RunState): Resource<RunList> => useResource<RunList>(pathWith("/api/runs", { state, limit: LISTED }), anyChange);

/** Of several readings: the runs of all that have come, and what was refused. */
function Listed({ title, none, lists, sort }: { title: string; none: string; lists: Resource<RunList>[]; sort?: (a: Run, b: Run) => number }) {
  const refused = lists.find(({ problem }) => problem);
  const loaded = lists.every(({ data }) => data);
  const runs = lists.flatMap(({ data }) => data?.runs ?? []);
  const shown = (sort ? runs.sort(sort) : runs).slice(0, LISTED);
  return (
    <Card title={title} flush>
      {refused && <ProblemNotice problem={refused.problem} onRetry={refused.reload} />}
      {!loaded && !refused && <Loading what={title} />}
      {loaded && shown.length === 0 && <p class="soft pad">{none}</p>}
      {loaded && shown.length > 0 && <RunsTable runs={shown} withJob />}
    </Card>
  );
}

function Running() {
  return <Listed title="Running" none="Nothing runs." lists={[useRuns("running")]} />;
}

const endedLast = (a: Run, b: Run): number => Date.parse(b.ended_at ?? "") - Date.parse(a.ended_at ?? "");

function Failures() {
  const lists = [useRuns("failed"), useRuns("timed_out"), useRuns("lost")];
  return <Listed title="Newest failures" none="Nothing has failed." lists={lists} sort={endedLast} />;
}

export function Overview() {
  const { data, problem, reload } = useResource<JobList>(pathWith("/api/jobs", { limit: 1 }), anyChange);
  return (
    <>
      <PageHead title="Overview">
        {may("submitter") && <Link to="/jobs/new" class="button main"><Icon name="plus" />New job</Link>}
      </PageHead>
      {problem && <ProblemNotice problem={problem} onRetry={reload} />}
      {data?.jobs.length === 0 ? <Card label="No jobs yet"><FirstJob /></Card> : <><Running /><Failures /></>}
    </>
  );
}
