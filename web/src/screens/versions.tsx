// What a job was declared as before: who changed what when, and back to it.
import { useState } from "preact/hooks";
import { pathWith, send } from "../api/http";
import { useResource } from "../api/resource";
import type { Job, Version } from "../api/types";
import { may } from "../app/session";
import { Card } from "../parts/controls";
import { JsonDiff } from "../parts/diff";
import { ask } from "../parts/dialog";
import { Empty, Loading, ProblemNotice, tell } from "../parts/feedback";
import { Instant, Relative } from "../parts/time";

const KEPT = 100; // by the server

function Entry({ version, before, newest, job }: { version: Version; before: Version | undefined; newest: boolean; job: Job }) {
  const [open, setOpen] = useState(newest);
  const restore = () => ask({
    title: `Restore version ${version.version}?`,
    text: job.status === "cancelled" ? "The cancelled job is taken up again, as that version declared it." : "The job is declared so again, as a new version; its history stays.",
    yes: "Restore",
    run: async () => {
      await send("POST", `/api/jobs/${job.id}/versions/${version.version}/restore`);
      tell(`What version ${version.version} declared is in force again.`);
    },
  });
  return (
    <li data-row>
      <div class="row wrap">
        <strong>Version {version.version}</strong>
        {newest && <span class="badge good">In force</span>}
        <span class="soft small">{version.by && `by ${version.by.name || version.by.key}, `}<Relative at={version.at} kind="past" /> · <Instant at={version.at} /></span>
        <span class="push" />
        <button type="button" class="button slim" aria-expanded={open} onClick={() => setOpen(!open)}>{before ? "What changed" : "Declaration"}</button>
        {!newest && may("submitter") && <button type="button" class="button slim" onClick={restore}>Restore…</button>}
      </div>
      {open && <JsonDiff before={before?.declaration} after={version.declaration} label={`What version ${version.version} changed`} />}
    </li>
  );
}

/** Keyed by the job's version: when it changes, they are read again. */
export function Versions({ job }: { job: Job }) {
  const { data, problem, reload } = useResource<{ versions: Version[] }>(pathWith(`/api/jobs/${job.id}/versions`, { limit: KEPT }));
  return (
    <Card flush label="Versions">
      {problem && <ProblemNotice problem={problem} onRetry={reload} />}
      {!data && !problem && <Loading what="versions" />}
      {data && data.versions.length === 0 && <Empty icon="audit" title="No version of it is kept" />}
      {data && data.versions.length > 0 && (
        <ul class="entries">
          {data.versions.map((version, index) => <Entry key={version.version} version={version} before={data.versions[index + 1]} newest={index === 0} job={job} />)}
        </ul>
      )}
    </Card>
  );
}
