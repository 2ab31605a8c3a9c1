// Queues: how much waits, how many may run at once; and the programs that pull from them.
import { useState } from "preact/hooks";
import { send } from "../api/http";
import { anyChange, useResource } from "../api/resource";
import type { Queue, Worker } from "../api/types";
import { Link } from "../app/router";
import { may } from "../app/session";
import { ActionButton, Card, Field, PageHead } from "../parts/controls";
import { Dialog } from "../parts/dialog";
import { Empty, Loading, ProblemNotice, Snippet, tell } from "../parts/feedback";
import { Icon } from "../parts/icon";
import { Relative } from "../parts/time";
import { countText } from "../words/count";
import { curlFor } from "../words/declaration";

function QueueDialog({ queue, onClose, onSaved }: { queue: Queue; onClose: () => void; onSaved: () => void }) {
  const [limit, setLimit] = useState(queue.concurrency === null ? "" : String(queue.concurrency));
  const [note, setNote] = useState(queue.note ?? "");
  const [problem, setProblem] = useState<unknown>(null);
  const save = async (event: Event) => {
    event.preventDefault();
    try {
      await send("PUT", `/api/queues/${encodeURIComponent(queue.name)}`, { concurrency: limit === "" ? null : Number(limit), paused: queue.paused, note });
      tell("Saved.");
      onSaved();
      onClose();
    } catch (error) {
      setProblem(error);
    }
  };
  return (
    <Dialog title={`Queue ${queue.name}`} onClose={onClose}>
      <form class="stack" onSubmit={(event) => void save(event)}>
        <Field label="Attempts at once" hint="Empty: no limit but that of the nodes.">
          {(id, by) => <input id={id} aria-describedby={by} type="number" min={1} value={limit} onInput={(event) => setLimit(event.currentTarget.value)} />}
        </Field>
        <Field label="Note">{(id) => <input id={id} type="text" value={note} onInput={(event) => setNote(event.currentTarget.value)} />}</Field>
        {problem !== null && <ProblemNotice problem={problem} />}
        <div class="foot"><button type="button" class="button" onClick={onClose}>Close</button><button type="submit" class="button main">Save</button></div>
      </form>
    </Dialog>
  );
}

function QueueRow({ queue, onEdit, reload }: { queue: Queue; onEdit: () => void; reload: () => void }) {
  const toggle = async () => {
    await send("PUT", `/api/queues/${encodeURIComponent(queue.name)}`, { concurrency: queue.concurrency, paused: !queue.paused, note: queue.note ?? "" });
    tell(queue.paused ? "Resumed." : "Paused: what runs goes on, nothing more starts.");
    reload();
  };
  const use = queue.concurrency === null ? null : Math.min(100, (queue.running / queue.concurrency) * 100);
  return (
    <tr data-row>
      <td><div class="name-cell"><Link to={`/jobs?q=${encodeURIComponent(`queue:${queue.name}`)}`} class="cut">{queue.name}</Link>{queue.note && <span class="small soft cut">{queue.note}</span>}</div></td>
      <td data-label="State">{queue.paused ? <span class="badge warn"><Icon name="pause" size={12} />Paused</span> : <span class="badge good"><Icon name="check" size={12} />Open</span>}</td>
      <td data-label="Running" class="number">
        <div class="use"><span>{countText(queue.running)}{queue.concurrency !== null && ` of ${countText(queue.concurrency)}`}</span>{use !== null && <div class="bar" aria-hidden="true"><i style={{ width: `${use}%` }} /></div>}</div>
      </td>
      <td data-label="Ready" class="number">{countText(queue.ready)}</td>
      <td data-label="Waiting" class="number">{countText(queue.waiting)}</td>
      <td data-label="Oldest" class="nowrap">{queue.oldest_ready_at ? <Relative at={queue.oldest_ready_at} kind="past" /> : <span class="soft">–</span>}</td>
      <td data-label="Workers" class="number">{countText(queue.workers)}</td>
      <td>{may("operator") && <div class="row"><ActionButton kind="slim" icon={queue.paused ? "play" : "pause"} run={toggle}>{queue.paused ? "Resume" : "Pause"}</ActionButton><button type="button" class="button slim" onClick={onEdit}>Limit…</button></div>}</td>
    </tr>
  );
}

function Workers() {
  const { data, problem, reload } = useResource<{ workers: Worker[] }>("/api/workers", anyChange);
  return (
    <Card title="Workers" flush>
      {problem && <ProblemNotice problem={problem} onRetry={reload} />}
      {!data && !problem && <Loading what="workers" />}
      {data && data.workers.length === 0 && (
        <Empty icon="queues" title="No worker has asked for work">
          <p>A worker is a program of yours that pulls runs of jobs of kind <code>worker</code>: with the client for Node or Python, or plain HTTP.</p>
          <Snippet text={curlFor("POST", "/api/workers/claim", { worker: "mine", queues: ["default"], max: 1, wait: "20s" })} label="A curl command that claims work" />
        </Empty>
      )}
      {data && data.workers.length > 0 && (
        <div class="table-scroll">
          <table class="folds">
            <thead><tr><th>Worker</th><th>State</th><th>Queues</th><th class="number">Running</th><th>Last seen</th><th>Works on</th></tr></thead>
            <tbody>
              {data.workers.map((worker) => (
                <tr key={worker.id} data-row>
                  <td><div class="name-cell"><strong class="cut">{worker.name || worker.id}</strong></div></td>
                  <td data-label="State">{worker.alive ? <span class="badge good"><Icon name="check" size={12} />{worker.polling ? "Asks for work" : "Works"}</span> : <span class="badge bad"><Icon name="cross" size={12} />Gone</span>}</td>
                  <td data-label="Queues">{worker.queues ? worker.queues.join(", ") : "all"}</td>
                  <td data-label="Running" class="number">{worker.running}</td>
                  <td data-label="Last seen"><Relative at={worker.last_seen_at} kind="past" /></td>
                  <td data-label="Works on"><ul class="stack tight">{worker.runs.slice(0, 3).map((run) => <li key={run.id} class="row small"><Link to={`/runs/${run.id}`} class="mono">{run.id.slice(0, 14)}…</Link>{run.percent !== null && <span>{run.percent} %</span>}<span class="soft cut">{run.message}</span></li>)}</ul></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}

export function Queues() {
  const { data, problem, reload } = useResource<{ queues: Queue[] }>("/api/queues", anyChange);
  const [edited, setEdited] = useState<Queue | null>(null);
  return (
    <>
      <PageHead title="Queues & workers" note="A queue is a lane: what is in it goes by priority, then by instant." />
      {problem && <ProblemNotice problem={problem} onRetry={reload} />}
      <Card title="Queues" flush>
        {!data && !problem && <Loading what="queues" />}
        {data && data.queues.length === 0 && <Empty icon="queues" title="No queue yet"><p>A queue appears with the first job that names it.</p></Empty>}
        {data && data.queues.length > 0 && (
          <div class="table-scroll">
            <table class="folds">
              <thead><tr><th>Queue</th><th>State</th><th class="number">Running</th><th class="number">Ready</th><th class="number">Waiting</th><th>Oldest</th><th class="number">Workers</th><th><span class="visually-hidden">Actions</span></th></tr></thead>
              <tbody>{data.queues.map((queue) => <QueueRow key={queue.name} queue={queue} onEdit={() => setEdited(queue)} reload={reload} />)}</tbody>
            </table>
          </div>
        )}
      </Card>
      <Workers />
      {edited && <QueueDialog queue={edited} onClose={() => setEdited(null)} onSaved={reload} />}
    </>
  );
}
