// The usual fields of a job as a form. What it has no input for stays as the JSON beside it says.
import { useEffect, useState } from "preact/hooks";
import { parseExact, stringifyExact } from "../api/exact_json";
import type { FieldError } from "../api/http";
import { useResource } from "../api/resource";
import type { Action, Channel, CommandAction, HttpAction, JobSpec, NotifyRule } from "../api/types";
import { may } from "../app/session";
import { Card, Field, Segmented } from "../parts/controls";
import { listOf } from "../words/declaration";
import { ScheduleEditor } from "./schedule_editor";

interface FormProps {
  spec: JobSpec;
  id: string | undefined; // of the job, when it is there already
  errors: (pointer: string) => FieldError[];
  onChange: (changes: Partial<JobSpec>) => void;
}

const KINDS = [["http", "HTTP call"], ["command", "Command"], ["worker", "Worker"]] as const;

/** One argument a line: nothing is split or quoted by guess. Empty lines at the end are none. */
const argvOf = (text: string): string[] => text.replace(/\n+$/, "").split("\n");
const argvText = (argv: string[]): string => argv.join("\n");

/** Text that is passed on as it can be read; until then it stays as typed. */
function useTyped<T>(value: T, textOf: (value: T) => string, read: (text: string) => T, onChange: (value: T) => void): [string, (text: string) => void] {
  const [typed, setTyped] = useState(textOf(value));
  useEffect(() => {
    if (JSON.stringify(read(typed)) !== JSON.stringify(value)) setTyped(textOf(value));
  }, [JSON.stringify(value)]);
  return [typed, (text) => { setTyped(text); onChange(read(text)); }];
}

interface LinesProps<T> {
  label: string;
  hint: string;
  errors?: FieldError[];
  rows: number;
  placeholder?: string;
  value: T;
  textOf: (value: T) => string;
  read: (text: string) => T;
  onChange: (value: T) => void;
}

/** Something on each line. What lines cannot say (a value with a line end in it) is not changed here. */
function LinesInput<T extends object>({ label, hint, errors = [], rows, placeholder, value, textOf, read, onChange }: LinesProps<T>) {
  const [typed, type] = useTyped(value, textOf, read, onChange);
  const unsaid = /[\r\n]/.test(Object.values(value).join("")) || JSON.stringify(read(textOf(value))) !== JSON.stringify(value);
  return (
    <Field label={label} hint={unsaid ? "A line cannot say what stands here: edit it in the JSON beside." : hint} errors={errors}>
      {(id, by, invalid) => <textarea id={id} aria-describedby={by} aria-invalid={invalid} rows={rows} spellcheck={false} placeholder={placeholder} readOnly={unsaid} value={typed} onInput={(event) => type(event.currentTarget.value)} />}
    </Field>
  );
}

type Pairs = Record<string, string>;
const pairsText = (sign: string) => (pairs: Pairs): string => Object.entries(pairs).map(([name, value]) => `${name}${sign}${value}`).join("\n");
const pairsOf = (mark: string, valueOf: (text: string) => string) => (text: string): Pairs =>
  Object.fromEntries(text.split("\n").filter((line) => line.trim() !== "").map((line) => {
    const [name = "", ...rest] = line.split(mark);
    return [name.trim(), valueOf(rest.join(mark))];
  }));
const headersText = pairsText(": ");
const headersOf = pairsOf(":", (text) => text.trimStart());
const envText = pairsText("=");
const envOf = pairsOf("=", (text) => text);

function emptyAction(kind: Action["kind"]): Action {
  if (kind === "http") return { kind, url: "" };
  if (kind === "command") return { kind, argv: [""] };
  return { kind };
}

function HttpFields({ action, errors, set }: { action: HttpAction; errors: FormProps["errors"]; set: (changes: Partial<HttpAction>) => void }) {
  return (
    <>
      <div class="form-grid url-line">
        <Field label="Method">
          {(id) => <select id={id} value={action.method ?? "POST"} onChange={(event) => set({ method: event.currentTarget.value })}>{["POST", "GET", "PUT", "PATCH", "DELETE", "HEAD"].map((method) => <option key={method}>{method}</option>)}</select>}
        </Field>
        <Field label="URL" errors={errors("/action/url")}>
          {(id, by, invalid) => <input id={id} aria-describedby={by} aria-invalid={invalid} type="url" placeholder="https://reports.example/build" value={action.url} onInput={(event) => set({ url: event.currentTarget.value })} />}
        </Field>
      </div>
      <LinesInput label="Headers" hint="Name: value, one a line." rows={2} value={action.headers ?? {}} textOf={headersText} read={headersOf} onChange={(headers) => set({ headers })} />
    </>
  );
}

