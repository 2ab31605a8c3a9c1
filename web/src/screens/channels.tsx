// Where people are told: mail, webhook, Slack. Each can be tried before it is needed.
import { useState } from "preact/hooks";
import { Problem, send } from "../api/http";
import { useResource } from "../api/resource";
import type { Channel } from "../api/types";
import { may } from "../app/session";
import { ActionButton, Card, Field, Menu, PageHead, Segmented } from "../parts/controls";
import { ask, Dialog } from "../parts/dialog";
import { Empty, Loading, ProblemNotice, Snippet, tell, tellProblem } from "../parts/feedback";
import { Icon } from "../parts/icon";
import { curlFor } from "../words/declaration";

const KINDS = [["email", "E-mail"], ["webhook", "Webhook"], ["slack", "Slack"]] as const;
const BLANK: Channel = { name: "", kind: "email", to: [] };

interface TestResult {
  ok?: boolean;
  error?: string;
  detail?: string;
  [field: string]: unknown;
}

function ChannelDialog({ channel, onClose, onSaved }: { channel: Channel; onClose: () => void; onSaved: () => void }) {
  const isNew = channel.name === "";
  const [name, setName] = useState(channel.name);
  const [kind, setKind] = useState(channel.kind);
  const [to, setTo] = useState((channel.to ?? []).join(", "));
  const [url, setUrl] = useState(channel.url ?? "");
  const [secret, setSecret] = useState("");
  const [problem, setProblem] = useState<unknown>(null);
  const errors = (pointer: string) => (problem instanceof Problem ? problem.errors.filter((error) => error.pointer.startsWith(pointer)) : []);
  const save = async (event: Event) => {
    event.preventDefault();
    const target = kind === "email" ? { to: to.split(",").map((one) => one.trim()).filter(Boolean) } : { url, ...(secret === "" ? {} : { secret }) };
    try {
      if (isNew) await send("POST", "/api/channels", { name, kind, ...target });
      else await send("PUT", `/api/channels/${encodeURIComponent(name)}`, { kind, ...target });
      tell("Saved. Try it with Test.");
      onSaved();
      onClose();
    } catch (error) {
      setProblem(error);
    }
  };
  return (
    <Dialog title={isNew ? "New channel" : `Channel ${channel.name}`} onClose={onClose}>
      <form class="stack" onSubmit={(event) => void save(event)}>
        <Field label="Name" hint="A job's notify rule names it." errors={errors("/name")}>{(id, by, invalid) => <input id={id} aria-describedby={by} aria-invalid={invalid} type="text" required readOnly={!isNew} placeholder="ops" value={name} onInput={(event) => setName(event.currentTarget.value)} />}</Field>
        <Segmented label="Kind" options={KINDS} value={kind} onChange={setKind} />
        {kind === "email"
          ? <Field label="To" hint="Addresses, with commas between." errors={errors("/to")}>{(id, by, invalid) => <input id={id} aria-describedby={by} aria-invalid={invalid} type="text" required placeholder="ops@example.com" value={to} onInput={(event) => setTo(event.currentTarget.value)} />}</Field>
          : <Field label="URL" errors={errors("/url")}>{(id, by, invalid) => <input id={id} aria-describedby={by} aria-invalid={invalid} type="url" required placeholder="https://hooks.example/chronos" value={url} onInput={(event) => setUrl(event.currentTarget.value)} />}</Field>}
        {kind === "webhook" && <Field label="Secret" hint={isNew ? "Signs what is sent. It is never shown again." : "Empty: the one there is stays."} errors={errors("/secret")}>{(id, by) => <input id={id} aria-describedby={by} type="password" autocomplete="off" value={secret} onInput={(event) => setSecret(event.currentTarget.value)} />}</Field>}
        {problem !== null && <ProblemNotice problem={problem} />}
        <div class="foot"><button type="button" class="button" onClick={onClose}>Close</button><button type="submit" class="button main">Save</button></div>
      </form>
    </Dialog>
  );
}

export function Channels() {
  const { data, problem, reload } = useResource<{ channels: Channel[] }>("/api/channels");
  const [edited, setEdited] = useState<Channel | null>(null);
  const test = async ({ name }: Channel) => {
    const result = await send<TestResult>("POST", `/api/channels/${encodeURIComponent(name)}/test`, {});
    const wrong = result?.ok === false || (typeof result?.error === "string" && result.error !== "");
    if (wrong) tellProblem(new Problem(0, "", "The test message was not delivered", String(result.error ?? result.detail ?? "")));
    else tell(`A test message went to ${name}.`);
  };
  const remove = (channel: Channel) => ask({
    title: `Delete channel ${channel.name}?`,
    text: "Jobs whose rules name it tell nobody there any more.",
    yes: "Delete",
    risky: true,
    run: async () => {
      await send("DELETE", `/api/channels/${encodeURIComponent(channel.name)}`);
      tell("Deleted.");
      reload();
    },
  });
  return (
    <>
      <PageHead title="Channels" note="Where people are told when a job fails, recovers, is late or was missed.">
        {may("operator") && <button type="button" class="button main" onClick={() => setEdited(BLANK)}><Icon name="plus" />New channel</button>}
      </PageHead>
      {problem && <ProblemNotice problem={problem} onRetry={reload} />}
      <Card flush label="Channels">
        {!data && !problem && <Loading what="channels" />}
        {data && data.channels.length === 0 && (
          <Empty icon="channels" title="Nobody is told yet">
            <p>Make a channel, try it, and name it in a job's notify rule. Mail needs the server's <code>[smtp]</code> settings.</p>
            <Snippet text={curlFor("POST", "/api/channels", { name: "ops", kind: "email", to: ["ops@example.com"] })} label="A curl command that makes a channel" />
          </Empty>
        )}
        {data && data.channels.length > 0 && (
          <div class="table-scroll">
            <table class="folds">
              <thead><tr><th>Name</th><th>Kind</th><th>Where</th><th><span class="visually-hidden">Actions</span></th></tr></thead>
              <tbody>
                {data.channels.map((channel) => (
                  <tr key={channel.name} data-row>
                    <td><div class="name-cell"><strong class="cut">{channel.name}</strong></div></td>
                    <td data-label="Kind">{KINDS.find(([kind]) => kind === channel.kind)?.[1] ?? channel.kind}</td>
                    <td data-label="Where"><span class="wrap-anywhere">{channel.kind === "email" ? (channel.to ?? []).join(", ") : channel.url}</span></td>
                    <td>{may("operator") && (
                      <div class="row end">
                        <ActionButton kind="slim" icon="send" run={() => test(channel)}>Test</ActionButton>
                        <Menu label={`Actions for ${channel.name}`}><button type="button" onClick={() => setEdited(channel)}><Icon name="edit" size={14} />Edit…</button><button type="button" class="risky" onClick={() => remove(channel)}><Icon name="trash" size={14} />Delete…</button></Menu>
                      </div>
                    )}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Card>
      {edited && <ChannelDialog channel={edited} onClose={() => setEdited(null)} onSaved={reload} />}
    </>
  );
}
