// The declaration as text, with the schema's completion: fields and values that may stand where the cursor is.
import { useId, useMemo, useRef, useState } from "preact/hooks";
import { useResource } from "../api/resource";
import { type Document, type Suggestion, suggestionsAt } from "./completion";

interface EditorProps {
  text: string;
  problem: string | null;
  onChange: (text: string) => void;
}

const SHOWN_MAX = 8;

export function JsonEditor({ text, problem, onChange }: EditorProps) {
  const { data: document } = useResource<Document>("/api/openapi.json");
  const area = useRef<HTMLTextAreaElement>(null);
  const [cursor, setCursor] = useState(-1);
  const [at, setAt] = useState(0);
  const [open, setOpen] = useState(false);
  const id = useId();
  const suggestions = useMemo(
    () => (document && open && cursor >= 0 ? suggestionsAt(text, cursor, "JobSpec", document).slice(0, SHOWN_MAX) : []),
    [document, open, cursor, text],
  );
  const take = ({ text: said, from }: Suggestion) => {
    const element = area.current;
    if (!element) return;
    const after = text.slice(cursor).replace(/^"/, "");
    const next = text.slice(0, from) + said + after;
    onChange(next);
    setOpen(false);
    window.requestAnimationFrame(() => {
      element.focus();
      element.setSelectionRange(from + said.length, from + said.length);
    });
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey && event.key === " ") setOpen(true);
    else if (suggestions.length === 0) return;
    else if (event.key === "ArrowDown") setAt((at + 1) % suggestions.length);
    else if (event.key === "ArrowUp") setAt((at + suggestions.length - 1) % suggestions.length);
    else if (event.key === "Enter" || event.key === "Tab") take(suggestions[at] ?? suggestions[0]!);
    else if (event.key === "Escape") setOpen(false);
    else return;
    event.preventDefault();
  };
  return (
    <div class="json-editor">
      <textarea ref={area} id={id} aria-label="The job as JSON" aria-invalid={problem !== null} aria-describedby={`${id}-help`} aria-controls={`${id}-list`}
        aria-autocomplete="list" spellcheck={false} autocomplete="off" rows={Math.max(16, text.split("\n").length + 1)} value={text} onKeyDown={onKey}
        onInput={(event) => { setCursor(event.currentTarget.selectionStart); setAt(0); setOpen(true); onChange(event.currentTarget.value); }}
        onClick={(event) => { setCursor(event.currentTarget.selectionStart); setOpen(false); }}
        onKeyUp={(event) => setCursor(event.currentTarget.selectionStart)}
        onBlur={() => window.setTimeout(() => setOpen(false), 120)} />
      <ul class="json-list" id={`${id}-list`} role="listbox" aria-label="What may stand here" hidden={suggestions.length === 0}>
        {suggestions.map((suggestion, index) => (
          <li key={suggestion.text} role="option" aria-selected={index === at} onMouseDown={(event) => { event.preventDefault(); take(suggestion); }}>
            <code>{suggestion.text.replace(/: $/, "")}</code><span class="soft small cut">{suggestion.what}</span>
          </li>
        ))}
      </ul>
      <p class="small soft" id={`${id}-help`}>{problem ? <span class="bad-text" role="alert">{problem}</span> : <><kbd>Ctrl</kbd> <kbd>Space</kbd> shows what may stand at the cursor.</>}</p>
    </div>
  );
}
