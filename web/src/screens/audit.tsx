// Who changed what, and what it was before.
import { useState } from "preact/hooks";
import { pathWith } from "../api/http";
import { anyChange, useResource } from "../api/resource";
import type { AuditEntry } from "../api/types";
import { clock } from "../app/clock";
import { Link, setQuery, usePlace } from "../app/router";
import { Card, cursorOf, PageHead, Pager } from "../parts/controls";
import { JsonDiff } from "../parts/diff";
import { Empty, Loading, ProblemNotice } from "../parts/feedback";
import { Instant, Relative } from "../parts/time";
import { instantOf } from "../search/terms";

const SINCE = [["", "Any time"], ["1h", "Last hour"], ["24h", "Last 24 h"], ["7d", "Last 7 days"]] as const;

function pathOf({ kind, id }: AuditEntry["resource"]): string | null {
  if (kind === "job") return `/jobs/${id}`;
  if (kind === "run") return `/runs/${id}`;
  return null;
}

function Entry({ entry }: { entry: AuditEntry }) {
  const [open, setOpen] = useState(false);
  const { resource } = entry;
  const to = pathOf(resource);
  const name = resource.name || resource.id;
  const changed = entry.before !== null || entry.after !== null;
  return (
    <li class="version" data-row>
      <div class="row wrap">
        <code class="audit-action">{entry.action}</code>
        {to ? <Link to={to} class="cut">{name}</Link> : <span class="cut">{name}</span>}
        <span class="soft small">by {entry.actor.name || entry.actor.key} ({entry.actor.role}), <Relative at={entry.at} kind="past" /> · <Instant at={entry.at} /></span>
        <span class="push" />
        {changed && <button type="button" class="button slim" aria-expanded={open} onClick={() => setOpen(!open)}>What changed</button>}
      </div>
      {open && <JsonDiff before={entry.before} after={entry.after} label="What changed" />}
    </li>
  );
}

export function Audit() {
  const { query } = usePlace();
  const cursors = query.get("page") ?? "";
  const since = query.get("since") ?? "";
  const filters = { action: query.get("action") ?? "", resource: query.get("resource") ?? "", actor: query.get("actor") ?? "" };
  const path = pathWith("/api/audit", { ...filters, since: since === "" ? undefined : instantOf(since, clock.now()) ?? undefined, limit: 50, cursor: cursorOf(cursors) });
  const { data, problem, stale, reload } = useResource<{ entries: AuditEntry[]; next: string | null }>(path, anyChange);
  const input = (name: keyof typeof filters, label: string, placeholder: string) => (
    <input type="text" aria-label={label} placeholder={placeholder} value={filters[name]} {...(name === "action" ? { "data-search": true } : {})}
      onChange={(event) => setQuery({ [name]: event.currentTarget.value.trim(), page: undefined }, { replace: true })} />
  );
  return (
    <>
      <PageHead title="Audit" note="Every change, who made it, before and after. Written in the transaction of the change itself." />
      <div class="filters">
        {input("action", "Action", "Action, such as job.update")}
        {input("resource", "Id of what was changed", "Of what: job_…")}
        {input("actor", "Key", "By whom: key_…")}
        <select aria-label="Since" value={since} onChange={(event) => setQuery({ since: event.currentTarget.value, page: undefined }, { replace: true })}>
          {SINCE.map(([value, text]) => <option key={value} value={value}>{text}</option>)}
        </select>
      </div>
      {problem && <ProblemNotice problem={problem} onRetry={reload} />}
      <Card flush label="Entries">
        {!data && !problem && <Loading what="the audit log" />}
        {data && data.entries.length === 0 && <Empty icon="audit" title="No such entry"><p>Every submit, change, pause, cancel and key leaves one.</p></Empty>}
        {data && data.entries.length > 0 && <ul class="versions dims" aria-busy={stale}>{data.entries.map((entry) => <Entry key={entry.id} entry={entry} />)}</ul>}
        {data && <Pager next={data.next} cursors={cursors} shown={data.entries.length} what="entries" />}
      </Card>
    </>
  );
}
