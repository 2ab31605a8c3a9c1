// The servers that share the store.
import { changeOrSilence, useResource } from "../api/resource";
import type { Node } from "../api/types";
import { Card, PageHead } from "../parts/controls";
import { Empty, Loading, ProblemNotice } from "../parts/feedback";
import { Icon } from "../parts/icon";
import { Instant, Relative } from "../parts/time";
import { countText } from "../words/count";

function NodeRow({ node }: { node: Node }) {
  return (
    <tr data-row>
      <td><div class="name-cell"><strong class="cut" title={node.name}>{node.name}</strong><span class="small soft mono cut">{node.id}</span></div></td>
      <td data-label="State">
        <span class="row wrap">
          {node.alive ? <span class="badge good"><Icon name="check" size={12} />Up</span> : <span class="badge bad"><Icon name="cross" size={12} />Gone</span>}
          {node.is_this && <span class="badge">Answers you</span>}
        </span>
      </td>
      <td data-label="Version">{node.version}</td>
      <td data-label="Up since"><Instant at={node.started_at} /></td>
      <td data-label="Seen" class="nowrap"><Relative at={node.seen_at} kind="past" /></td>
      <td data-label="Running" class="number">{countText(node.running)}</td>
    </tr>
  );
}

export function Nodes() {
  const { data, problem, reload } = useResource<{ nodes: Node[] }>("/api/nodes", changeOrSilence);
  return (
    <>
      <PageHead title="Nodes" note="Servers on one store: each takes runs, each answers the API. When one goes, the others take over its work." />
      <Card flush label="Nodes">
        {problem && <ProblemNotice problem={problem} onRetry={reload} />}
        {!data && !problem && <Loading what="nodes" />}
        {data && data.nodes.length === 0 && <Empty icon="nodes" title="No node has been heard of within a day" />}
        {data && data.nodes.length > 0 && (
          <div class="table-scroll">
            <table class="folds">
              <thead><tr><th>Node</th><th>State</th><th>Version</th><th>Up since</th><th>Seen</th><th class="number">Running</th></tr></thead>
              <tbody>{data.nodes.map((node) => <NodeRow key={node.id} node={node} />)}</tbody>
            </table>
          </div>
        )}
      </Card>
    </>
  );
}
