// A log: only the lines in view are in the page, so a million scroll like ten. It follows its end while it
// grows, is searched, has a link for each line, and can be taken away raw.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { BASE, pathWith } from "../api/http";
import { navigate, usePlace } from "../app/router";
import { ProblemNotice } from "../parts/feedback";
import { Icon } from "../parts/icon";
import { bytesText, countText, exactText } from "../words/count";
import { piecesOf, plainText } from "./ansi";
import { type Output, OutputFeed } from "./output";

const LINE_PX = 20;
const SPARE_LINES = 12;
const TALLEST_PX = 8_000_000; // browsers stop laying out beyond some millions: then the bar is a scale
const WRAP_MAX = 3_000; // wrapped lines have no known height: all of them stand in the page
const NEAR_END_PX = 30;

const EMPTY: Output = { lines: [], revision: 0, dropped: 0, loaded: false, problem: null };

interface LogProps {
  run: string;
  attempt: number | undefined;
  growing: boolean;
}

/** Where in the lines the window is, for a scroll position. */
function windowOf(scrollTop: number, height: number, count: number) {
  const full = count * LINE_PX;
  const tall = Math.min(full, TALLEST_PX);
  const scale = tall > height ? (full - height) / (tall - height) : 1;
  const top = scrollTop * scale;
  const first = Math.max(0, Math.floor(top / LINE_PX) - SPARE_LINES);
  const last = Math.min(count, Math.ceil((top + height) / LINE_PX) + SPARE_LINES);
  return { tall, first, last, shift: scrollTop + first * LINE_PX - top };
}

const scrollFor = (line: number, height: number, count: number): number => {
  const full = count * LINE_PX;
  const tall = Math.min(full, TALLEST_PX);
  const top = Math.max(0, line * LINE_PX - height / 3);
  return full <= height ? 0 : top * ((tall - height) / (full - height));
};

function Text({ text, wanted }: { text: string; wanted: string }) {
  if (wanted === "") return <>{text}</>;
  const lower = text.toLowerCase();
  const parts = [];
  let from = 0;
  for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, from)) {
    parts.push(text.slice(from, at), <mark key={at}>{text.slice(at, at + wanted.length)}</mark>);
    from = at + wanted.length;
  }
  parts.push(text.slice(from));
  return <>{parts}</>;
}

/** A line is one of an attempt: its address says which. */
const lineAddress = (attempt: number | undefined, number: number): string => `?attempt=${attempt ?? 1}#L${number}`;

function Line({ line, number, attempt, marked, wanted, onLink }: { line: string; number: number; attempt: number | undefined; marked: boolean; wanted: string; onLink: (number: number) => void }) {
  return (
    <div class="log-line" data-marked={marked}>
      <a href={lineAddress(attempt, number)} tabIndex={-1} aria-label={`Link to line ${number}`} onClick={(event) => { event.preventDefault(); onLink(number); }}>{number}</a>
      <span>{piecesOf(line).map(({ text, look }, index) => <span key={index} class={look}><Text text={text} wanted={wanted} /></span>)}</span>
    </div>
  );
}

function useOutput({ run, attempt, growing }: LogProps): Output {
  const [output, setOutput] = useState<Output>(EMPTY);
  useEffect(() => {
    const feed = new OutputFeed(run, attempt, growing, setOutput);
    return () => feed.close();
  }, [run, attempt, growing]); // when it has ended it is read once more, whole
  return output;
}

function useSearch(lines: readonly string[], revision: number, typed: string) {
  const wanted = typed.toLowerCase();
  const hits = useMemo(() => {
    if (wanted === "") return [];
    const found: number[] = [];
    lines.forEach((line, index) => {
      if ((line.includes("\u001b") ? plainText(line) : line).toLowerCase().includes(wanted)) found.push(index);
    });
    return found;
  }, [revision, wanted]);
  return { wanted, hits };
}

