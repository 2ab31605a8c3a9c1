// Charts over time, by uPlot, which is loaded when the first one is shown. Colours come from the tokens, so
// a chart is drawn anew when the theme changes.
import { useEffect, useRef } from "preact/hooks";
import type uPlot from "uplot";
import { preferences } from "../app/preferences";
import { useWatched } from "../app/watched";
import { clockText, dayText } from "../words/time";

export interface ChartSeries {
  label: string;
  colour: string; // the name of a token: "--good-mark"
  values: (number | null)[];
  kind: "bars" | "line";
}

interface ChartProps {
  label: string;
  times: number[]; // seconds
  series: ChartSeries[];
  format: (value: number) => string;
  height?: number;
  /** The series stand on each other. */
  stacked?: boolean;
}

const DAY_S = 86_400;
const token = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function stack(series: ChartSeries[]): (number | null)[][] {
  const sums: number[] = [];
  return series.map(({ values }) => values.map((value, index) => (sums[index] = (sums[index] ?? 0) + (value ?? 0))));
}

function tipText(props: ChartProps, index: number): string {
  const at = (props.times[index] ?? 0) * 1000;
  const lines = props.series.map(({ label, values }) => `${label}  ${values[index] == null ? "–" : props.format(values[index])}`);
  return [`${dayText(at)} ${clockText(at)}`, ...lines].join("\n");
}

function optionsOf(Plot: typeof uPlot, props: ChartProps, width: number, tip: HTMLElement): uPlot.Options {
  const soft = token("--soft");
  const line = token("--line");
  const span = (props.times.at(-1) ?? 0) - (props.times[0] ?? 0);
  const edge = props.series.some(({ kind }) => kind === "bars") && props.times.length > 1 ? span / (props.times.length - 1) / 2 : 0;
  const bars = Plot.paths.bars?.({ size: [0.72, 26], radius: 0.15 });
  const axis = { stroke: soft, grid: { stroke: line, width: 1 }, ticks: { show: false }, font: `11px ${token("--font")}` };
  const drawn = props.stacked ? [...props.series].reverse() : props.series;
  return {
    width,
    height: props.height ?? 200,
    padding: [10, 8, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
    scales: { x: { range: (_plot, low, high) => [low - edge, high + edge] }, y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.08 : 1] } },
    axes: [
      { ...axis, size: 28, grid: { show: false }, values: (_plot, splits) => splits.map((at) => (span > 2 * DAY_S ? dayText(at * 1000) : clockText(at * 1000))), space: 78 },
      { ...axis, size: 54, values: (_plot, splits) => splits.map(props.format) },
    ],
    series: [
      {},
      ...drawn.map((one) => ({
        label: one.label,
        stroke: token(one.colour),
        ...(one.kind === "bars" && bars ? { fill: token(one.colour), paths: bars, width: 0, points: { show: false } } : { width: 2, spanGaps: true, points: { show: false } }),
      })),
    ],
    hooks: {
      setCursor: [
        (plot) => {
          const index = plot.cursor.idx;
          const left = plot.cursor.left ?? -1;
          tip.hidden = index == null || left < 0;
          if (index == null || left < 0) return;
          tip.textContent = tipText(props, index);
          const room = plot.over.clientWidth - left;
          tip.style.left = `${room < tip.clientWidth + 24 ? left + plot.over.offsetLeft - tip.clientWidth - 12 : left + plot.over.offsetLeft + 12}px`;
          tip.style.top = "12px";
        },
      ],
    },
  };
}

function dataOf({ times, series, stacked }: ChartProps): uPlot.AlignedData {
  const values = stacked ? stack(series).reverse() : series.map((one) => one.values);
  return [times, ...values] as uPlot.AlignedData;
}

export function Chart(props: ChartProps) {
  const holder = useRef<HTMLDivElement>(null);
  const tip = useRef<HTMLDivElement>(null);
  const { theme } = useWatched(preferences);
  useEffect(() => {
    const box = holder.current;
    const tipBox = tip.current;
    if (!box || !tipBox) return undefined;
    let plot: uPlot | null = null;
    let gone = false;
    const observer = new ResizeObserver(() => plot?.setSize({ width: box.clientWidth, height: props.height ?? 200 }));
    void import("./plot").then(({ Plot }) => {
      if (gone) return;
      plot = new Plot(optionsOf(Plot, props, box.clientWidth, tipBox), dataOf(props), box);
      observer.observe(box);
    });
    return () => {
      gone = true;
      observer.disconnect();
      plot?.destroy();
    };
  }, [theme, props.label, JSON.stringify(props.times), JSON.stringify(props.series)]);
  return (
    <figure>
      <div class="chart" ref={holder} role="img" aria-label={props.label}>
        <div class="chart-tip" ref={tip} hidden />
      </div>
      {props.series.length > 1 && <figcaption class="legend" aria-hidden="true">
        {props.series.map(({ label, colour }) => (
          <span key={label}><i class={`mark ${colour.replace(/^--|-mark$/g, "")}`} />{label}</span>
        ))}
      </figcaption>}
    </figure>
  );
}
