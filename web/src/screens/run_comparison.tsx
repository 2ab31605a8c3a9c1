// A run beside the last one that succeeded: times, attempts, and what differs in their output.
import { useEffect, useState } from "preact/hooks";
import { fetchRaw } from "../api/http";
import type { Run } from "../api/types";
import { Link } from "../app/router";
import { plainText } from "../log/ansi";
import { Diff } from "../parts/diff";
import { Loading } from "../parts/feedback";
import { State } from "../parts/state";
import { Relative, Span } from "../parts/time";
import { type DiffLine, diffLines } from "../words/diff";
import { durationText } from "../words/time";

async function outputOf(run: string): Promise<string[]> {
  try {
    const text = await (await fetchRaw("GET", `/api/runs/${run}/output`, { accept: "text/plain" })).text();
    return text.replace(/\n$/, "").split("\n").map(plainText);
  } catch {
    return []; // nothing was kept
  }
}

function Column({ run, title }: { run: Run; title: string }) {
  return (
    <dl class="facts">
      <dt>{title}</dt><dd><Link to={`/runs/${run.id}`}><Relative at={run.ended_at} kind="past" /></Link> <State of={run.state} /></dd>
      <dt>Took</dt><dd><Span from={run.started_at} to={run.ended_at} /></dd>
      <dt>Attempts</dt><dd>{run.attempts_made}</dd>
      <dt>Late by</dt><dd>{run.lateness_ms === null ? "–" : durationText(run.lateness_ms)}</dd>
      <dt>Node</dt><dd>{run.node || "–"}</dd>
    </dl>
  );
}

export function RunComparison({ run, other }: { run: Run; other: Run }) {
  const [lines, setLines] = useState<DiffLine[] | null>(null);
  useEffect(() => {
    void Promise.all([outputOf(other.id), outputOf(run.id)]).then(([before, after]) => setLines(diffLines(before, after)));
  }, [run.id, other.id]);
  return (
    <div class="stack">
      <div class="columns"><Column run={run} title="This run" /><Column run={other} title="Last success" /></div>
      <h3>Output: from the last success (−) to this run (+)</h3>
      {lines ? <Diff lines={lines} label="Difference of the outputs" /> : <Loading what="both outputs" />}
    </div>
  );
}
