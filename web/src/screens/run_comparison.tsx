// A run beside the last one that succeeded: times, attempts, and what differs in their output.
import { useEffect, useState } from "preact/hooks";
import { fetchRaw, Problem } from "../api/http";
import type { Run } from "../api/types";
import { Link } from "../app/router";
import { plainText } from "../log/ansi";
import { Diff } from "../parts/diff";
import { Loading, ProblemNotice } from "../parts/feedback";
import { State } from "../parts/state";
import { Relative, Span } from "../parts/time";
import { bytesText } from "../words/count";
import { durationText } from "../words/time";

interface Kept {
  lines: string[];
  /** Bytes beyond what was kept. */
  dropped: number;
}

async function outputOf(run: string): Promise<Kept> {
  try {
    const response = await fetchRaw("GET", `/api/runs/${run}/output`, { accept: "text/plain" });
    const text = await response.text();
    return { lines: text.replace(/\n$/, "").split("\n").map(plainText), dropped: Number(response.headers.get("Chronos-Output-Dropped") ?? 0) };
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return { lines: [], dropped: 0 }; // nothing was kept
    throw error;
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
  const [kept, setKept] = useState<{ before: Kept; after: Kept } | null>(null);
  const [problem, setProblem] = useState<unknown>(null);
  const load = () => {
    setProblem(null);
    Promise.all([outputOf(other.id), outputOf(run.id)]).then(([before, after]) => setKept({ before, after }), setProblem);
  };
  useEffect(load, [run.id, other.id]);
  const dropped = kept ? kept.before.dropped + kept.after.dropped : 0;
  return (
    <div class="stack">
      <div class="columns"><Column run={run} title="This run" /><Column run={other} title="Last success" /></div>
      <h3>Output: from the last success (−) to this run (+)</h3>
      {problem !== null && <ProblemNotice problem={problem} onRetry={load} />}
      {!kept && problem === null && <Loading what="both outputs" />}
      {dropped > 0 && <p class="warn-text small" role="note">{bytesText(dropped)} more were written and not kept: they are not compared.</p>}
      {kept && <Diff before={kept.before.lines} after={kept.after.lines} label="Difference of the outputs" />}
    </div>
  );
}
