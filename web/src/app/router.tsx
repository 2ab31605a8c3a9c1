// Where the reader is: the path below the prefix, and the query. Screens keep what they show (filters,
// pages, tabs) in the query, so an address says it all and "back" works.
import type { ComponentChildren } from "preact";
import { BASE } from "../api/http";
import { useWatched, Watched } from "./watched";

interface Place {
  path: string;
  query: URLSearchParams;
  hash: string;
}

function placeNow(): Place {
  const { pathname, search, hash } = window.location;
  const path = pathname.startsWith(BASE) ? pathname.slice(BASE.length) : pathname;
  return { path: path === "" ? "/" : path, query: new URLSearchParams(search), hash: hash.slice(1) };
}

const place = new Watched<Place>(placeNow());
let leaveGuard: (() => boolean) | null = null;

window.addEventListener("popstate", () => {
  const next = placeNow();
  const here = hrefOf(place.value.path, place.value.query);
  if (leaveGuard && hrefOf(next.path, next.query) !== here) { // else only the hash is another
    if (!leaveGuard()) {
      window.history.pushState(null, "", here);
      return;
    }
    leaveGuard = null;
  }
  place.set(next);
});

/** Asked before a screen is left (unsaved changes); the answer false stays. */
export function guardLeaving(ask: (() => boolean) | null): void {
  leaveGuard = ask;
}

function hrefOf(path: string, query?: URLSearchParams): string {
  const text = query?.toString() ?? "";
  return BASE + path + (text === "" ? "" : `?${text}`);
}

export function navigate(to: string, options: { replace?: boolean } = {}): void {
  if (leaveGuard && !to.startsWith(place.value.path + "?")) {
    if (!leaveGuard()) return;
    leaveGuard = null;
  }
  const before = place.value.path;
  if (options.replace) window.history.replaceState(null, "", BASE + to);
  else window.history.pushState(null, "", BASE + to);
  place.set(placeNow());
  if (place.value.path !== before) window.scrollTo(0, 0);
}

export const usePlace = (): Place => useWatched(place);
export const currentPlace = (): Place => place.value;

/** Changes some parameters of the query; undefined or "" removes one. */
export function setQuery(changes: Record<string, string | undefined>, options: { replace?: boolean } = {}): void {
  const { path, query } = place.value;
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === "") next.delete(name);
    else next.set(name, value);
  }
  const text = next.toString();
  navigate(text === "" ? path : `${path}?${text}`, options);
}

interface LinkProps {
  to: string;
  children?: ComponentChildren;
  class?: string;
  title?: string;
  onClick?: (event: MouseEvent) => void;
  "aria-label"?: string;
  "aria-current"?: "page" | undefined;
}

export function Link({ to, children, onClick, ...rest }: LinkProps) {
  const follow = (event: MouseEvent) => {
    onClick?.(event);
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    navigate(to);
  };
  return (
    <a href={BASE + to} onClick={follow} {...rest}>
      {children}
    </a>
  );
}

/** "/jobs/:id" against a path: its parameters, or null. */
export function matchPath(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split("/");
  const given = path.replace(/\/$/, "").split("/");
  if (pattern === "/") return path === "/" ? {} : null;
  if (wanted.length !== given.length) return null;
  const params: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const actual = given[index] ?? "";
    if (part.startsWith(":")) params[part.slice(1)] = actual;
    else if (part !== actual) return null;
  }
  return params;
}
