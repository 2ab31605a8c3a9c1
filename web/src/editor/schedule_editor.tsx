// When: the server explains while it is typed, with the very code that will fire it.
import { useEffect, useState } from "preact/hooks";
import { pathWith, Problem, read, type FieldError } from "../api/http";
import { useResource } from "../api/resource";
import type { Calendar, JobSpec, Preview } from "../api/types";
import { clock } from "../app/clock";
import { Field, Segmented } from "../parts/controls";
import { Notice, ProblemNotice } from "../parts/feedback";
import { NextRuns } from "../screens/next_runs";
import { cronTexts, previewQuery } from "../words/declaration";
import { isZone, LOCAL_ZONE, offsetText } from "../words/time";

type Mode = "cron" | "every" | "once" | "now";
const MODES = [["cron", "Cron"], ["every", "Interval"], ["once", "Once"], ["now", "Now"]] as const;
const PRESETS = [
  ["Every 5 minutes", "*/5 * * * *"], ["Hourly", "0 * * * *"], ["Daily 02:30", "30 2 * * *"], ["Weekdays 9:00", "0 9 * * MON-FRI"],
  ["Sundays", "0 3 * * SUN"], ["Monthly", "0 4 1 * *"], ["Some minute of each hour", "H * * * *"],
] as const;
const PREVIEWED = 10;
const WAIT_MS = 200;

function modeOf(spec: JobSpec): Mode {
  if (spec.cron !== undefined && spec.cron !== null) return "cron";
  if (spec.every !== undefined && spec.every !== null) return "every";
  return spec.scheduled_time ? "once" : "now";
}

const ZONES: readonly string[] = typeof Intl.supportedValuesOf === "function" ? ["UTC", ...Intl.supportedValuesOf("timeZone")] : ["UTC"];

/** An instant as a datetime-local input has it, in a zone. */
function wallText(at: string, zone: string): string {
  const instant = Date.parse(at);
  if (!Number.isFinite(instant)) return "";
  const parts = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" }).format(instant);
  return parts.replace(" ", "T").slice(0, 16);
}

/** And back: the offset is that of the zone at about that time. */
function instantOfWall(wall: string, zone: string): string {
  const about = Date.parse(`${wall}:00Z`);
  if (!Number.isFinite(about)) return "";
  const first = Date.parse(`${wall}:00${offsetText(about, zone)}`);
  return `${wall}:00${offsetText(first, zone)}`;
}

function useExplained(spec: JobSpec, id: string | undefined): { preview: Preview | null; problem: Problem | null; busy: boolean } {
  const [state, setState] = useState<{ preview: Preview | null; problem: Problem | null; busy: boolean }>({ preview: null, problem: null, busy: false });
  const path = modeOf(spec) === "now" ? null : pathWith("/api/schedule/preview", previewQuery(spec, id, PREVIEWED));
  useEffect(() => {
    if (path === null) {
      setState({ preview: null, problem: null, busy: false });
      return undefined;
    }
    const controller = new AbortController();
    setState((before) => ({ ...before, busy: true }));
    const timer = window.setTimeout(() => {
      read<Preview>(path, controller.signal).then(
        (preview) => setState({ preview, problem: null, busy: false }),
        (problem: unknown) => { if (problem instanceof Problem) setState({ preview: null, problem, busy: false }); },
      );
    }, WAIT_MS);
    return () => { window.clearTimeout(timer); controller.abort(); };
  }, [path]);
  return state;
}

/** The text with a caret under what is wrong with it. */
function Caret({ text, error }: { text: string; error: FieldError }) {
  if (error.column === undefined) return null;
  return (
    <pre class="caret" aria-hidden="true">{`${text}\n${" ".repeat(Math.max(0, error.column - 1))}${"^".repeat(Math.max(1, error.length ?? 1))}`}</pre>
  );
}

function Explained({ spec, id }: { spec: JobSpec; id: string | undefined }) {
  const { preview, problem, busy } = useExplained(spec, id);
  if (modeOf(spec) === "now") return <Notice title="Runs at once">As soon as it is stored; then it is done.</Notice>;
  const crons = cronTexts(spec.cron);
  const error = problem?.errors[0];
  const which = Number(/\/cron\/(\d+)/.exec(error?.pointer ?? "")?.[1] ?? 0);
  return (
    <div class="explained dims" aria-live="polite" aria-busy={busy}>
      {problem && error && (
        <Notice tone="bad" title={error.detail}>
          <Caret text={crons[which] ?? spec.every ?? ""} error={error} />
          {error.hint && <p>{error.hint}</p>}
        </Notice>
      )}
      {problem && !error && <ProblemNotice problem={problem} />}
      {preview && (
        <>
          <p class="words">{preview.words}</p>
          {preview.warnings.map((warning) => <Notice key={warning.code} tone="warn" title="Mind">{warning.detail}</Notice>)}
          {modeOf(spec) !== "once" && <NextRuns preview={preview} />}
        </>
      )}
    </div>
  );
}

