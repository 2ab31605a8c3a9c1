import { type Run, tookMs } from "../api/types";
import { Chart } from "../parts/chart";
import { durationText } from "../words/time";

const FEWEST = 3;

/** How long the last runs took; oldest first. */
export function DurationChart({ runs }: { runs: readonly Run[] }) {
  const timed = runs.filter((run) => Number.isFinite(tookMs(run)));
  if (timed.length < FEWEST) return null;
  return (
    <Chart label="How long the last runs took" height={150} format={durationText} times={timed.map((run) => Date.parse(run.started_at ?? "") / 1000)}
      series={[{ name: "Duration", colour: "accent", kind: "line", values: timed.map(tookMs) }]} />
  );
}
