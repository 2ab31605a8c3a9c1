// The programs that pull work from the queues.
import { anyChange, useResource } from "../api/resource";
import type { Worker } from "../api/types";
import { Link } from "../app/router";
import { Card, PageHead } from "../parts/controls";
import { Empty, Loading, ProblemNotice, Snippet } from "../parts/feedback";
import { Icon } from "../parts/icon";
import { Relative } from "../parts/time";
import { curlFor } from "../words/declaration";

export function Workers() {
  const { data, problem, reload } = useResource<{ workers: Worker[] }>("/api/workers", anyChange);
  return (
    <>
      <PageHead title="Workers" note="A queue is a lane: what is in it goes by priority, then by instant. These programs pull from it." />
      <Card label="Workers" flush>
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
    </>
  );
}
