// Running instants of the past: first what it would make, by the server's own count, then doing it.
import { useState } from "preact/hooks";
import { request, send } from "../api/http";
import type { Backfill, Job } from "../api/types";
import { clock } from "../app/clock";
import { useWatched, Watched } from "../app/watched";
import { ActionButton, Field } from "../parts/controls";
import { Dialog } from "../parts/dialog";
import { Notice, ProblemNotice, tell } from "../parts/feedback";
import { plural } from "../words/count";
import { instantText } from "../words/time";

const asked = new Watched<Job | null>(null);
export const askBackfill = (job: Job): void => asked.set(job);

const DAY_MS = 86_400_000;
const SHOWN_MAX = 8;
const inputText = (at: number) => new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);

function BackfillBox({ job }: { job: Job }) {
  const [from, setFrom] = useState(inputText(clock.now() - DAY_MS));
  const [until, setUntil] = useState(inputText(clock.now()));
  const [only, setOnly] = useState("missing");
  const [preview, setPreview] = useState<Backfill | null>(null);
  const [problem, setProblem] = useState<unknown>(null);
  const close = () => asked.set(null);
  const path = `/api/jobs/${job.id}/backfill`;
  const asks = () => ({ from: new Date(from).toISOString(), until: new Date(until).toISOString(), only });
  const guarded = async (act: () => Promise<void>) => {
    setProblem(null);
    try {
      await act();
    } catch (error) {
      setPreview(null);
      setProblem(error);
    }
  };
  const look = () => guarded(async () => setPreview((await request<Backfill>("POST", path, { body: { ...asks(), dry_run: true } })).body));
  const make = () => guarded(async () => {
    const { count } = await send<Backfill>("POST", path, asks());
    tell(`${plural(count, "run")} made.`);
    close();
  });
  const changed = (set: (value: string) => void) => (event: Event) => {
    set((event.currentTarget as HTMLInputElement).value);
    setPreview(null);
  };
  return (
    <Dialog title={`Backfill ${job.name}`} onClose={close}>
      <div class="form-grid">
        <Field label="From">{(id) => <input id={id} type="datetime-local" value={from} onInput={changed(setFrom)} />}</Field>
        <Field label="Until">{(id) => <input id={id} type="datetime-local" value={until} onInput={changed(setUntil)} />}</Field>
        <Field label="Which">{(id) => <select id={id} value={only} onChange={changed(setOnly)}><option value="missing">those that did not run</option><option value="all">all</option></select>}</Field>
      </div>
      {problem !== null && <ProblemNotice problem={problem} />}
      {preview && (
        <Notice tone={preview.count > 0 ? "busy" : "plain"} title={preview.count === 0 ? "Nothing to run" : `This makes ${plural(preview.count, "run")}`}>
          {preview.already_run > 0 && <p>{plural(preview.already_run, "instant")} ran already.</p>}
          <ul class="small number">{preview.instants.slice(0, SHOWN_MAX).map((at) => <li key={at}>{instantText(Date.parse(at), job.timezone)} ({job.timezone})</li>)}{preview.count > SHOWN_MAX && <li>…</li>}</ul>
        </Notice>
      )}
      <div class="foot">
        <button type="button" class="button" onClick={close}>Close</button>
        <ActionButton run={look}>Preview</ActionButton>
        <ActionButton kind="main" disabled={!preview || preview.count === 0} run={make}>{preview && preview.count > 0 ? `Make ${plural(preview.count, "run")}` : "Make the runs"}</ActionButton>
      </div>
    </Dialog>
  );
}

export function BackfillQuestion() {
  const job = useWatched(asked);
  return job ? <BackfillBox key={job.id} job={job} /> : null;
}
