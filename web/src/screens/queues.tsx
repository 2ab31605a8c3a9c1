// The queues: how much waits in each and how much may run at once; and the programs that pull from them.
import { changeOrSilence, useResource } from "../api/resource";
import type { Queue, Worker } from "../api/types";
import { Link } from "../app/router";
import { Card, PageHead } from "../parts/controls";
import { Empty, Loading, ProblemNotice, Snippet } from "../parts/feedback";
import { Icon } from "../parts/icon";
import { Relative } from "../parts/time";
import { searchLink } from "../search/terms";
import { countText } from "../words/count";
import { curlFor } from "../words/declaration";

function QueueRow({ queue }: { queue: Queue }) {
  return (
    <tr data-row>
      <td><div class="name-cell"><Link to={searchLink("/jobs", { queue: queue.name })} class="cut" title={queue.name}>{queue.name}</Link></div></td>
      <td data-label="Running" class="number">
        <span class="use">
          {countText(queue.running)}{queue.concurrency !== null && ` of ${countText(queue.concurrency)}`}
          {queue.concurrency !== null && <progress aria-label={`Slots of ${queue.name} in use`} max={queue.concurrency} value={queue.running} />}
        </span>
      </td>
      <td data-label="Ready" class="number">{countText(queue.ready)}</td>
      <td data-label="Oldest ready" class="nowrap"><Relative at={queue.oldest_ready_at} kind="past" /></td>
      <td data-label="Waiting" class="number">{countText(queue.waiting)}</td>
      <td data-label="Planned" class="number">{countText(queue.planned)}</td>
      <td data-label="Workers" class="number">{countText(queue.workers)}</td>
    </tr>
  );
}

function QueueList() {
  const { data, problem, reload } = useResource<{ queues: Queue[] }>("/api/queues", changeOrSilence);
  return (
    <Card title="Queues" flush>
      {problem && <ProblemNotice problem={problem} onRetry={reload} />}
      {!data && !problem && <Loading what="queues" />}
      {data && data.queues.length === 0 && <Empty icon="queues" title="No queue yet"><p>A queue appears with the first job that names it.</p></Empty>}
      {data && data.queues.length > 0 && (
        <div class="table-scroll">
          <table class="folds">
            <thead>
              <tr>
                <th>Queue</th><th class="number">Running</th><th class="number" title="They wait for a slot.">Ready</th><th>Oldest ready</th>
                <th class="number" title="For an earlier run, a limit, or their next attempt.">Waiting</th><th class="number" title="Their instant lies ahead.">Planned</th><th class="number">Workers</th>
              </tr>
            </thead>
            <tbody>{data.queues.map((queue) => <QueueRow key={queue.name} queue={queue} />)}</tbody>
          </table>
        </div>
      )}
    </Card>
  );
}

function Workers() {
  const { data, problem, reload } = useResource<{ workers: Worker[] }>("/api/workers", changeOrSilence);
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
  return (
    <>
      <PageHead title="Queues & workers" note="A queue is a lane: what is in it goes by priority, then by instant. Workers are programs of yours that pull from it." />
      <QueueList />
      <Workers />
    </>
  );
}
