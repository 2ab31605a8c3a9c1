// The last runs of a job as bars: colour is the outcome, height the duration.
import type { StripRun } from "../api/types";
import { navigate } from "../app/router";
import { plural } from "../words/count";
import { lookOf } from "../words/states";
import { durationText, instantText, parseDuration } from "../words/time";

const LOWEST = 5;

interface StripProps {
  /** Oldest first. */
  runs: readonly StripRun[];
  bars: number;
  /** Pixels from bar to bar. */
  step: number;
  height: number;
}

function heightsOf(runs: readonly StripRun[], height: number): number[] {
  const spans = runs.map((run) => parseDuration(run.duration));
  const longest = Math.max(1, ...spans.filter(Number.isFinite));
  return spans.map((span) => (Number.isFinite(span) ? LOWEST + (height - LOWEST) * Math.sqrt(span / longest) : LOWEST));
}

function barTitle(run: StripRun): string {
  const lines = [lookOf(run.state).word + (run.count > 1 ? ` ${run.count}×` : ""), instantText(Date.parse(run.started_at ?? run.planned_at))];
  if (run.duration) lines.push(durationText(parseDuration(run.duration)));
  if (run.error) lines.push(run.error);
  return lines.join("\n");
}

export function Strip({ runs, bars, step, height }: StripProps) {
  const shown = runs.slice(-bars);
  const heights = heightsOf(shown, height);
  const bad = shown.filter((run) => lookOf(run.state).tone === "bad").length;
  const label = shown.length === 0 ? "No runs yet" : `The last ${plural(shown.length, "run")}: ${bad} failed, the newest ${lookOf(shown.at(-1)?.state ?? "").word.toLowerCase()}`;
  return (
    <svg class="strip" width={bars * step} height={height} viewBox={`0 0 ${bars * step} ${height}`} role="img" aria-label={label}>
      <line x1="0" x2={bars * step} y1={height - 0.5} y2={height - 0.5} class="strip-ground" />
      {shown.map((run, index) => (
        <g key={run.run} onClick={(event) => { event.stopPropagation(); navigate(`/runs/${run.run}`); }}>
          <rect class="strip-hit" x={(bars - shown.length + index) * step} y="0" width={step} height={height}>
            <title>{barTitle(run)}</title>
          </rect>
          <rect class={`mark ${lookOf(run.state).tone}`} x={(bars - shown.length + index) * step + 0.5} y={height - (heights[index] ?? LOWEST)}
            width={step - 1} height={heights[index] ?? LOWEST} rx="1" />
        </g>
      ))}
    </svg>
  );
}
