// Pausing asks for how long and why; both are shown to whoever wonders later.
import { useState } from "preact/hooks";
import { send } from "../api/http";
import type { Job } from "../api/types";
import { Watched, useWatched } from "../app/watched";
import { clock } from "../app/clock";
import { Field } from "../parts/controls";
import { Dialog, useAct } from "../parts/dialog";
import { ProblemNotice, tell } from "../parts/feedback";
import { parseDuration } from "../words/time";

const asked = new Watched<Job | null>(null);
export const askPause = (job: Job): void => asked.set(job);

const SPANS = [["", "until resumed"], ["1h", "for an hour"], ["8h", "for 8 hours"], ["1d", "for a day"], ["7d", "for a week"]] as const;

function PauseBox({ job }: { job: Job }) {
  const [span, setSpan] = useState("");
  const [note, setNote] = useState("");
  const close = () => asked.set(null);
  const { problem, busy, run } = useAct(async () => {
    const until = span === "" ? {} : { until: new Date(clock.now() + parseDuration(span)).toISOString() };
    await send("POST", `/api/jobs/${job.id}/pause`, { ...until, ...(note === "" ? {} : { note }) });
    tell("Paused.");
    close();
  });
  return (
    <Dialog title={`Pause ${job.name}`} onClose={close}>
      <form class="stack" onSubmit={(event) => void run(event)}>
        <Field label="How long">
          {(id) => <select id={id} value={span} onChange={(event) => setSpan(event.currentTarget.value)}>{SPANS.map(([value, text]) => <option key={value} value={value}>{text}</option>)}</select>}
        </Field>
        <Field label="Note" hint="Why, for those who come later.">
          {(id, by) => <input id={id} aria-describedby={by} type="text" value={note} placeholder="release freeze" onInput={(event) => setNote(event.currentTarget.value)} />}
        </Field>
        {problem !== null && <ProblemNotice problem={problem} />}
        <div class="foot"><button type="button" class="button" onClick={close}>Keep running</button><button type="submit" class="button main" disabled={busy}>{busy && <i class="spin" />}Pause</button></div>
      </form>
    </Dialog>
  );
}

export function PauseQuestion() {
  const job = useWatched(asked);
  return job ? <PauseBox job={job} /> : null;
}
