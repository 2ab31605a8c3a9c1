// Small controls that screens share.
import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { FieldError } from "../api/http";
import { setQuery } from "../app/router";
import { tellProblem } from "./feedback";
import { Icon, type IconName } from "./icon";

interface ActionProps {
  run: () => Promise<void>;
  children: ComponentChildren;
  icon?: IconName;
  kind?: string;
  disabled?: boolean;
  title?: string;
}

/** A button for something the server does: it tells that it is under way, and what was refused. */
export function ActionButton({ run, children, icon, kind = "", disabled = false, title }: ActionProps) {
  const [busy, setBusy] = useState(false);
  const act = async () => {
    setBusy(true);
    try {
      await run();
    } catch (error) {
      tellProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <button type="button" class={`button ${kind}`} title={title} disabled={busy || disabled} aria-busy={busy} onClick={() => void act()}>
      {busy ? <i class="spin" /> : icon && <Icon name={icon} size={14} />}
      {children}
    </button>
  );
}

/** One of a few: shown as joined buttons. */
export function Segmented<T extends string>({ label, options, value, onChange }: {
  label: string;
  options: readonly (readonly [T, string])[];
  value: T;
  onChange: (value: T) => void;
}) {
  return (
    <div class="segmented" role="group" aria-label={label}>
      {options.map(([option, text]) => (
        <button key={option} type="button" aria-pressed={option === value} onClick={() => onChange(option)}>{text}</button>
      ))}
    </div>
  );
}

const MENU_GAP_PX = 4;

/** Below its button, or above it where there is no room; tables, which scroll, do not cut it off. */
function placeMenu(holder: HTMLElement): void {
  const menu = holder.querySelector<HTMLElement>(".menu");
  if (!menu) return;
  const button = holder.getBoundingClientRect();
  const below = button.bottom + MENU_GAP_PX;
  const above = button.top - MENU_GAP_PX - menu.offsetHeight;
  menu.style.top = `${below + menu.offsetHeight > window.innerHeight && above > 0 ? above : below}px`;
  menu.style.left = `${Math.max(MENU_GAP_PX, button.right - menu.offsetWidth)}px`;
}

export function Menu({ label, children }: { label: string; children: ComponentChildren }) {
  const [open, setOpen] = useState(false);
  const holder = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (!open || !holder.current) return undefined;
    const box = holder.current;
    placeMenu(box);
    box.querySelector<HTMLElement>(".menu button, .menu a")?.focus({ preventScroll: true });
    const close = () => setOpen(false);
    const onKey = ({ key }: KeyboardEvent) => {
      if (key !== "Escape") return;
      close();
      box.querySelector<HTMLElement>("button")?.focus();
    };
    const onOutside = ({ target }: Event) => { if (!box.contains(target as Node)) close(); };
    window.addEventListener("keydown", onKey);
    window.addEventListener("pointerdown", onOutside);
    window.addEventListener("scroll", onOutside, true);
    window.addEventListener("resize", close);
    return () => {
      window.removeEventListener("keydown", onKey);
      window.removeEventListener("pointerdown", onOutside);
      window.removeEventListener("scroll", onOutside, true);
      window.removeEventListener("resize", close);
    };
  }, [open]);
  return (
    <div class="menu-holder" ref={holder}>
      <button type="button" class="button icon" aria-label={label} aria-expanded={open} title={label} onClick={() => setOpen(!open)}>
        <Icon name="more" />
      </button>
      {open && <div class="menu" onClick={() => setOpen(false)}>{children}</div>}
    </div>
  );
}

interface FieldProps {
  label: string;
  hint?: ComponentChildren;
  errors?: readonly FieldError[];
  children: (id: string, describedBy: string | undefined, invalid: boolean) => ComponentChildren;
}

/** A labelled input with its hint and what the server says is wrong with it. */
export function Field({ label, hint, errors = [], children }: FieldProps) {
  const id = useId();
  const said = errors.length > 0 ? `${id}-wrong` : hint ? `${id}-hint` : undefined;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children(id, said, errors.length > 0)}
      {errors.map((error) => (
        <span key={error.code} class="wrong" id={`${id}-wrong`} role="alert">
          <Icon name="alert" size={14} /><span>{error.detail}{error.hint ? ` ${error.hint}` : ""}</span>
        </span>
      ))}
      {hint && errors.length === 0 && <span class="hint" id={`${id}-hint`}>{hint}</span>}
    </div>
  );
}

/** Pages by cursor: the way back is remembered in the query ("a,b" are the cursors gone through). */
export function Pager({ next, cursors, shown, limit, partial, what }: { next: string | null; cursors: string; shown: number; limit: number; partial: boolean; what: string }) {
  const short = next !== null && shown < limit;
  const trail = cursors === "" ? [] : cursors.split(",");
  if (!next && trail.length === 0) return null;
  return (
    <nav class="table-foot" aria-label="Pages">
      <span>Page {trail.length + 1}, {shown} {what}{short && (partial ? ": looking further…" : ": only the newest were looked at, there are more behind them")}</span>
      <span class="push" />
      <button type="button" class="button slim" disabled={trail.length === 0} onClick={() => setQuery({ page: trail.slice(0, -1).join(",") })}>
        <Icon name="back" size={12} /> Newer
      </button>
      <button type="button" class="button slim" disabled={!next || partial} onClick={() => setQuery({ page: [...trail, next ?? ""].join(",") })}>
        {short ? "Look further" : "Older"} <Icon name="next" size={12} />
      </button>
    </nav>
  );
}

export const cursorOf = (cursors: string): string | undefined => cursors.split(",").at(-1) || undefined;

export function PageHead({ title, crumbs, children, note }: {
  title: ComponentChildren;
  crumbs?: ComponentChildren;
  children?: ComponentChildren;
  note?: ComponentChildren;
}) {
  return (
    <div class="page-head">
      <div class="titles">
        {crumbs && <div class="crumbs">{crumbs}</div>}
        <h1>{title}</h1>
        {note && <div class="soft">{note}</div>}
      </div>
      {children && <div class="actions">{children}</div>}
    </div>
  );
}

export function Card({ title, actions, children, flush = false, label }: {
  title?: ComponentChildren;
  actions?: ComponentChildren;
  children: ComponentChildren;
  flush?: boolean;
  label?: string;
}) {
  return (
    <section class="card" aria-label={label}>
      {(title || actions) && (
        <header>
          {title && <h2>{title}</h2>}
          {actions && <div class="push row wrap">{actions}</div>}
        </header>
      )}
      {flush ? children : <div class="body">{children}</div>}
    </section>
  );
}
