// How this browser shows things; the calendars of the project; what server this is.
import { useState } from "preact/hooks";
import { send } from "../api/http";
import { useResource } from "../api/resource";
import type { Calendar } from "../api/types";
import { prefer, preferences } from "../app/preferences";
import { may, session } from "../app/session";
import { helpOpen } from "../app/shortcuts";
import { useWatched } from "../app/watched";
import { ActionButton, Card, PageHead, Segmented } from "../parts/controls";
import { ask } from "../parts/dialog";
import { Empty, Loading, Notice, ProblemNotice, Snippet, tell } from "../parts/feedback";
import { Relative } from "../parts/time";
import { bytesText, plural } from "../words/count";
import { curlFor } from "../words/declaration";
import { LOCAL_ZONE } from "../words/time";

function Looks() {
  const { theme, density, zone } = useWatched(preferences);
  return (
    <Card title="This browser">
      <dl class="facts settings">
        <dt>Theme</dt><dd><Segmented label="Theme" value={theme} options={[["system", "As the system"], ["light", "Light"], ["dark", "Dark"]] as const} onChange={(next) => prefer({ theme: next })} /></dd>
        <dt>Rows</dt><dd><Segmented label="Rows" value={density} options={[["comfortable", "Comfortable"], ["compact", "Compact"]] as const} onChange={(next) => prefer({ density: next })} /></dd>
        <dt>Times</dt><dd><Segmented label="Times" value={zone} options={[["local", LOCAL_ZONE], ["utc", "UTC"]] as const} onChange={(next) => prefer({ zone: next })} /></dd>
        <dt>Keys</dt><dd><button type="button" class="button slim" onClick={() => helpOpen.set(true)}>Show the keys</button></dd>
      </dl>
    </Card>
  );
}

function Calendars() {
  const { data, problem, reload } = useResource<{ calendars: Calendar[] }>("/api/calendars");
  const remove = (calendar: Calendar) => ask({
    title: `Delete calendar ${calendar.name}?`,
    text: "A calendar that jobs keep to cannot be deleted.",
    yes: "Delete",
    risky: true,
    run: async () => {
      await send("DELETE", `/api/calendars/${encodeURIComponent(calendar.name)}`);
      tell("Deleted.");
    },
  });
  return (
    <Card title="Calendars" flush>
      {problem && <ProblemNotice problem={problem} onRetry={reload} />}
      {!data && !problem && <Loading what="calendars" />}
      {data && data.calendars.length === 0 && (
        <Empty icon="calendar" title="No calendars">
          <p>A calendar says when jobs may not run (holidays, freezes) or when only (business hours).</p>
          <Snippet text={curlFor("PUT", "/api/calendars/holidays", { kind: "blackout", timezone: "Europe/Berlin", dates: ["2026-12-25"] })} label="A curl command that makes a calendar" />
        </Empty>
      )}
      {data && data.calendars.length > 0 && (
        <div class="table-scroll">
          <table class="folds">
            <thead><tr><th>Name</th><th>Kind</th><th>Zone</th><th>Says</th><th>Changed</th><th><span class="visually-hidden">Actions</span></th></tr></thead>
            <tbody>
              {data.calendars.map((calendar) => (
                <tr key={calendar.name} data-row>
                  <td><div class="name-cell"><strong>{calendar.name}</strong>{calendar.note && <span class="small soft cut">{calendar.note}</span>}</div></td>
                  <td data-label="Kind">{calendar.kind}</td>
                  <td data-label="Zone">{calendar.timezone}</td>
                  <td data-label="Says" class="small">{[calendar.dates.length > 0 && plural(calendar.dates.length, "day"), calendar.weekly.length > 0 && plural(calendar.weekly.length, "weekly window"), calendar.events.length > 0 && plural(calendar.events.length, "event")].filter(Boolean).join(", ")}</td>
                  <td data-label="Changed"><Relative at={calendar.updated_at} kind="past" /></td>
                  <td>{may("operator") && <button type="button" class="button slim risky" onClick={() => remove(calendar)}>Delete…</button>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}

function Server() {
  const now = useWatched(session);
  const [backup, setBackup] = useState<{ path: string; bytes: number } | null>(null);
  if (now.state !== "in") return null;
  const { me } = now;
  return (
    <Card title="Server" actions={may("admin") && <ActionButton kind="slim" icon="download" run={async () => setBackup(await send("POST", "/api/backup", {}))}>Back up now</ActionButton>}>
      <div class="stack">
        <dl class="facts">
          <dt>Version</dt><dd>{me.version}</dd>
          <dt>Project</dt><dd>{me.project.name} <span class="soft mono small">{me.project.id}</span></dd>
          <dt>You</dt><dd>{me.key.name}, {me.key.role} <span class="soft mono small">{me.key.id}</span></dd>
          <dt>Metrics</dt><dd class="mono">/metrics</dd>
          <dt>API</dt><dd class="mono">/api/openapi.json</dd>
        </dl>
        {backup && <Notice tone="good" title="Backed up">{bytesText(backup.bytes)} on the server, in <code>{backup.path}</code></Notice>}
      </div>
    </Card>
  );
}

export function Settings() {
  return (
    <>
      <PageHead title="Settings" />
      <div class="columns"><Looks /><Server /></div>
      <Calendars />
    </>
  );
}
