// Keys that work everywhere: "/" to the search box, j and k along a list, Enter opens, x selects,
// "g" then a letter to a screen, "n" a new job. Lists mark their rows with data-row.
import { useEffect } from "preact/hooks";
import { navigate } from "./router";
import { Watched } from "./watched";

export const paletteOpen = new Watched(false);
export const helpOpen = new Watched(false);

export const GO: readonly (readonly [string, string, string])[] = [
  ["o", "/", "Overview"],
  ["j", "/jobs", "Jobs"],
  ["r", "/runs", "Runs"],
  ["c", "/calendar", "Calendar"],
  ["q", "/queues", "Queues & workers"],
  ["n", "/nodes", "Nodes"],
  ["h", "/channels", "Channels"],
  ["k", "/keys", "Keys"],
  ["a", "/audit", "Audit"],
  ["s", "/settings", "Settings"],
];

const rows = () => [...document.querySelectorAll<HTMLElement>("[data-row]")];

function step(by: number): void {
  const all = rows();
  if (all.length === 0) return;
  const at = all.findIndex((row) => row.dataset.at === "true");
  const next = all[Math.min(all.length - 1, Math.max(0, at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by))];
  for (const row of all) row.dataset.at = String(row === next);
  next?.scrollIntoView({ block: "nearest" });
  next?.querySelector<HTMLElement>("a, button")?.focus({ preventScroll: true });
}

const current = () => document.querySelector<HTMLElement>('[data-row][data-at="true"]');

const ACTIONS: Record<string, () => boolean> = {
  "/": () => {
    const box = document.querySelector<HTMLInputElement>("[data-search]");
    box?.focus();
    box?.select();
    return box !== null;
  },
  j: () => { step(1); return true; },
  k: () => { step(-1); return true; },
  x: () => {
    const box = current()?.querySelector<HTMLInputElement>('input[type="checkbox"]');
    box?.click();
    return box != null;
  },
  n: () => { navigate("/jobs/new"); return true; },
  "?": () => { helpOpen.set(true); return true; },
};

const isTyping = (target: EventTarget | null) => target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) && (target as HTMLInputElement).type !== "checkbox");

export function useShortcuts(): void {
  useEffect(() => {
    let afterG = false;
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        paletteOpen.set(true);
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector("dialog[open]")) return;
      if (afterG) {
        afterG = false;
        const to = GO.find(([key]) => key === event.key)?.[1];
        if (to !== undefined) {
          event.preventDefault();
          navigate(to);
          return;
        }
      }
      if (event.key === "g") afterG = true;
      else if (ACTIONS[event.key]?.()) event.preventDefault();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}
