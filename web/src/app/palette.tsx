// Ctrl-K: every screen and every job, by a few letters. And "?": the keys there are.
import { useEffect, useState } from "preact/hooks";
import { pathWith, read } from "../api/http";
import type { Job, JobList } from "../api/types";
import { Dialog } from "../parts/dialog";
import { State } from "../parts/state";
import { searchLink } from "../search/terms";
import { navigate } from "./router";
import { screensFor } from "./screens";
import { may } from "./session";
import { helpOpen, paletteOpen } from "./shortcuts";
import { useWatched } from "./watched";

interface Choice {
  label: string;
  to: string;
  job?: Job;
}

const WAIT_MS = 120;
const JOBS_MAX = 8;

function screens(text: string): Choice[] {
  const wanted = text.toLowerCase();
  const all: Choice[] = [...screensFor(), ...(may("submitter") ? [{ label: "New job", to: "/jobs/new" }] : [])];
  return all.filter(({ label }) => label.toLowerCase().includes(wanted));
}

async function find(text: string, signal: AbortSignal): Promise<Choice[]> {
  if (/^(job|run)_[0-9a-z]+$/.test(text)) return [{ label: `Open ${text}`, to: `/${text.slice(0, 3)}s/${text}` }];
  if (text === "") return [];
  const { jobs, next } = await read<JobList>(pathWith("/api/jobs", { name: text, limit: JOBS_MAX }), signal);
  const further = next === null ? [] : [{ label: `Look further for jobs called ${text}`, to: searchLink("/jobs", { name: text }) }];
  return [...jobs.map((job) => ({ label: job.name, to: `/jobs/${job.id}`, job })), ...further];
}

function Palette() {
  const [text, setText] = useState("");
  const [found, setFound] = useState<{ of: string; choices: Choice[] }>({ of: "", choices: [] });
  const [at, setAt] = useState(0);
  const wanted = text.trim();
  useEffect(() => {
    const controller = new AbortController();
    const timer = window.setTimeout(() => {
      find(wanted, controller.signal).then((choices) => setFound({ of: wanted, choices })).catch(() => {});
    }, WAIT_MS);
    return () => { window.clearTimeout(timer); controller.abort(); };
  }, [wanted]);
  const answered = found.of === wanted;
  const choices = [...screens(wanted), ...(answered ? found.choices : [])];
  const close = () => paletteOpen.set(false);
  const open = (choice: Choice | undefined) => {
    if (!choice) return;
    close();
    navigate(choice.to);
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown") setAt(Math.min(at + 1, choices.length - 1));
    else if (event.key === "ArrowUp") setAt(Math.max(at - 1, 0));
    else if (event.key === "Enter") open(choices[at]);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title="Go to" onClose={close}>
      <input autofocus type="text" role="combobox" aria-expanded="true" aria-controls="palette-list" aria-label="Screen or job"
        aria-activedescendant={`palette-${at}`} placeholder="A screen, a job's name, an id" value={text} onKeyDown={onKey}
        onInput={(event) => { setText(event.currentTarget.value); setAt(0); }} />
      <ul id="palette-list" class="choices" role="listbox" aria-label="Places">
        {choices.map((choice, index) => (
          <li key={choice.to} id={`palette-${index}`} role="option" aria-selected={index === at} onMouseMove={() => setAt(index)} onClick={() => open(choice)}>
            <span class="cut">{choice.label}</span>
            {choice.job && <State of={choice.job.status} />}
          </li>
        ))}
        {answered && choices.length === 0 && <li class="soft">Nothing is called so.</li>}
      </ul>
    </Dialog>
  );
}

const keys = (): (readonly [string, string])[] => [
  ["Ctrl K", "go to a screen or a job"],
  ["/", "search this list"],
  ["j  k", "down and up a list"],
  ["Enter", "open"],
  ...(may("operator") ? [["x", "tick"] as const] : []),
  ...(may("submitter") ? [["n", "new job"] as const] : []),
  ...screensFor().map(({ key, label }) => [`g ${key}`, label] as const),
  ["f", "follow a log"],
  ["?", "this list"],
];

function Help() {
  return (
    <Dialog title="Keys" onClose={() => helpOpen.set(false)}>
      <dl class="facts keys">
        {keys().map(([pressed, what]) => (
          <>
            <dt>{pressed.split(" ").filter(Boolean).map((key) => <kbd key={key}>{key}</kbd>)}</dt>
            <dd>{what}</dd>
          </>
        ))}
      </dl>
      <div class="foot"><button type="button" class="button" onClick={() => helpOpen.set(false)}>Close</button></div>
    </Dialog>
  );
}

export function Overlays() {
  const palette = useWatched(paletteOpen);
  const help = useWatched(helpOpen);
  return <>{palette && <Palette />}{help && <Help />}</>;
}
