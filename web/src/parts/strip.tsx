// The last runs of a job as bars: colour is the outcome, height the duration.
import { type Run, tookMs } from "../api/types";
import { navigate } from "../app/router";
import { plural } from "../words/count";
import { lookOf } from "../words/states";
import { durationText, instantText } from "../words/time";

const BARS = 50;
const STEP = 14; // pixels from bar to bar
const HEIGHT = 52;
const LOWEST = 5;

function heightsOf(runs: readonly Run[]): number[] {
  const spans = runs.map(tookMs);
  const longest = Math.max(1, ...spans.filter(Number.isFinite));
  return spans.map((span) => (Number.isFinite(span) ? LOWEST + (HEIGHT - LOWEST) * Math.sqrt(span / longest) : LOWEST));
}

function barTitle(run: Run): string {
  const lines = [lookOf(run.state).word];
  if (run.started_at) lines.push(instantText(Date.parse(run.started_at)));
  if (run.ended_at) lines.push(durationText(tookMs(run)));
  if (run.error) lines.push(run.error);
  return lines.join("\n");
}

/** Oldest first. */
export function Strip({ runs }: { runs: readonly Run[] }) {
  const shown = runs.slice(-BARS);
  const heights = heightsOf(shown);
  const bad = shown.filter((run) => lookOf(run.state).tone === "bad").length;
  const label = shown.length === 0 ? "No runs yet" : `The last ${plural(shown.length, "run")}: ${bad} failed, the newest ${lookOf(shown.at(-1)?.state ?? "").word.toLowerCase()}`;
  return (
    <svg class="strip" width={BARS * STEP} height={HEIGHT} viewBox={`0 0 ${BARS * STEP} ${HEIGHT}`} role="img" aria-label={label}>
      <line x1="0" x2={BARS * STEP} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} class="strip-ground" />
      {shown.map((run, index) => (
        <g key={run.id} onClick={(event) => { event.stopPropagation(); navigate(`/runs/${run.id}`); }}>
          <rect class="strip-hit" x={(BARS - shown.length + index) * STEP} y="0" width={STEP} height={HEIGHT}>
            <title>{barTitle(run)}</title>
          </rect>
          <rect class={`mark ${lookOf(run.state).tone}`} x={(BARS - shown.length + index) * STEP + 0.5} y={HEIGHT - (heights[index] ?? LOWEST)}
            width={STEP - 1} height={heights[index] ?? LOWEST} rx="1" />
        </g>
      ))}
    </svg>
  );
}
