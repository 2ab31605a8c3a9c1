// What the reader is told: a refusal with its hint, an empty list that teaches, a short message, a loading list.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { type FieldError, Problem } from "../api/http";
import { useWatched, Watched } from "../app/watched";
import { Icon, type IconName } from "./icon";

export type Tone = "good" | "bad" | "warn" | "busy" | "plain";

const TONE_ICON: Record<Tone, IconName> = { good: "check", bad: "alert", warn: "alert", busy: "clock", plain: "info" };

export function Notice({ tone = "plain", title, children }: { tone?: Tone; title: string; children?: ComponentChildren }) {
  return (
    <div class={`notice ${tone}`} role={tone === "bad" ? "alert" : "note"}>
      <Icon name={TONE_ICON[tone]} />
      <div class="body">
        <strong>{title}</strong>
        {children}
      </div>
    </div>
  );
}

/** Each field that is wrong, and what would be right. */
export function ErrorList({ errors }: { errors: readonly FieldError[] }) {
  return (
    <ul>
      {errors.map((error) => (
        <li key={error.pointer + error.code}>
          <code>{error.pointer}</code> {error.detail}
          {error.hint && <span class="soft"> {error.hint}</span>}
        </li>
      ))}
    </ul>
  );
}

/** A refusal of the server, with everything it said that helps. */
export function ProblemNotice({ problem, onRetry }: { problem: unknown; onRetry?: () => void }) {
  const known = problem instanceof Problem ? problem : new Problem(0, "", "Something went wrong in this page", String(problem));
  return (
    <Notice tone="bad" title={known.title || "The server refused this"}>
      {known.detail !== "" && known.detail !== known.title && <p>{known.detail}</p>}
      {known.errors.length > 1 && <ErrorList errors={known.errors} />}
      {known.errors.length === 1 && known.errors[0]?.hint && <p>{known.errors[0].hint}</p>}
      {known.hint !== "" && <p>{known.hint}</p>}
      <div class="row wrap small soft">
        {known.code !== "" && <code>{known.code}</code>}
        {known.retryAfter > 0 && <span>Try again in {known.retryAfter} s.</span>}
        {onRetry && <button type="button" class="button slim" onClick={onRetry}>Try again</button>}
      </div>
    </Notice>
  );
}

export function Loading({ what }: { what: string }) {
  return (
    <div class="loading" role="status" aria-label={`Loading ${what}`}>
      <i /><i /><i />
    </div>
  );
}

export function CopyButton({ text, label = "Copy" }: { text: string; label?: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await copyText(text);
    setCopied(true);
    window.setTimeout(() => setCopied(false), 1500);
  };
  return (
    <button type="button" class="button slim" onClick={() => void copy()}>
      <Icon name={copied ? "check" : "copy"} size={14} />
      <span aria-live="polite">{copied ? "Copied" : label}</span>
    </button>
  );
}

/** To the clipboard; where the browser has none for pages over plain HTTP, through a selection. */
export async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

/** A command or a document to copy. */
export function Snippet({ text, label }: { text: string; label: string }) {
  return (
    <div class="snippet">
      <pre tabIndex={0} aria-label={label}>{text}</pre>
      <CopyButton text={text} />
    </div>
  );
}

export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <Icon name={icon} size={28} />
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** A search without a row: that nothing matches is only said when all was looked at (the pager goes on). */
export function NoMatch({ next, partial, what, title, children }: { next: string | null; partial: boolean; what: string; title: string; children?: ComponentChildren }) {
  if (next === null) return <Empty icon="search" title={title}>{children}</Empty>;
  if (partial) return <Loading what={what} />;
  return <Empty icon="search" title="None found so far"><p>The list is long: of the {what} only the newest were looked at. What you look for may lie further back.</p></Empty>;
}

interface Toast {
  id: number;
  tone: "good" | "bad";
  text: ComponentChildren;
  action?: { label: string; run: () => void };
}

const toasts = new Watched<readonly Toast[]>([]);
const TOAST_MS = 6000;
let lastToast = 0;

const dismiss = (id: number) => toasts.set(toasts.value.filter((toast) => toast.id !== id));

export function tell(text: ComponentChildren, action?: Toast["action"]): void {
  const id = ++lastToast;
  toasts.set([...toasts.value, { id, tone: "good", text, ...(action ? { action } : {}) }]);
  window.setTimeout(() => dismiss(id), TOAST_MS);
}

/** A refusal stays until it is closed. */
export function tellProblem(problem: unknown): void {
  const id = ++lastToast;
  const known = problem instanceof Problem ? problem : null;
  const text = (
    <>
      <strong>{known?.title ?? "Something went wrong"}</strong>
      <div>{known ? known.detail : String(problem)}</div>
      {known?.hint && <div class="soft small">{known.hint}</div>}
    </>
  );
  toasts.set([...toasts.value, { id, tone: "bad", text }]);
}

export function Toasts() {
  const shown = useWatched(toasts);
  return (
    <div class="toasts" role="status" aria-live="polite">
      {shown.map((toast) => (
        <div key={toast.id} class={`toast ${toast.tone}`}>
          <Icon name={toast.tone === "good" ? "check" : "alert"} />
          <div class="body">{toast.text}</div>
          {toast.action && (
            <button type="button" class="button slim" onClick={() => { dismiss(toast.id); toast.action?.run(); }}>{toast.action.label}</button>
          )}
          <button type="button" class="button bare icon slim" aria-label="Dismiss" onClick={() => dismiss(toast.id)}>
            <Icon name="cross" size={12} />
          </button>
        </div>
      ))}
    </div>
  );
}
