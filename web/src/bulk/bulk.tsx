// Many jobs or runs at once: first how many and which, then ten seconds to take it back, then how far it is
// and what could not be done. The server does the work; leaving the page does not stop it.
import { useEffect, useState } from "preact/hooks";
import { pathWith, read, request, send } from "../api/http";
import { live } from "../api/live";
import type { Bulk, BulkAction, BulkPreview, BulkProgress } from "../api/types";
import { useNow } from "../app/clock";
import { may } from "../app/session";
import { useWatched, Watched } from "../app/watched";
import { ActionButton } from "../parts/controls";
import { Dialog } from "../parts/dialog";
import { Loading, Notice, ProblemNotice } from "../parts/feedback";
import { Icon, type IconName } from "../parts/icon";
import { countText, plural } from "../words/count";

type Target = { ids: string[] } | { jobs: Record<string, string> } | { runs: Record<string, string> };

interface Plan {
  action: BulkAction;
  what: "job" | "run";
  target: Target;
  /** What a ticked row is called: of ids the server says no names. */
  nameOf: (id: string) => string | undefined;
}

const WORDS: Record<BulkAction, { verb: string; doing: string; icon: IconName; risky: boolean }> = {
  cancel: { verb: "Cancel", doing: "Cancelling", icon: "ban", risky: true },
  pause: { verb: "Pause", doing: "Pausing", icon: "pause", risky: false },
  resume: { verb: "Resume", doing: "Resuming", icon: "play", risky: false },
  run: { verb: "Run now", doing: "Starting", icon: "play", risky: false },
  retry: { verb: "Retry", doing: "Retrying", icon: "retry", risky: false },
};
const SILENCE_MS = 2_000; // only the node that works on one tells the stream of it
const LOOKED_AT = 10; // of the newest, for one that still goes on
const NAMED_MAX = 100; // refusals that the server names

const plan = new Watched<Plan | null>(null);
const followed = new Watched<readonly Bulk[]>([]);
const asked = new Set<string>(); // their answers are on the way

const isActive = ({ status }: BulkProgress): boolean => status === "waiting" || status === "running";

/** The newest that is known of it, in its place. */
function take(bulk: Bulk): void {
  const isKnown = followed.value.some(({ id }) => id === bulk.id);
  followed.set(isKnown ? followed.value.map((known) => (known.id === bulk.id ? bulk : known)) : [...followed.value, bulk]);
}

function look(id: string): void {
  if (asked.has(id)) return;
  asked.add(id);
  void read<Bulk>(`/api/bulk/${id}`).then(take, () => {}).finally(() => asked.delete(id)); // it goes on unseen
}

/** What the stream tells of one; one that nobody told of before is looked at. */
function hear(progress: BulkProgress): void {
  const known = followed.value.find(({ id }) => id === progress.id);
  if (known) take({ ...known, ...progress });
  else if (isActive(progress)) look(progress.id);
}

function Confirm({ planned: { action, what, target, nameOf } }: { planned: Plan }) {
  const [preview, setPreview] = useState<BulkPreview | null>(null);
  const [problem, setProblem] = useState<unknown>(null);
  const close = () => plan.set(null);
  const body = { action, ...target };
  useEffect(() => {
    request<BulkPreview>("POST", "/api/bulk", { body: { ...body, dry_run: true } }).then((answer) => setPreview(answer.body), setProblem);
  }, []);
  const start = async () => {
    try {
      take(await send<Bulk>("POST", "/api/bulk", body));
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
          <p>{"ids" in target ? "The selected ones:" : "All that match the search, as of now:"}</p>
          <ul class="sample" tabIndex={0} aria-label="Some of them">
            {preview.sample.map(({ id, name }) => <li key={id} class="cut">{name || nameOf(id) || id}</li>)}
            {count > preview.sample.length && <li class="soft">and {countText(count - preview.sample.length)} more</li>}
          </ul>
          <p class="soft small">It begins ten seconds after you confirm; until then it can be taken back.</p>
        </div>
      )}
      <div class="foot">
        <button type="button" class="button" onClick={close}>Close</button>
        {count > 0 && <ActionButton kind={`main ${words.risky ? "risky" : ""}`} icon={words.icon} run={start}>{words.verb} {plural(count, what)}</ActionButton>}
      </div>
    </Dialog>
  );
}

