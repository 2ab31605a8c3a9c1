import type { StripRun } from "../api/types";
import { Chart } from "../parts/chart";
import { durationText, parseDuration } from "../words/time";

const FEWEST = 3;

/** How long the last runs took; oldest first. */
export function DurationChart({ runs }: { runs: readonly StripRun[] }) {
  const timed = runs.filter((run) => run.started_at && run.duration);
  if (timed.length < FEWEST) return null;
  return (
    <Chart label="How long the last runs took" height={150} format={durationText} times={timed.map((run) => Date.parse(run.started_at ?? "") / 1000)}
      series={[{ name: "Duration", colour: "accent", kind: "line", values: timed.map((run) => parseDuration(run.duration)) }]} />
  );
}
