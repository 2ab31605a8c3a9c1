// Where people are told: mail, webhook, Slack. Each can be tried before it is needed.
import { useState } from "preact/hooks";
import { Problem, send } from "../api/http";
import { useResource } from "../api/resource";
import type { Channel, ChannelTest } from "../api/types";
import { ActionButton, Card, Field, Menu, PageHead, Segmented } from "../parts/controls";
import { ask, Dialog, useAct } from "../parts/dialog";
import { Empty, Loading, ProblemNotice, Snippet, tell, tellProblem } from "../parts/feedback";
import { Icon } from "../parts/icon";
import { curlFor, listOf } from "../words/declaration";

const KINDS = [["email", "E-mail"], ["webhook", "Webhook"], ["slack", "Slack"]] as const;
const SECRET_BYTES = 32;

const pathOf = (name: string): string => `/api/channels/${encodeURIComponent(name)}`;

/** As Standard Webhooks has it: whsec_ and random bytes in base64. */
const newSecret = (): string => `whsec_${btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(SECRET_BYTES))))}`;

function SecretField({ value, has, onChange, errors }: { value: string | null; has: boolean; onChange: (value: string | null) => void; errors: Problem["errors"] }) {
  return (
    <div class="stack tight">
      <Field label="Secret" hint={has ? "Empty: the one there is stays." : "Signs what is sent; without one nothing is signed. It is never shown again."} errors={errors}>
        {(id, by, invalid) => <input id={id} aria-describedby={by} aria-invalid={invalid} type="text" class="mono" autocomplete="off" spellcheck={false} placeholder="whsec_…" disabled={value === null} value={value ?? ""} onInput={(event) => onChange(event.currentTarget.value)} />}
      </Field>
      <div class="row wrap">
        <button type="button" class="button slim" disabled={value === null} onClick={() => onChange(newSecret())}>Make one</button>
        {has && <label class="row small"><input type="checkbox" checked={value === null} onChange={() => onChange(value === null ? "" : null)} />Take it away</label>}
      </div>
    </div>
  );
}

function ChannelDialog({ channel, onClose }: { channel: Channel | null; onClose: () => void }) {
  const [name, setName] = useState(channel?.name ?? "");
  const [kind, setKind] = useState<Channel["kind"]>(channel?.kind ?? "email");
  const [to, setTo] = useState((channel?.to ?? []).join(", "));
  const [url, setUrl] = useState(channel?.url ?? "");
  const [secret, setSecret] = useState<string | null>(""); // null takes it away
  const { problem, busy, run } = useAct(async () => {
    const target = kind === "email" ? { to: listOf(to) } : { url };
    const signed = kind === "webhook" && secret !== "" ? { secret } : {};
    if (channel) await send("PUT", pathOf(name), { kind, ...target, ...signed });
    else await send("POST", "/api/channels", { name, kind, ...target, ...signed });
    tell("Saved. Try it with Test.");
    onClose();
  });
  const errors = (pointer: string) => (problem instanceof Problem ? problem.errors.filter((error) => error.pointer.startsWith(pointer)) : []);
  return (
    <Dialog title={channel ? `Channel ${channel.name}` : "New channel"} onClose={onClose}>
      <form class="stack" onSubmit={(event) => void run(event)}>
        <Field label="Name" hint="Rules of jobs name it." errors={errors("/name")}>
          {(id, by, invalid) => <input id={id} aria-describedby={by} aria-invalid={invalid} type="text" required readOnly={channel !== null} placeholder="ops" value={name} onInput={(event) => setName(event.currentTarget.value)} />}
        </Field>
        <Segmented label="Kind" options={KINDS} value={kind} onChange={setKind} />
        {kind === "email" ? (
          <Field label="To" hint="Addresses, with commas between." errors={errors("/to")}>
            {(id, by, invalid) => <input id={id} aria-describedby={by} aria-invalid={invalid} type="text" required placeholder="ops@example.com" value={to} onInput={(event) => setTo(event.currentTarget.value)} />}
          </Field>
        ) : (
          <Field label="URL" errors={errors("/url")}>
            {(id, by, invalid) => <input id={id} aria-describedby={by} aria-invalid={invalid} type="url" required placeholder="https://hooks.example/chronos" value={url} onInput={(event) => setUrl(event.currentTarget.value)} />}
          </Field>
        )}
        {kind === "webhook" && <SecretField value={secret} has={channel?.has_secret ?? false} onChange={setSecret} errors={errors("/secret")} />}
        {problem !== null && <ProblemNotice problem={problem} />}
        <div class="foot"><button type="button" class="button" onClick={onClose}>Close</button><button type="submit" class="button main" disabled={busy}>{busy && <i class="spin" />}Save</button></div>
      </form>
    </Dialog>
  );
}

