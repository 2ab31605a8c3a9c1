// Many jobs or runs at once: first how many and which, then ten seconds to take it back, then progress and
// what was refused. The server does the work; leaving the page does not stop it.
import { useEffect, useState } from "preact/hooks";
import { read, send } from "../api/http";
import { live } from "../api/live";
import type { Bulk, BulkAction, JobRef } from "../api/types";
import { useNow } from "../app/clock";
import { useWatched, Watched } from "../app/watched";
import { ActionButton } from "../parts/controls";
import { Dialog } from "../parts/dialog";
import { Loading, Notice, ProblemNotice, tellProblem } from "../parts/feedback";
import { Icon, type IconName } from "../parts/icon";
import { countText, plural } from "../words/count";

export type Target = { ids: string[] } | { jobs: Record<string, string> } | { runs: Record<string, string> };

interface Plan {
  action: BulkAction;
  what: "job" | "run";
  target: Target;
}

const WORDS: Record<BulkAction, { verb: string; doing: string; icon: IconName; risky: boolean }> = {
  cancel: { verb: "Cancel", doing: "Cancelling", icon: "ban", risky: true },
  pause: { verb: "Pause", doing: "Pausing", icon: "pause", risky: false },
  resume: { verb: "Resume", doing: "Resuming", icon: "play", risky: false },
  run: { verb: "Run now", doing: "Starting", icon: "play", risky: false },
  retry: { verb: "Retry", doing: "Retrying", icon: "retry", risky: false },
};

export const bulkVerb = (action: BulkAction): string => WORDS[action].verb;

const plan = new Watched<Plan | null>(null);
const followed = new Watched<readonly Bulk[]>([]);
const POLL_MS = 1_000;

export const planBulk = (planned: Plan): void => plan.set(planned);

const totalOf = (bulk: Bulk): number => bulk.total ?? bulk.matches ?? 0;

function take(bulk: Partial<Bulk> & { id: string }): void {
  followed.set(followed.value.map((known) => (known.id === bulk.id ? { ...known, ...bulk } : known)));
}

function Confirm({ planned }: { planned: Plan }) {
  const [preview, setPreview] = useState<{ matches: number; sample: JobRef[] } | null>(null);
  const [problem, setProblem] = useState<unknown>(null);
  const close = () => plan.set(null);
  const { action, what, target } = planned;
  const body = { action, ...target };
  useEffect(() => {
    send<{ matches: number; sample: JobRef[] }>("POST", "/api/bulk", { ...body, dry_run: true }).then(setPreview, setProblem);
  }, []);
  const start = async () => {
    try {
      const bulk = await send<Bulk>("POST", "/api/bulk", body);
      followed.set([...followed.value, bulk]);
      close();
    } catch (error) {
      setProblem(error);
    }
  };
  const words = WORDS[action];
  const count = preview?.matches ?? 0;
  return (
    <Dialog title={preview ? `${words.verb}: ${plural(count, what)}` : words.verb} onClose={close}>
      {!preview && problem === null && <Loading what="what this would change" />}
      {problem !== null && <ProblemNotice problem={problem} />}
      {preview && count === 0 && <Notice title="Nothing matches">Nothing would change.</Notice>}
      {preview && count > 0 && (
        <div class="stack tight">
          <p>{"ids" in target ? "The selected ones, among them:" : "All that match the search, among them:"}</p>
          <ul class="sample">
            {preview.sample.map(({ id, name }) => <li key={id} class="cut">{name || id}</li>)}
            {count > preview.sample.length && <li class="soft">and {countText(count - preview.sample.length)} more</li>}
          </ul>
          <p class="soft small">It begins ten seconds after you confirm; until then it can be taken back.</p>
        </div>
      )}
      <div class="foot">
        <button type="button" class="button" onClick={close}>Close</button>
        {count > 0 && (
          <ActionButton kind={`main ${words.risky ? "risky" : ""}`} icon={words.icon} run={start}>{words.verb} {plural(count, what)}</ActionButton>
        )}
      </div>
    </Dialog>
  );
}