function CommandFields({ action, errors, set }: { action: CommandAction; errors: FormProps["errors"]; set: (changes: Partial<CommandAction>) => void }) {
  return (
    <>
      <LinesInput label="Program and arguments" hint="One a line, as they are: no shell reads them." errors={[...errors("/action/argv"), ...errors("/action/argv/0")]}
        rows={3} placeholder={"/usr/local/bin/backup\n--all"} value={action.argv} textOf={argvText} read={argvOf} onChange={(argv) => set({ argv })} />
      <LinesInput label="Environment" hint="NAME=value, one a line. Nothing else is inherited but PATH." rows={2} value={action.env ?? {}} textOf={envText} read={envOf} onChange={(env) => set({ env })} />
      <Field label="Directory" errors={errors("/action/cwd")}>
        {(id, by) => <input id={id} aria-describedby={by} type="text" placeholder="/" value={action.cwd ?? ""} onInput={(event) => set({ cwd: event.currentTarget.value })} />}
      </Field>
    </>
  );
}

function PayloadField({ spec, onChange }: Pick<FormProps, "spec" | "onChange">) {
  const said = spec.payload === undefined || spec.payload === null ? "" : stringifyExact(spec.payload, 2);
  const [typed, setTyped] = useState(said);
  const [wrong, setWrong] = useState<FieldError[]>([]);
  useEffect(() => { if (wrong.length === 0) setTyped(said); }, [said]);
  const take = (text: string) => {
    setTyped(text);
    try {
      onChange({ payload: text.trim() === "" ? undefined : parseExact(text) });
      setWrong([]);
    } catch {
      setWrong([{ pointer: "/payload", code: "bad_json", detail: "This is no JSON yet." }]);
    }
  };
  return (
    <Field label="Payload" hint="Any JSON. An HTTP call sends it as its body, a command reads it from stdin." errors={wrong}>
      {(id, by, invalid) => <textarea id={id} aria-describedby={by} aria-invalid={invalid} rows={3} spellcheck={false} value={typed} onInput={(event) => take(event.currentTarget.value)} />}
    </Field>
  );
}

const wholeOf = (text: string): number | undefined => (/^\d+$/.test(text) ? Number(text) : undefined);

const isOfFailure = (rule: NotifyRule): boolean => (rule.on ?? "failure") === "failure";

function TellFields({ spec, onChange }: Pick<FormProps, "spec" | "onChange">) {
  const { data } = useResource<{ channels: Channel[] }>(may("operator") ? "/api/channels" : null);
  const rules = spec.notify ?? [];
  const at = rules.findIndex(isOfFailure);
  const rule = rules[at];
  const channels = [...new Set([...(rule?.channel ? [rule.channel] : []), ...(data?.channels ?? []).map(({ name }) => name)])]; // one may be the server's
  const set = (changes: Pick<NotifyRule, "email" | "channel">) => {
    const next: NotifyRule = { on: "failure", ...rule, ...changes };
    if (next.email?.length === 0) delete next.email;
    if (next.channel === "") delete next.channel;
    const needless = !next.email && !next.channel && rules.filter(isOfFailure).length <= 1; // with more the fields would become another rule's
    const mine = needless ? [] : [next];
    onChange({ notify: at < 0 ? [...rules, ...mine] : rules.flatMap((one, index) => (index === at ? mine : [one])) });
  };
  const [typed, type] = useTyped(rule?.email ?? [], (email) => email.join(", "), listOf, (email) => set({ email }));
  return (
    <div class="form-grid">
      <Field label="E-mail when it fails" hint="Addresses, with commas between.">
        {(id, by) => <input id={id} aria-describedby={by} type="text" placeholder="ops@example.com" value={typed} onInput={(event) => type(event.currentTarget.value)} />}
      </Field>
      {channels.length > 0 && (
        <Field label="Channel when it fails">
          {(id) => <select id={id} value={rule?.channel ?? ""} onChange={(event) => set({ channel: event.currentTarget.value })}><option value="">none</option>{channels.map((name) => <option key={name}>{name}</option>)}</select>}
        </Field>
      )}
    </div>
  );
}

