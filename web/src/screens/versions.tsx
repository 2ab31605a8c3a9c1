// What a job was declared as before: who changed what when, and back to it.
import { useEffect, useState } from "preact/hooks";
import { pathWith, send } from "../api/http";
import { useResource } from "../api/resource";
import type { Job, Version } from "../api/types";
import { may } from "../app/session";
import { Card } from "../parts/controls";
import { JsonDiff } from "../parts/diff";
import { ask } from "../parts/dialog";
import { Empty, Loading, ProblemNotice, tell } from "../parts/feedback";
import { Instant, Relative } from "../parts/time";

const PAGE = 50;

function Entry({ version, before, newest, job, onRestored }: { version: Version; before: Version | undefined; newest: boolean; job: Job; onRestored: () => void }) {
  const [open, setOpen] = useState(newest);
  const restore = () => ask({
    title: `Restore version ${version.version}?`,
    text: "The job is declared so again, as a new version; its history stays.",
    yes: "Restore",
    run: async () => {
      await send("POST", `/api/jobs/${job.id}/versions/${version.version}/restore`, {});
      tell(`Version ${version.version} is in force again.`);
      onRestored();
    },
  });
  return (
    <li class="version">
      <div class="row wrap">
        <strong>Version {version.version}</strong>
        {newest && <span class="badge good">in force</span>}
        <span class="soft small">{version.by ? `by ${version.by.name || version.by.key}, ` : ""}<Relative at={version.at} kind="past" /> · <Instant at={version.at} /></span>
        <span class="push" />
        <button type="button" class="button slim" aria-expanded={open} onClick={() => setOpen(!open)}>{before ? "What changed" : "Declaration"}</button>
        {!newest && may("submitter") && <button type="button" class="button slim" onClick={restore}>Restore…</button>}
      </div>
      {open && <JsonDiff before={before?.declaration} after={version.declaration} label={`What version ${version.version} changed`} />}
    </li>
  );
}

export function Versions({ job, onRestored }: { job: Job; onRestored: () => void }) {
  const { data, problem, reload } = useResource<{ versions: Version[]; next: string | null }>(pathWith(`/api/jobs/${job.id}/versions`, { limit: PAGE }));
  useEffect(() => reload(), [job.version]);
  if (problem) return <ProblemNotice problem={problem} onRetry={reload} />;
  if (!data) return <Loading what="versions" />;
  if (data.versions.length === 0) return <Empty icon="audit" title="No versions are kept of this job" />;
  return (
    <Card flush label="Versions">
      <ul class="versions">
        {data.versions.map((version, index) => (
          <Entry key={version.version} version={version} before={data.versions[index + 1]} newest={index === 0} job={job} onRestored={() => { onRestored(); reload(); }} />
        ))}
      </ul>
    </Card>
  );
}
