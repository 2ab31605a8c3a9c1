// A line over time, by uPlot, which is loaded when the first one is shown. Colours come from the tokens, so
// a chart is drawn anew when the theme changes.
import { useEffect, useRef } from "preact/hooks";
import type uPlot from "uplot";
import { dark } from "../app/preferences";
import { useWatched } from "../app/watched";
import { clockText, dayText } from "../words/time";

interface ChartProps {
  label: string;
  /** What a value is, under the pointer. */
  name: string;
  colour: string; // the name of a token: "--accent"
  times: number[]; // seconds
  values: number[];
  format: (value: number) => string;
  height: number;
}

const DAY_S = 86_400;
const token = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function tipText({ name, times, values, format }: ChartProps, index: number): string {
  const at = (times[index] ?? 0) * 1000;
  return `${dayText(at)} ${clockText(at)}\n${name}  ${format(values[index] ?? NaN)}`;
}

function optionsOf(props: ChartProps, width: number, tip: HTMLElement): uPlot.Options {
  const span = (props.times.at(-1) ?? 0) - (props.times[0] ?? 0);
  const axis = { stroke: token("--soft"), grid: { stroke: token("--line"), width: 1 }, ticks: { show: false }, font: `11px ${token("--font")}` };
  return {
    width,
    height: props.height,
    padding: [10, 8, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
    scales: { y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.08 : 1] } },
    axes: [
      { ...axis, size: 28, grid: { show: false }, values: (_plot, splits) => splits.map((at) => (span > 2 * DAY_S ? dayText(at * 1000) : clockText(at * 1000))), space: 78 },
      { ...axis, size: 54, values: (_plot, splits) => splits.map(props.format) },
    ],
    series: [{}, { label: props.name, stroke: token(props.colour), width: 2, points: { show: false } }],
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

export function Chart(props: ChartProps) {
  const holder = useRef<HTMLDivElement>(null);
  const tip = useRef<HTMLDivElement>(null);
  const isDark = useWatched(dark);
  useEffect(() => {
    const box = holder.current;
    const tipBox = tip.current;
    if (!box || !tipBox) return undefined;
    let plot: uPlot | null = null;
    let gone = false;
    const observer = new ResizeObserver(() => plot?.setSize({ width: box.clientWidth, height: props.height }));
    void import("./plot").then(({ Plot }) => {
      if (gone) return;
      plot = new Plot(optionsOf(props, box.clientWidth, tipBox), [props.times, props.values], box);
      observer.observe(box);
    });
    return () => {
      gone = true;
      observer.disconnect();
      plot?.destroy();
    };
  }, [isDark, props.label, JSON.stringify(props.times), JSON.stringify(props.values)]);
  return (
    <div class="chart" ref={holder} role="img" aria-label={props.label}>
      <div class="chart-tip" ref={tip} hidden />
    </div>
  );
}
