// The search box of a list: suggestions while typing, chips for the usual filters, saved views. The text
// stands in the address as `q`.
import { useEffect, useId, useMemo, useRef, useState } from "preact/hooks";
import { clock } from "../app/clock";
import { setQuery, usePlace } from "../app/router";
import { useWatched } from "../app/watched";
import { tell } from "../parts/feedback";
import { Icon } from "../parts/icon";
import type { SavedViews } from "./saved_views";
import { says, toggled, understood, type Vocabulary } from "./terms";

/** What the address searches for, what of it the server is asked, and which page of it. */
export function useSearch(vocabulary: Vocabulary) {
  const { query } = usePlace();
  const text = query.get("q") ?? "";
  const cursors = query.get("page") ?? "";
  const asked = useMemo(() => understood(text, vocabulary, clock.now()), [text]);
  return { text, cursors, asked };
}

interface BoxProps {
  text: string;
  vocabulary: Vocabulary;
  unknown: readonly string[];
  /** Values of free fields that were seen in the list, such as tags. */
  seen: Record<string, readonly string[]>;
  chips: readonly { label: string; field: string; value: string }[];
  views: SavedViews;
  what: string;
}

const WAIT_MS = 250;
const SUGGESTIONS_MAX = 8;

function suggestionsFor(text: string, { fields }: Vocabulary, seen: BoxProps["seen"]): string[] {
  const word = text.split(/\s+/).at(-1) ?? "";
  const [field, start] = word.includes(":") ? word.split(":", 2) : ["", word];
  if (field === "") return Object.keys(fields).filter((name) => start !== "" && name.startsWith(start ?? "")).map((name) => `${name}:`);
  const values = [...(fields[field ?? ""] ?? []), ...(seen[field ?? ""] ?? [])];
  return values.filter((value) => value.startsWith(start ?? "") && value !== start).map((value) => `${field}:${/\s/.test(value) ? `"${value}"` : value}`);
}

export function SearchBox({ text, vocabulary, unknown, seen, chips, views, what }: BoxProps) {
  const [typed, setTyped] = useState(text);
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const timer = useRef(0);
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  const saved = useWatched(views.all);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  useEffect(() => { if (document.activeElement !== input.current) setTyped(text); }, [text]);

  const suggestions = open ? suggestionsFor(typed, vocabulary, seen).slice(0, SUGGESTIONS_MAX) : [];
  const search = (next: string, now = false) => {
    setTyped(next);
    window.clearTimeout(timer.current);
    const go = () => setQuery({ q: next.trim(), page: undefined }, { replace: true });
    if (now) go();
    else timer.current = window.setTimeout(go, WAIT_MS);
  };
  const complete = (suggestion: string) => {
    const next = typed.replace(/\S*$/, suggestion) + (suggestion.endsWith(":") ? "" : " ");
    search(next);
    setAt(-1);
    input.current?.focus();
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" && suggestions.length > 0) setAt((at + 1) % suggestions.length);
    else if (event.key === "ArrowUp" && suggestions.length > 0) setAt((at + suggestions.length) % (suggestions.length + 1) - 1);
    else if ((event.key === "Enter" || event.key === "Tab") && at >= 0 && suggestions[at] !== undefined) complete(suggestions[at]);
    else if (event.key === "Enter") { search(typed, true); setOpen(false); }
    else if (event.key === "Escape" && open && suggestions.length > 0) setOpen(false);
    else if (event.key === "Escape") input.current?.blur();
    else return;
    event.preventDefault();
  };
  const save = () => {
    const name = window.prompt("Name of this view", text);
    if (!name) return;
    views.save({ name, text });
    tell(`View ${name} is kept in this browser.`);
  };
  return (
    <div class="search">
      <div class="search-line">
        <Icon name="search" />
        <input ref={input} id={id} type="text" role="combobox" autocomplete="off" spellcheck={false} data-search
          aria-label={`Search ${what}`} aria-expanded={suggestions.length > 0} aria-controls={`${id}-list`} aria-autocomplete="list"
          aria-activedescendant={at >= 0 ? `${id}-${at}` : undefined}
          placeholder={`Search ${what}: ${Object.keys(vocabulary.fields).map((field) => (field === "name" ? "a name" : `${field}:`)).join(" ")}`}
          value={typed} onFocus={() => setOpen(true)} onBlur={() => window.setTimeout(() => setOpen(false), 120)} onKeyDown={onKey}
          onInput={(event) => { setOpen(true); setAt(-1); search(event.currentTarget.value); }} />
        {typed === "" ? <kbd aria-hidden="true">/</kbd> : (
          <button type="button" class="button bare icon slim" aria-label="Clear the search" onClick={() => search("", true)}><Icon name="cross" size={12} /></button>
        )}
        <ul class="search-list" id={`${id}-list`} role="listbox" aria-label="Suggestions" hidden={suggestions.length === 0}>
          {suggestions.map((suggestion, index) => (
            <li key={suggestion} id={`${id}-${index}`} role="option" aria-selected={index === at} onMouseDown={(event) => { event.preventDefault(); complete(suggestion); }}>
              {suggestion}
            </li>
          ))}
        </ul>
      </div>
      {unknown.length > 0 && (
        <p class="small warn-text" role="status">
          Not understood: {unknown.join(", ")}. Fields are {Object.keys(vocabulary.fields).join(", ")}.
        </p>
      )}
      <div class="chips" role="group" aria-label="Filters">
        {chips.map(({ label, field, value }) => {
          const term = { field, value };
          return <button key={label} type="button" class="chip" aria-pressed={says(typed, term)} onClick={() => search(toggled(typed, term), true)}>{label}</button>;
        })}
        {saved.map((view) => (
          <span key={view.name} class="chip saved" data-on={view.text === text}>
            <button type="button" onClick={() => search(view.text, true)}><Icon name="star" size={12} />{view.name}</button>
            <button type="button" aria-label={`Remove the view ${view.name}`} onClick={() => views.remove(view.name)}><Icon name="cross" size={10} /></button>
          </span>
        ))}
        {text !== "" && !saved.some((view) => view.text === text) && (
          <button type="button" class="chip bare" onClick={save}><Icon name="star" size={12} />Save view</button>
        )}
      </div>
    </div>
  );
}
