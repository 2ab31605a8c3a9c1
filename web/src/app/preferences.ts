// What the reader chose for this browser: theme, density, zone of absolute times. Kept in localStorage.
import { Watched } from "./watched";

interface Preferences {
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
/** What the theme comes to, here and now. */
export const dark = new Watched(false);
const system = window.matchMedia("(prefers-color-scheme: dark)");

function apply({ theme, density }: Preferences): void {
  const root = document.documentElement;
  const isDark = theme === "dark" || (theme === "system" && system.matches);
  root.dataset.theme = isDark ? "dark" : "light";
  root.dataset.density = density;
  dark.set(isDark);
}

export function prefer(changes: Partial<Preferences>): void {
  const next = { ...preferences.value, ...changes };
  localStorage.setItem(STORED_AS, JSON.stringify(next));
  apply(next);
  preferences.set(next);
}

system.addEventListener("change", () => apply(preferences.value));
apply(preferences.value);
