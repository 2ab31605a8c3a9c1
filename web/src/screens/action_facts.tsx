// What a job does: the request or the command. Values that may be secret are hidden until asked for.
import { useState } from "preact/hooks";
import { stringifyExact } from "../api/exact_json";
import type { Job } from "../api/types";
import { Card } from "../parts/controls";
import { CopyButton } from "../parts/feedback";
import { shellQuoted } from "../words/declaration";

function Hidden({ name, value }: { name: string; value: string }) {
  const [shown, setShown] = useState(false);
  return (
    <li class="row wrap">
      <code>{name}</code>
      <button type="button" class="hidden-value mono" aria-label={shown ? `Hide ${name}` : `Show ${name}`} onClick={() => setShown(!shown)}>{shown ? value : "••••••"}</button>
    </li>
  );
}

function Pairs({ of: pairs }: { of: Record<string, string> | undefined }) {
  const entries = Object.entries(pairs ?? {});
  if (entries.length === 0) return <span class="soft">none</span>;
  return <ul class="stack tight">{entries.map(([name, value]) => <Hidden key={name} name={name} value={value} />)}</ul>;
}

function Payload({ payload }: { payload: unknown }) {
  const text = stringifyExact(payload, 2);
  return (
    <details>
      <summary>Payload</summary>
      <div class="stack tight"><pre class="code" tabIndex={0} aria-label="Payload">{text}</pre><CopyButton text={text} /></div>
    </details>
  );
}

export function ActionFacts({ job }: { job: Job }) {
  const { action, payload } = job;
  return (
    <Card title={action.kind === "http" ? "Request" : action.kind === "command" ? "Command" : "Work"}>
      <div class="stack">
        <dl class="facts">
          {action.kind === "http" && (
            <>
              <dt>{action.method ?? "POST"}</dt><dd class="mono">{action.url}</dd>
              <dt>Headers</dt><dd><Pairs of={action.headers} /></dd>
              <dt>Expects</dt><dd>{action.expect?.status ?? "2xx"}</dd>
            </>
          )}
          {action.kind === "command" && (
            <>
              <dt>Arguments</dt><dd class="mono">{action.argv.map(shellQuoted).join(" ")}</dd>
              <dt>Environment</dt><dd><Pairs of={action.env} /></dd>
              {action.cwd && <><dt>Directory</dt><dd class="mono">{action.cwd}</dd></>}
            </>
          )}
          {action.kind === "worker" && <><dt>Pulled by</dt><dd>a worker of queue {job.queue}</dd></>}
          <dt>Queue</dt><dd>{job.queue}, priority {job.priority}</dd>
          <dt>Attempts</dt><dd>{job.max_attempts === 0 ? "no limit" : `at most ${job.max_attempts}`}, each up to {job.timeout}</dd>
        </dl>
        {payload !== null && payload !== undefined && <Payload payload={payload} />}
      </div>
    </Card>
  );
}