async function tryOut(name: string): Promise<void> {
  const { delivered, error, took } = await send<ChannelTest>("POST", `${pathOf(name)}/test`);
  if (delivered) tell(`A test message went to ${name} in ${took}.`);
  else tellProblem(new Problem(0, "", "The test message was not delivered", error));
}

function ChannelRow({ channel, onEdit }: { channel: Channel; onEdit: () => void }) {
  const remove = () => ask({
    title: `Delete channel ${channel.name}?`,
    text: "What is to be told through it is kept for about three days, and told if there is one of its name by then.",
    yes: "Delete",
    risky: true,
    run: async () => {
      await send("DELETE", pathOf(channel.name));
      tell("Deleted.");
    },
  });
  return (
    <tr data-row>
      <td><div class="name-cell"><strong class="cut" title={channel.name}>{channel.name}</strong>{channel.disabled_at && <span class="badge bad" title="Its receiver answered 410 Gone. Save it anew, or test it with success, to switch it on."><Icon name="cross" size={12} />Off</span>}</div></td>
      <td data-label="Kind" class="nowrap">{KINDS.find(([kind]) => kind === channel.kind)?.[1] ?? channel.kind}</td>
      <td data-label="Where"><span class="wrap-anywhere">{channel.kind === "email" ? channel.to.join(", ") : channel.url}</span></td>
      <td data-label="Signed">{channel.kind === "webhook" ? (channel.has_secret ? "yes" : "no") : <span class="soft">–</span>}</td>
      <td>
        <div class="row end">
          <ActionButton kind="slim" icon="send" run={() => tryOut(channel.name)}>Test</ActionButton>
          <Menu label={`Actions for ${channel.name}`}><button type="button" onClick={onEdit}><Icon name="edit" size={14} />Edit…</button><button type="button" class="risky" onClick={remove}><Icon name="trash" size={14} />Delete…</button></Menu>
        </div>
      </td>
    </tr>
  );
}

export function Channels() {
  const { data, problem, reload } = useResource<{ channels: Channel[] }>("/api/channels");
  const [edited, setEdited] = useState<Channel | "new" | null>(null);
  return (
    <>
      <PageHead title="Channels" note="Where people are told when a job fails. A rule of a job names one.">
        <button type="button" class="button main" onClick={() => setEdited("new")}><Icon name="plus" />New channel</button>
      </PageHead>
      {problem && <ProblemNotice problem={problem} onRetry={reload} />}
      <Card flush label="Channels">
        {!data && !problem && <Loading what="channels" />}
        {data && data.channels.length === 0 && (
          <Empty icon="channels" title="No channel yet">
            <p>Make one, try it, and name it in a job's rule. Mail needs the server's <code>[smtp]</code> settings. Those of the server's configuration are not listed here.</p>
            <Snippet text={curlFor("POST", "/api/channels", { name: "ops", kind: "email", to: ["ops@example.com"] })} label="A curl command that makes a channel" />
          </Empty>
        )}
        {data && data.channels.length > 0 && (
          <div class="table-scroll">
            <table class="folds">
              <thead><tr><th>Name</th><th>Kind</th><th>Where</th><th>Signed</th><th><span class="visually-hidden">Actions</span></th></tr></thead>
              <tbody>{data.channels.map((channel) => <ChannelRow key={channel.name} channel={channel} onEdit={() => setEdited(channel)} />)}</tbody>
            </table>
          </div>
        )}
      </Card>
      {edited !== null && <ChannelDialog channel={edited === "new" ? null : edited} onClose={() => setEdited(null)} />}
    </>
  );
}