export function JobForm({ spec, id, errors, onChange }: FormProps) {
  const { action } = spec;
  const setAction = (changes: object) => {
    const next: Record<string, unknown> = { ...action, ...changes };
    for (const [name, value] of Object.entries(next)) {
      const bare = value === "" && name !== "url" || (typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length === 0);
      if (bare) delete next[name];
    }
    onChange({ action: next as unknown as Action });
  };
  return (
    <div class="stack">
      <Card title="What">
        <div class="stack">
          <Field label="Name" errors={errors("/name")}>
            {(id, by, invalid) => <input id={id} aria-describedby={by} aria-invalid={invalid} type="text" required maxLength={200} placeholder="nightly report" value={spec.name} onInput={(event) => onChange({ name: event.currentTarget.value })} />}
          </Field>
          <Segmented label="Kind of action" options={KINDS} value={action.kind} onChange={(kind) => onChange({ action: emptyAction(kind) })} />
          {action.kind === "http" && <HttpFields action={action} errors={errors} set={setAction} />}
          {action.kind === "command" && <CommandFields action={action} errors={errors} set={setAction} />}
          {action.kind === "worker" && <p class="soft">A program of yours pulls it from the queue below.</p>}
          <PayloadField spec={spec} onChange={onChange} />
        </div>
      </Card>
      <Card title="When"><ScheduleEditor spec={spec} id={id} errors={errors} onChange={onChange} /></Card>
      <Card title="How">
        <div class="stack">
          <div class="form-grid">
            <Field label="Attempts" hint="0: no limit." errors={errors("/max_attempts")}>
              {(id, by, invalid) => <input id={id} aria-describedby={by} aria-invalid={invalid} type="number" min={0} max={1000} value={spec.max_attempts ?? 3} onInput={(event) => onChange({ max_attempts: wholeOf(event.currentTarget.value) } as Partial<JobSpec>)} />}
            </Field>
            <Field label="Timeout" hint="Of an attempt." errors={errors("/timeout")}>
              {(id, by, invalid) => <input id={id} aria-describedby={by} aria-invalid={invalid} type="text" value={spec.timeout ?? "5m"} onInput={(event) => onChange({ timeout: event.currentTarget.value })} />}
            </Field>
            <Field label="When the last one still runs" errors={errors("/overlap")}>
              {(id) => (
                <select id={id} value={spec.overlap ?? "skip"} onChange={(event) => onChange({ overlap: event.currentTarget.value })}>
                  <option value="skip">skip this one</option><option value="queue_one">queue one</option><option value="queue_all">queue all</option><option value="cancel_running">cancel the running one</option><option value="allow">run beside it</option>
                </select>
              )}
            </Field>
            <Field label="Queue" errors={errors("/queue")}>
              {(id, by, invalid) => <input id={id} aria-describedby={by} aria-invalid={invalid} type="text" value={spec.queue ?? "default"} onInput={(event) => onChange({ queue: event.currentTarget.value })} />}
            </Field>
            <Field label="Priority" hint="9 goes first." errors={errors("/priority")}>
              {(id, by, invalid) => <input id={id} aria-describedby={by} aria-invalid={invalid} type="number" min={0} max={9} value={spec.priority ?? 4} onInput={(event) => onChange({ priority: wholeOf(event.currentTarget.value) } as Partial<JobSpec>)} />}
            </Field>
            <Field label="Key" hint="A name for programs, unique." errors={errors("/key")}>
              {(id, by, invalid) => <input id={id} aria-describedby={by} aria-invalid={invalid} type="text" value={spec.key ?? ""} onInput={(event) => onChange({ key: event.currentTarget.value || undefined } as Partial<JobSpec>)} />}
            </Field>
          </div>
          <Field label="Tags" hint="With commas between." errors={errors("/tags")}>
            {(id, by, invalid) => <input id={id} aria-describedby={by} aria-invalid={invalid} type="text" defaultValue={(spec.tags ?? []).join(", ")} key={(spec.tags ?? []).length === 0 ? "none" : "some"} onChange={(event) => onChange({ tags: listOf(event.currentTarget.value) })} />}
          </Field>
          <TellFields spec={spec} onChange={onChange} />
          <Field label="Note" errors={errors("/note")}>
            {(id) => <textarea id={id} rows={2} class="prose" value={spec.note ?? ""} onInput={(event) => onChange({ note: event.currentTarget.value })} />}
          </Field>
        </div>
      </Card>
    </div>
  );
}
