// Why something does not run (or ended so), what it waits for, and the button that helps.
import type { ComponentChildren } from "preact";
import { send } from "../api/http";
import type { JobWhy, RunWhy, WhyBlocker } from "../api/types";
import { Link } from "../app/router";
import { may } from "../app/session";
import { ActionButton } from "../parts/controls";
import { Notice, tell, type Tone } from "../parts/feedback";
import { Instant, Relative } from "../parts/time";

const TONES: Record<string, Tone> = {
  running: "busy", stopping: "busy", succeeded: "good", scheduled_time: "plain", jitter: "plain", start_up: "plain", planning: "busy", claim: "busy",
  resume: "warn", retry: "warn", excluded: "plain", earlier_run: "warn", permission: "bad", concurrency: "warn", rate: "warn", queue_slot: "warn", slot: "warn",
  runs_ahead: "warn", worker: "bad", store: "bad", drain: "warn", max_attempts: "bad", retry_on: "bad", max_age: "bad", deadline: "bad", on_lost: "bad", gave_up: "bad",
};

function Blocker({ blocker }: { blocker: WhyBlocker }) {
  const full = blocker.in_use !== null && blocker.max !== null;
  if (blocker.runs.length === 0 && !full && blocker.kind !== "queue") return null;
  return (
    <div class="row wrap small">
      {blocker.kind === "queue" && blocker.name && <span>Queue {blocker.name}</span>}
      {full && <span>{blocker.in_use} of {blocker.max} in use</span>}
      {blocker.ahead !== null && blocker.ahead > 0 && <span>{blocker.ahead} go first</span>}
      {blocker.runs.map((run) => <Link key={run} to={`/runs/${run}`} class="mono">{run.slice(0, 14)}…</Link>)}
    </div>
  );
}

const ISO = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/;

/** Instants in a sentence of the server, as the reader prefers them. */
function WithTimes({ text }: { text: string }) {
  const found = ISO.exec(text);
  if (!found) return <>{text}</>;
  return <>{text.slice(0, found.index)}<Instant at={found[0]} /><WithTimes text={text.slice(found.index + found[0].length)} /></>;
}

export function WhyPanel({ why, job, title, children }: { why: JobWhy | RunWhy; job: string; title: string; children?: ComponentChildren }) {
  const help = (why.unblocked_by ?? "").split("; ").filter((way) => !way.includes("/api/")).join("; "); // those are buttons here
  const resume = async () => {
    await send("POST", `/api/jobs/${job}/resume`, {});
    tell("Resumed.");
  };
  return (
    <Notice tone={TONES[why.code] ?? "plain"} title={title}>
      <p><WithTimes text={why.text} /></p>
      {help !== "" && <p class="small">Goes on with: <WithTimes text={help} /></p>}
      {why.blocker && <Blocker blocker={why.blocker} />}
      {why.until && why.code !== "scheduled_time" && <p class="small soft">At the latest <Relative at={why.until} kind="future" />.</p>}
      <div class="row wrap">
        {why.code === "resume" && may("operator") && <ActionButton kind="slim" icon="play" run={resume}>Resume</ActionButton>}
        {why.code === "worker" && <Link to="/queues" class="button slim">Queues and workers</Link>}
        {children}
      </div>
    </Notice>
  );
}