function headline({ action, status, total, done, failed_count }: Bulk): string {
  const { verb, doing } = WORDS[action];
  if (status === "waiting") return `${verb} ${countText(total)}: about to begin`;
  if (status === "running") return `${doing}: ${countText(done + failed_count)} of ${countText(total)}`;
  if (status === "done") return `${verb}: ${countText(done)} of ${countText(total)} done`;
  return done + failed_count === 0 ? "Taken back: nothing was changed" : `Stopped after ${countText(done + failed_count)} of ${countText(total)}`;
}

function Refusals({ bulk }: { bulk: Bulk }) {
  if (bulk.failed_count === 0) return null;
  return (
    <details>
      <summary>{plural(bulk.failed_count, "refusal")}</summary>
      <ul class="sample" tabIndex={0} aria-label="What could not be done">
        {bulk.failed.map(({ id, detail }) => <li key={id} class="small"><code>{id}</code> {detail}</li>)}
        {bulk.failed_count > bulk.failed.length && <li class="soft small">and {countText(bulk.failed_count - bulk.failed.length)} more</li>}
      </ul>
    </details>
  );
}

function Progress({ bulk }: { bulk: Bulk }) {
  const active = isActive(bulk);
  const now = useNow(bulk.status === "waiting");
  const untold = !active && bulk.failed.length < Math.min(bulk.failed_count, NAMED_MAX); // the stream does not name what failed
  useEffect(() => {
    if (untold) look(bulk.id);
    if (!active) return undefined;
    const timer = window.setInterval(() => { if (!document.hidden) look(bulk.id); }, SILENCE_MS);
    return () => window.clearInterval(timer);
  }, [bulk]);
  const close = () => followed.set(followed.value.filter(({ id }) => id !== bulk.id));
  const stop = async () => take(await send<Bulk>("POST", `/api/bulk/${bulk.id}/cancel`));
  return (
    <div class="toast bulk" role="group" aria-label={`${WORDS[bulk.action].verb}, many at once`}>
      <Icon name={WORDS[bulk.action].icon} />
      <div class="body stack tight">
        <strong role="status">{headline(bulk)}</strong>
        {bulk.status === "waiting" && <span class="small soft" aria-hidden="true">in {Math.max(0, Math.ceil((Date.parse(bulk.starts_at) - now) / 1000))} s</span>}
        <progress aria-label="How far it is" max={Math.max(1, bulk.total)} value={bulk.done + bulk.failed_count} />
        <Refusals bulk={bulk} />
      </div>
      {active
        ? <ActionButton kind="slim" run={stop}>{bulk.status === "waiting" ? "Undo" : "Stop"}</ActionButton>
        : <button type="button" class="button bare icon slim" aria-label="Dismiss" onClick={close}><Icon name="cross" size={12} /></button>}
    </div>
  );
}

/** Stands once in the page: the question, and what goes on, of others and of before a reload too. */
export function Bulks() {
  const planned = useWatched(plan);
  const all = useWatched(followed);
  useEffect(() => {
    if (!may("operator")) return undefined;
    read<{ bulks: Bulk[] }>(pathWith("/api/bulk", { limit: LOOKED_AT })).then(({ bulks }) => bulks.filter(isActive).forEach(take), () => {});
    const deaf = live.listen((event) => { if (event.name === "bulk") hear(event.data); });
    return () => {
      deaf();
      plan.set(null);
      followed.set([]);
    };
  }, []);
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
  /** What the list is filtered by, to take all of it. */
  filter: Record<string, string>;
  nameOf: (id: string) => string | undefined;
  onClear: () => void;
}

/** What can be done with the ticked rows, or with everything that matches. */
export function BulkBar({ what, actions, selected, filter, nameOf, onClear }: BarProps) {
  const [whole, setWhole] = useState(false);
  const none = selected.size === 0;
  useEffect(() => setWhole(false), [none]);
  if (none) return null;
  const every = Object.keys(filter).length === 0 ? `All ${what}s` : "All that match";
  const target: Target = whole ? (what === "job" ? { jobs: filter } : { runs: filter }) : { ids: [...selected] };
  return (
    <div class="bulk-bar" role="region" aria-label="Selection">
      <strong>{whole ? every : `${selected.size} selected`}</strong>
      <button type="button" class="button slim bare" onClick={() => setWhole(!whole)}>{whole ? "Only the selected" : every}</button>
      <span class="push" />
      {actions.map((action) => (
        <button key={action} type="button" class={`button slim ${WORDS[action].risky ? "risky" : ""}`} onClick={() => plan.set({ action, what, target, nameOf })}>
          <Icon name={WORDS[action].icon} size={13} />{WORDS[action].verb}
        </button>
      ))}
      <button type="button" class="button slim bare" onClick={onClear}>Clear</button>
    </div>
  );
}
