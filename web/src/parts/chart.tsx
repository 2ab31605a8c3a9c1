// Lines and bars over time, by uPlot, which is loaded when the first chart is shown. Colours come from the
// tokens, so a chart is made anew when the theme changes; when only its values change it is drawn again.
import { useEffect, useRef } from "preact/hooks";
import type uPlot from "uplot";
import { dark } from "../app/preferences";
import { useWatched } from "../app/watched";
import { clockText, dayText } from "../words/time";

interface Series {
  /** What a value is, under the pointer and in the legend. */
  name: string;
  colour: "good" | "bad" | "warn" | "busy" | "odd" | "accent";
  values: (number | null)[];
  kind: "bars" | "line";
}

interface ChartProps {
  label: string;
  times: number[]; // seconds
  series: readonly Series[];
  format: (value: number) => string;
  height: number;
  /** Each series stands on those before it. */
  stacked?: boolean;
}

const DAY_S = 86_400;
const BAR_SHARE = 0.72;
const BAR_MAX = 26; // pixels
const token = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const colourOf = (colour: Series["colour"]) => token(colour === "accent" ? "--accent" : `--${colour}-mark`);
const spanOf = (times: readonly number[]) => (times.at(-1) ?? 0) - (times[0] ?? 0);

function tipText({ times, series, format }: ChartProps, index: number): string {
  const at = (times[index] ?? 0) * 1000;
  const lines = series.map(({ name, values }) => `${name}  ${values[index] == null ? "–" : format(values[index])}`);
  return [`${dayText(at)} ${clockText(at)}`, ...lines].join("\n");
}

/** Whole is drawn before part: the highest of a stack is the first series. */
function dataOf({ times, series, stacked }: ChartProps): uPlot.AlignedData {
  if (!stacked) return [times, ...series.map(({ values }) => values)];
  const sums = times.map(() => 0);
  const stack = series.map(({ values }) => values.map((value, index) => (sums[index] = (sums[index] ?? 0) + (value ?? 0))));
  return [times, ...stack.reverse()];
}

function seriesOf(Plot: typeof uPlot, { series, stacked }: ChartProps): uPlot.Series[] {
  const bars = Plot.paths.bars?.({ size: [BAR_SHARE, BAR_MAX], radius: 0.15 });
  const drawn = stacked ? [...series].reverse() : series;
  return drawn.map(({ name, colour, kind }) => ({
    label: name,
    stroke: colourOf(colour),
    points: { show: false },
    ...(kind === "bars" && bars ? { fill: colourOf(colour), paths: bars, width: 0 } : { width: 2, spanGaps: true }),
  }));
}

function optionsOf(Plot: typeof uPlot, now: () => ChartProps, width: number, tip: HTMLElement): uPlot.Options {
  const { height, series, format } = now();
  const axis = { stroke: token("--soft"), grid: { stroke: token("--line"), width: 1 }, ticks: { show: false }, font: `11px ${token("--font")}` };
  const hasBars = series.some(({ kind }) => kind === "bars");
  return {
    width,
    height,
    padding: [10, 8, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
    scales: {
      x: {
        range: (_plot, low, high) => {
          const edge = hasBars && now().times.length > 1 ? (high - low) / (now().times.length - 1) / 2 : 0; // half a bar
          return [low - edge, high + edge];
        },
      },
      y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.08 : 1] },
    },
    axes: [
      { ...axis, size: 28, grid: { show: false }, values: (_plot, splits) => splits.map((at) => (spanOf(now().times) > 2 * DAY_S ? dayText(at * 1000) : clockText(at * 1000))), space: 78 },
      { ...axis, size: 54, values: (_plot, splits) => splits.map(format) },
    ],
    series: [{}, ...seriesOf(Plot, now())],
    hooks: {
      setCursor: [
        (plot) => {
          const index = plot.cursor.idx;
          const left = plot.cursor.left ?? -1;
          tip.hidden = index == null || left < 0;
          if (index == null || left < 0) return;
          tip.textContent = tipText(now(), index);
          const room = plot.over.clientWidth - left;
          tip.style.left = `${room < tip.clientWidth + 24 ? left + plot.over.offsetLeft - tip.clientWidth - 12 : left + plot.over.offsetLeft + 12}px`;
          tip.style.top = "12px";
        },
      ],
    },
  };
}

export function Chart(props: ChartProps) {
  const holder = useRef<HTMLDivElement>(null);
  const tip = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const newest = useRef(props);
  newest.current = props;
  const isDark = useWatched(dark);
  useEffect(() => {
    const box = holder.current;
    const tipBox = tip.current;
    if (!box || !tipBox) return undefined;
    let gone = false;
    const observer = new ResizeObserver(() => plot.current?.setSize({ width: box.clientWidth, height: props.height }));
    void import("./plot").then(({ Plot }) => {
      if (gone) return;
      plot.current = new Plot(optionsOf(Plot, () => newest.current, box.clientWidth, tipBox), dataOf(newest.current), box);
      observer.observe(box);
    });
    return () => {
      gone = true;
      observer.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [isDark, props.label]);
  useEffect(() => plot.current?.setData(dataOf(props)), [JSON.stringify(dataOf(props))]);
  return (
    <figure>
      <div class="chart" ref={holder} role="img" aria-label={props.label}>
        <div class="chart-tip" ref={tip} hidden />
      </div>
      {props.series.length > 1 && (
        <figcaption class="legend" aria-hidden="true">
          {props.series.map(({ name, colour }) => <span key={name}><i class={`mark ${colour}`} />{name}</span>)}
        </figcaption>
      )}
    </figure>
  );
}
