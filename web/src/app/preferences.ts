// What the reader chose for this browser: theme, density, zone of absolute times. Kept in localStorage.
import { Watched } from "./watched";

export interface Preferences {
  theme: "system" | "light" | "dark";
  density: "comfortable" | "compact";
  zone: "local" | "utc";
}

const STORED_AS = "chronos.preferences";
const DEFAULTS: Preferences = { theme: "system", density: "comfortable", zone: "local" };

function stored(): Preferences {
  try {
    return { ...DEFAULTS, ...(JSON.parse(localStorage.getItem(STORED_AS) ?? "{}") as Partial<Preferences>) };
  } catch {
    return DEFAULTS;
  }
}

export const preferences = new Watched<Preferences>(stored());

function apply({ theme, density }: Preferences): void {
  const root = document.documentElement;
  if (theme === "system") root.removeAttribute("data-theme");
  else root.dataset.theme = theme;
  root.dataset.density = density;
}

export function prefer(changes: Partial<Preferences>): void {
  const next = { ...preferences.value, ...changes };
  localStorage.setItem(STORED_AS, JSON.stringify(next));
  apply(next);
  preferences.set(next);
}

export function isDark(): boolean {
  const { theme } = preferences.value;
  return theme === "dark" || (theme === "system" && window.matchMedia("(prefers-color-scheme: dark)").matches);
}

apply(preferences.value);
