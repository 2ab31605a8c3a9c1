// Keys that work everywhere: "/" to the search box, j and k along a list, Enter opens, x ticks,
// "g" then a letter to a screen, "n" a new job. Lists mark their rows with data-row.
import { useEffect } from "preact/hooks";
import { navigate } from "./router";
import { screensFor } from "./screens";
import { may } from "./session";
import { Watched } from "./watched";

export const paletteOpen = new Watched(false);
export const helpOpen = new Watched(false);

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
    const tick = document.querySelector<HTMLElement>('[data-row][data-at="true"] input[type="checkbox"]');
    tick?.click();
    return tick !== null;
  },
  n: () => {
    if (may("submitter")) navigate("/jobs/new");
    return may("submitter");
  },
  "?": () => { helpOpen.set(true); return true; },
};

const isTyping = (target: EventTarget | null) => target instanceof HTMLElement && (target.isContentEditable || target.matches('input:not([type="checkbox"]), textarea, select'));

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
        const to = screensFor().find(({ key }) => key === event.key)?.to;
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
