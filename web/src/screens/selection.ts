// Which rows of a list are ticked; shift takes the rows between.
import { useEffect, useRef, useState } from "preact/hooks";

interface Selection {
  selected: ReadonlySet<string>;
  toggle: (id: string, range: boolean) => void;
  toggleAll: () => void;
  clear: () => void;
}

/** `list` names what is listed: of another one nothing is ticked. */
export function useSelection(ids: readonly string[], list: string): Selection {
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const last = useRef<string | null>(null);
  const clear = () => setSelected(new Set());
  useEffect(clear, [list]);
  const toggle = (id: string, range: boolean) => {
    const next = new Set(selected);
    const on = !next.has(id);
    const from = range && last.current !== null ? ids.indexOf(last.current) : -1;
    const to = ids.indexOf(id);
    const touched = from < 0 ? [id] : ids.slice(Math.min(from, to), Math.max(from, to) + 1);
    for (const one of touched) if (on) next.add(one); else next.delete(one);
    last.current = id;
    setSelected(next);
  };
  const toggleAll = () => setSelected(ids.every((id) => selected.has(id)) ? new Set() : new Set(ids));
  return { selected, toggle, toggleAll, clear };
}
