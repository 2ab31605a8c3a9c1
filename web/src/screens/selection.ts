// Which rows of a list are ticked; shift takes the rows between.
import { useEffect, useRef, useState } from "preact/hooks";

export function useSelection(ids: readonly string[], page: string) {
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const last = useRef<string | null>(null);
  useEffect(() => setSelected(new Set()), [page]);
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
  const toggleAll = () => setSelected(selected.size === ids.length ? new Set() : new Set(ids));
  const clear = () => setSelected(new Set());
  return { selected, toggle, toggleAll, clear };
}
