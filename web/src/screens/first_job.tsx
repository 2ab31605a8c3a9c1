// What a server without jobs shows in place of a list.
import { Empty, Snippet } from "../parts/feedback";
import { curlFor } from "../words/declaration";

const FIRST_JOB = { name: "hello", cron: "* * * * *", action: { kind: "http", url: "http://127.0.0.1:9000/" } };

export function FirstJob() {
  return (
    <Empty icon="jobs" title="Submit your first job">
      <p>A job is an action (an HTTP call, a command, or work for a program of yours) and when to do it. It appears here by itself. This one runs each minute:</p>
      <Snippet text={curlFor("POST", "/api/submitJob", FIRST_JOB)} label="A curl command that submits a job" />
    </Empty>
  );
}