interface EditorProps {
  spec: JobSpec;
  id: string | undefined; // of the job, when it is there already
  errors: (pointer: string) => FieldError[];
  onChange: (changes: Partial<JobSpec>) => void;
}

export function ScheduleEditor({ spec, id, errors, onChange }: EditorProps) {
  const mode = modeOf(spec);
  const zone = spec.timezone && isZone(spec.timezone) ? spec.timezone : "UTC";
  const { data: calendars } = useResource<{ calendars: Calendar[] }>("/api/calendars");
  const setMode = (next: Mode) => onChange({
    cron: next === "cron" ? "0 9 * * MON-FRI" : undefined,
    every: next === "every" ? "15m" : undefined,
    scheduled_time: next === "once" ? instantOfWall(wallText(new Date(clock.now() + 3_600_000).toISOString(), zone), zone) : undefined,
  } as Partial<JobSpec>);
  return (
    <div class="stack">
      <Segmented label="Kind of schedule" options={MODES} value={mode} onChange={setMode} />
      {mode === "cron" && (
        <Field label="Cron" hint="Minute, hour, day, month, weekday. Several: one a line.">
          {(id, by, invalid) => (
            <textarea id={id} aria-describedby={by} aria-invalid={invalid} class="cron-input" rows={Math.max(1, cronTexts(spec.cron).length)} spellcheck={false}
              value={cronTexts(spec.cron).join("\n")}
              onInput={(event) => {
                const lines = event.currentTarget.value.split("\n");
                onChange({ cron: lines.length === 1 ? (lines[0] ?? "") : lines });
              }} />
          )}
        </Field>
      )}
      {mode === "cron" && (
        <div class="chips" role="group" aria-label="Examples">
          {PRESETS.map(([label, cron]) => <button key={cron} type="button" class="chip" aria-pressed={spec.cron === cron} onClick={() => onChange({ cron })}>{label}</button>)}
        </div>
      )}
      {mode === "every" && (
        <Field label="Every" hint="90s, 15m, 1h30m, 2d" errors={errors("/every")}>
          {(id, by, invalid) => <input id={id} aria-describedby={by} aria-invalid={invalid} type="text" value={spec.every ?? ""} onInput={(event) => onChange({ every: event.currentTarget.value })} />}
        </Field>
      )}
      {mode === "once" && (
        <Field label="At" hint={`In ${zone}.`} errors={errors("/scheduled_time")}>
          {(id, by, invalid) => <input id={id} aria-describedby={by} aria-invalid={invalid} type="datetime-local" value={wallText(spec.scheduled_time ?? "", zone)} onInput={(event) => onChange({ scheduled_time: instantOfWall(event.currentTarget.value, zone) })} />}
        </Field>
      )}
      {mode !== "now" && (
        <div class="form-grid">
          <Field label="Time zone" hint={zone === LOCAL_ZONE ? "Yours." : `Yours is ${LOCAL_ZONE}.`} errors={errors("/timezone")}>
            {(id, by, invalid) => (
              <>
                <input id={id} aria-describedby={by} aria-invalid={invalid} list={`${id}-zones`} type="text" value={spec.timezone ?? "UTC"} onInput={(event) => onChange({ timezone: event.currentTarget.value })} />
                <datalist id={`${id}-zones`}>{ZONES.map((one) => <option key={one} value={one} />)}</datalist>
              </>
            )}
          </Field>
          {(calendars?.calendars.length ?? 0) > 0 && (mode === "cron" || mode === "every") && (
            <Field label="Calendar" hint="Not while it is closed.">
              {(id, by) => (
                <select id={id} aria-describedby={by} value={spec.calendars?.[0] ?? ""} onChange={(event) => onChange({ calendars: event.currentTarget.value === "" ? [] : [event.currentTarget.value] })}>
                  <option value="">none</option>
                  {calendars?.calendars.map((calendar) => <option key={calendar.name} value={calendar.name}>{calendar.name} ({calendar.kind})</option>)}
                </select>
              )}
            </Field>
          )}
        </div>
      )}
      <Explained spec={spec} id={id} />
    </div>
  );
}
