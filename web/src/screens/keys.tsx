// API keys: who may what, when each was last used. A secret is shown once, when it is made.
import { useState } from "preact/hooks";
import { send } from "../api/http";
import { useResource } from "../api/resource";
import type { Key } from "../api/types";
import { useNow } from "../app/clock";
import { Card, Field, Menu, PageHead } from "../parts/controls";
import { ask, Dialog, useAct } from "../parts/dialog";
import { Loading, Notice, ProblemNotice, Snippet, tell } from "../parts/feedback";
import { Icon } from "../parts/icon";
import { Relative } from "../parts/time";

const ROLES = [
  ["viewer", "reads"], ["submitter", "and submits, changes, cancels, runs"], ["operator", "and pauses, backfills, changes many at once, calendars and channels"],
  ["admin", "and manages keys and projects, reads the audit log, writes backups"], ["worker", "claims and settles work, nothing else"],
] as const;
const LIVES = [["", "does not expire"], ["30d", "30 days"], ["90d", "90 days"], ["365d", "a year"]] as const;

function NewKey({ onClose, onMade }: { onClose: () => void; onMade: (key: Key) => void }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState("submitter");
  const [life, setLife] = useState("");
  const { problem, busy, run } = useAct(async () => {
    onMade(await send<Key>("POST", "/api/keys", { name, role, ...(life === "" ? {} : { expires_in: life }) }));
    onClose();
  });
  return (
    <Dialog title="New key" onClose={onClose}>
      <form class="stack" onSubmit={(event) => void run(event)}>
        <Field label="Name" hint="Whose it is: a program, a person.">{(id, by) => <input id={id} aria-describedby={by} type="text" required maxLength={200} value={name} onInput={(event) => setName(event.currentTarget.value)} />}</Field>
        <Field label="Role">{(id) => <select id={id} value={role} onChange={(event) => setRole(event.currentTarget.value)}>{ROLES.map(([value, text]) => <option key={value} value={value}>{value}: {text}</option>)}</select>}</Field>
        <Field label="Lives">{(id) => <select id={id} value={life} onChange={(event) => setLife(event.currentTarget.value)}>{LIVES.map(([value, text]) => <option key={value} value={value}>{text}</option>)}</select>}</Field>
        {problem !== null && <ProblemNotice problem={problem} />}
        <div class="foot"><button type="button" class="button" onClick={onClose}>Close</button><button type="submit" class="button main" disabled={busy}>{busy && <i class="spin" />}Make the key</button></div>
      </form>
    </Dialog>
  );
}

function Secret({ made, onClose }: { made: Key; onClose: () => void }) {
  return (
    <Dialog title={`Key ${made.name}`} once onClose={onClose}>
      <Notice tone="warn" title="Copy it now">It is stored hashed: nobody can show it again.</Notice>
      <Snippet text={made.secret ?? ""} label="The new key" />
      <div class="foot"><button type="button" class="button main" onClick={onClose}>I have it</button></div>
    </Dialog>
  );
}

function Standing({ of: key }: { of: Key }) {
  const now = useNow(key.expires_at !== null);
  if (key.revoked_at) return <span class="badge bad"><Icon name="ban" size={12} />Revoked</span>;
  if (key.expires_at && Date.parse(key.expires_at) <= now) return <span class="badge bad"><Icon name="clock" size={12} />Expired</span>;
  return <span class="badge good"><Icon name="check" size={12} />Live</span>;
}

export function Keys() {
  const { data, problem, reload } = useResource<{ keys: Key[] }>("/api/keys");
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<Key | null>(null);
  const rotate = (key: Key) => ask({
    title: `Rotate ${key.name}?`,
    text: "A second key of the same name and role is made; the old one goes on working until you revoke it.",
    yes: "Make a second key",
    run: async () => setMade(await send<Key>("POST", `/api/keys/${key.id}/rotate`, {})),
  });
  const revoke = (key: Key) => ask({
    title: `Revoke ${key.name}?`,
    text: "Whoever uses it is refused from now on. This cannot be taken back.",
    yes: "Revoke",
    risky: true,
    typed: key.name,
    run: async () => {
      await send("DELETE", `/api/keys/${key.id}`);
      tell("Revoked.");
    },
  });
  return (
    <>
      <PageHead title="Keys" note="Programs and people come in with a key. Give each the least role that will do.">
        <button type="button" class="button main" onClick={() => setMaking(true)}><Icon name="plus" />New key</button>
      </PageHead>
      {problem && <ProblemNotice problem={problem} onRetry={reload} />}
      <Card flush label="Keys">
        {!data && !problem && <Loading what="keys" />}
        {data && (
          <div class="table-scroll">
            <table class="folds">
              <thead><tr><th>Name</th><th>Role</th><th>State</th><th>Last used</th><th>Made</th><th>Expires</th><th><span class="visually-hidden">Actions</span></th></tr></thead>
              <tbody>
                {data.keys.map((key) => (
                  <tr key={key.id} data-row>
                    <td><div class="name-cell"><strong class="cut" title={key.name}>{key.name}</strong><span class="small soft mono cut">{key.id}</span></div></td>
                    <td data-label="Role">{key.role}</td>
                    <td data-label="State"><Standing of={key} /></td>
                    <td data-label="Last used"><Relative at={key.last_used_at} kind="past" none="never" /></td>
                    <td data-label="Made"><Relative at={key.created_at} kind="past" /></td>
                    <td data-label="Expires"><Relative at={key.expires_at} none="never" /></td>
                    <td>{!key.revoked_at && <Menu label={`Actions for ${key.name}`}><button type="button" onClick={() => rotate(key)}><Icon name="retry" size={14} />Rotate…</button><button type="button" class="risky" onClick={() => revoke(key)}><Icon name="ban" size={14} />Revoke…</button></Menu>}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Card>
      {making && <NewKey onClose={() => setMaking(false)} onMade={setMade} />}
      {made && <Secret made={made} onClose={() => setMade(null)} />}
    </>
  );
}
