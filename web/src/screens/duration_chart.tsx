import type { StripRun } from "../api/types";
import { Chart } from "../parts/chart";
import { durationText, parseDuration } from "../words/time";

const FEWEST = 3;

/** How long the last runs took, as they started: retries and queues change the order of their instants, and a chart goes one way. */
export function DurationChart({ runs }: { runs: readonly StripRun[] }) {
  const timed = runs.filter((run) => run.started_at && run.duration)
    .map((run) => ({ at: Date.parse(run.started_at ?? "") / 1000, took: parseDuration(run.duration) }))
    .sort((a, b) => a.at - b.at);
  if (timed.length < FEWEST) return null;
  return (
    <Chart label="How long the last runs took" height={150} format={durationText} times={timed.map(({ at }) => at)}
      series={[{ name: "Duration", colour: "accent", kind: "line", values: timed.map(({ took }) => took) }]} />
  );
}