function Progress({ bulk }: { bulk: Bulk }) {
  const now = useNow();
  const active = bulk.status === "waiting" || bulk.status === "running";
  useEffect(() => {
    if (!active) return undefined;
    const timer = window.setInterval(() => read<Bulk>(`/api/bulk/${bulk.id}`).then(take).catch(() => {}), POLL_MS);
    return () => window.clearInterval(timer);
  }, [bulk.id, active]);
  const words = WORDS[bulk.action];
  const total = totalOf(bulk);
  const done = bulk.done ?? 0;
  const failed = bulk.failed ?? [];
  const seconds = bulk.starts_at ? Math.max(0, Math.ceil((Date.parse(bulk.starts_at) - now) / 1000)) : 0;
  const share = total === 0 ? 100 : (done / total) * 100;
  const close = () => followed.set(followed.value.filter(({ id }) => id !== bulk.id));
  const stop = async () => take({ ...(await send<Partial<Bulk>>("POST", `/api/bulk/${bulk.id}/cancel`)), id: bulk.id });
  return (
    <div class="toast bulk" role="status" data-bulk={bulk.status}>
      <Icon name={words.icon} />
      <div class="body stack tight">
        <strong>
          {bulk.status === "waiting" && `${words.verb} ${countText(total)}: begins in ${seconds} s`}
          {bulk.status === "running" && `${words.doing}: ${countText(done)} of ${countText(total)}`}
          {bulk.status === "done" && `${words.verb}: ${countText(done - failed.length)} of ${countText(total)} done`}
          {bulk.status === "cancelled" && (done === 0 ? "Taken back: nothing was changed" : `Stopped after ${countText(done)}`)}
        </strong>
        <div class="bar" role="progressbar" aria-label="Progress" aria-valuenow={Math.round(share)} aria-valuemin={0} aria-valuemax={100}>
          <i style={{ width: `${share}%` }} />
        </div>
        {failed.length > 0 && (
          <details>
            <summary>{plural(failed.length, "refusal")}</summary>
            <ul class="sample">{failed.map((one) => <li key={one.id} class="small"><code>{one.id}</code> {one.detail}</li>)}</ul>
          </details>
        )}
      </div>
      {active
        ? <ActionButton kind="slim" run={stop}>{bulk.status === "waiting" ? "Undo" : "Stop"}</ActionButton>
        : <button type="button" class="button bare icon slim" aria-label="Dismiss" onClick={close}><Icon name="cross" size={12} /></button>}
    </div>
  );
}

/** Stands once in the page. */
export function Bulks() {
  const planned = useWatched(plan);
  const all = useWatched(followed);
  useEffect(() => live.listen((event) => { if (event.name === "bulk") take(event.data); }), []);
  return (
    <>
      {planned && <Confirm planned={planned} />}
      {all.length > 0 && <div class="bulks">{all.map((bulk) => <Progress key={bulk.id} bulk={bulk} />)}</div>}
    </>
  );
}

interface BarProps {
  what: "job" | "run";
  actions: readonly BulkAction[];
  selected: ReadonlySet<string>;
  /** The filter that the list shows, to take all of it. */
  filter: Record<string, string>;
  onClear: () => void;
}

/** What can be done with the selection; or with everything that matches. */
export function BulkBar({ what, actions, selected, filter, onClear }: BarProps) {
  const [whole, setWhole] = useState(false);
  if (selected.size === 0) return null;
  const target: Target = whole ? (what === "job" ? { jobs: filter } : { runs: filter }) : { ids: [...selected] };
  const begin = (action: BulkAction) => {
    try {
      planBulk({ action, what, target });
    } catch (error) {
      tellProblem(error);
    }
  };
  return (
    <div class="bulk-bar" role="region" aria-label="Selection">
      <strong>{whole ? "All that match" : `${selected.size} selected`}</strong>
      <button type="button" class="button slim bare" onClick={() => setWhole(!whole)}>{whole ? "Only the selected" : "All that match the search"}</button>
      <span class="push" />
      {actions.map((action) => (
        <button key={action} type="button" class={`button slim ${WORDS[action].risky ? "risky" : ""}`} onClick={() => begin(action)}>
          <Icon name={WORDS[action].icon} size={13} />{WORDS[action].verb}
        </button>
      ))}
      <button type="button" class="button slim bare" onClick={onClear}>Clear</button>
    </div>
  );
}