export function Log(props: LogProps) {
  const { run, attempt, growing } = props;
  const output = useOutput(props);
  const { lines, revision } = output;
  const { path, hash } = usePlace();
  const box = useRef<HTMLDivElement>(null);
  const [scroll, setScroll] = useState({ top: 0, height: 420 });
  const [follow, setFollow] = useState(growing && hash === "");
  const [wrap, setWrap] = useState(false);
  const [typed, setTyped] = useState("");
  const [hit, setHit] = useState(0);
  const [marked, setMarked] = useState(Number(/^L(\d+)$/.exec(hash)?.[1] ?? 0));
  const { wanted, hits } = useSearch(lines, revision, typed);
  const wrapped = wrap && lines.length <= WRAP_MAX;

  useEffect(() => setFollow(growing && marked === 0), [run, attempt, growing]);
  useLayoutEffect(() => {
    if (follow && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [revision, follow, wrapped]);
  const jump = (line: number) => {
    setFollow(false);
    if (box.current) box.current.scrollTop = scrollFor(line, box.current.clientHeight, lines.length);
  };
  useEffect(() => {
    if (marked > 0 && lines.length >= marked && output.loaded) jump(marked - 1);
  }, [output.loaded]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key === "f" && !event.ctrlKey && !event.metaKey && !(event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement)) setFollow(true);
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
  useEffect(() => {
    if (!box.current) return undefined;
    const observer = new ResizeObserver(([entry]) => setScroll((now) => ({ ...now, height: entry?.contentRect.height ?? now.height })));
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);

  const onScroll = () => {
    const element = box.current;
    if (!element) return;
    setScroll({ top: element.scrollTop, height: element.clientHeight });
    const nearEnd = element.scrollTop + element.clientHeight >= element.scrollHeight - NEAR_END_PX;
    if (!nearEnd && follow) setFollow(false);
    else if (nearEnd && growing && !follow) setFollow(true);
  };
  const link = (number: number) => {
    setMarked(number);
    navigate(path + lineAddress(attempt, number), { replace: true });
  };
  const go = (by: number) => {
    if (hits.length === 0) return;
    const next = (hit + by + hits.length) % hits.length;
    setHit(next);
    const line = hits[next] ?? 0;
    setMarked(line + 1);
    jump(line);
  };

  const view = windowOf(scroll.top, scroll.height, lines.length);
  const [first, last] = wrapped ? [0, lines.length] : [view.first, view.last];
  return (
    <div class="log" data-wrap={wrapped}>
      <div class="log-bar">
        <div class="log-search">
          <Icon name="search" size={14} />
          <input type="text" aria-label="Search the output" placeholder="Search" value={typed}
            onInput={(event) => { setTyped(event.currentTarget.value); setHit(-1); }}
            onKeyDown={(event) => { if (event.key === "Enter") { event.preventDefault(); go(event.shiftKey ? -1 : 1); } }} />
          {typed !== "" && <span class="small" role="status">{hits.length === 0 ? "none" : `${Math.max(0, hit) + 1}/${countText(hits.length)}`}</span>}
        </div>
        <span class="small log-count">{lines.length === 1 ? "1 line" : `${exactText(lines.length)} lines`}{output.dropped > 0 ? `, ${bytesText(output.dropped)} more were not kept` : ""}</span>
        <span class="push" />
        {growing && (
          <button type="button" class="button slim" aria-pressed={follow} onClick={() => setFollow(!follow)}>
            <Icon name={follow ? "pause" : "down"} size={13} />{follow ? "Following" : "Follow"}
          </button>
        )}
        <button type="button" class="button slim" aria-pressed={wrapped} disabled={lines.length > WRAP_MAX} onClick={() => setWrap(!wrap)}>Wrap</button>
        <a class="button slim" href={BASE + pathWith(`/api/runs/${run}/output`, { attempt })} download={`${run}.txt`}><Icon name="download" size={13} />Raw</a>
      </div>
      {output.problem && <ProblemNotice problem={output.problem} />}
      <div class="log-box" ref={box} tabIndex={0} role="region" aria-label="Output" onScroll={onScroll}>
        {lines.length === 0 ? (
          <p class="log-none">{!output.loaded ? "Reading…" : growing ? "Nothing was written yet. It appears here as it is written." : "Nothing was written."}</p>
        ) : (
          <div class="log-tall" style={{ height: wrapped ? "auto" : `${view.tall}px` }}>
            <div class="log-window" style={{ transform: wrapped ? "none" : `translateY(${view.shift}px)` }}>
              {lines.slice(first, last).map((line, index) => (
                <Line key={first + index} line={line} number={first + index + 1} attempt={attempt} marked={marked === first + index + 1} wanted={wanted} onLink={link} />
              ))}
            </div>
          </div>
        )}
      </div>
    </div>
  );
}
