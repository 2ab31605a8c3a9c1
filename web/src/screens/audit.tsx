// Who changed what, and what it was before.
import { useState } from "preact/hooks";
import { pathWith } from "../api/http";
import { anyChange, usePage } from "../api/resource";
import type { AuditEntry } from "../api/types";
import { Link } from "../app/router";
import { Card, cursorOf, PageHead, Pager } from "../parts/controls";
import { JsonDiff } from "../parts/diff";
import { Empty, Loading, NoMatch, ProblemNotice } from "../parts/feedback";
import { Instant, Relative } from "../parts/time";
import { SearchBox, useSearch } from "../search/box";
import { SavedViews } from "../search/saved_views";
import { AUDIT_TERMS, searchLink } from "../search/terms";

const PAGE = 50;
const views = new SavedViews("audit");
const CHIPS = [
  { label: "Jobs", field: "action", value: "job." },
  { label: "Runs", field: "action", value: "run." },
  { label: "Keys", field: "action", value: "key." },
  { label: "Logins", field: "action", value: "session." },
  { label: "Last 24 h", field: "since", value: "24h" },
] as const;

function Resource({ of: { kind, id, name } }: { of: AuditEntry["resource"] }) {
  const text = name || id;
  if (kind === "job" || kind === "run") return <Link to={`/${kind}s/${id}`} class="cut" title={text}>{text}</Link>;
  return <span class="cut" title={text}>{text}</span>;
}

function Entry({ entry }: { entry: AuditEntry }) {
  const [open, setOpen] = useState(false);
  const { actor, before, after } = entry;
  const told = before !== null || after !== null;
  return (
    <li data-row>
      <div class="row wrap">
        <code class="audit-action">{entry.action}</code>
        <Resource of={entry.resource} />
        <span class="soft small">by <Link to={searchLink("/audit", { actor: actor.key })}>{actor.name || actor.key}</Link> ({actor.role}), <Relative at={entry.at} kind="past" /> · <Instant at={entry.at} /></span>
        <span class="push" />
        {told && <button type="button" class="button slim" aria-expanded={open} onClick={() => setOpen(!open)}>What changed</button>}
      </div>
      {open && <JsonDiff before={before} after={after} label="What changed" />}
    </li>
  );
}

export function Audit() {
  const { text, cursors, asked } = useSearch(AUDIT_TERMS);
  const path = pathWith("/api/audit", { ...asked.query, limit: PAGE, cursor: cursorOf(cursors) });
  const { data, problem, stale, partial, reload } = usePage<{ entries: AuditEntry[]; next: string | null }>(path, anyChange, "entries");
  const entries = data?.entries ?? [];
  const seen = { actor: [...new Set(entries.map(({ actor }) => actor.key))], resource: [...new Set(entries.map(({ resource }) => resource.id))] };
  return (
    <>
      <PageHead title="Audit" note="Every change, who made it, before and after: written in the transaction of the change itself." />
      <SearchBox text={text} vocabulary={AUDIT_TERMS} unknown={asked.unknown} seen={seen} chips={CHIPS} views={views} what="changes" />
      {problem && <ProblemNotice problem={problem} onRetry={reload} />}
      <Card flush label="Changes">
        {!data && !problem && <Loading what="the audit log" />}
        {data && entries.length === 0 && (text === ""
          ? <Empty icon="audit" title="Nothing has been changed yet"><p>Every submit, change, pause, cancel, login and key leaves an entry here.</p></Empty>
          : <NoMatch next={data.next} partial={partial} what="changes" title="No change matches"><p>Take a filter away, or look further back.</p></NoMatch>)}
        {entries.length > 0 && <ul class="entries dims" aria-busy={stale}>{entries.map((entry) => <Entry key={entry.id} entry={entry} />)}</ul>}
        {data && <Pager next={data.next} cursors={cursors} shown={entries.length} limit={PAGE} partial={partial} what="changes" />}
      </Card>
    </>
  );
}
