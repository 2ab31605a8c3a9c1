// Instants and durations in words.

const UNITS: readonly (readonly [string, number])[] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
];
const MS: Record<string, number> = { ns: 1e-6, us: 1e-3, "µs": 1e-3, ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** "1h30m", "200ms" as the API writes it, in milliseconds; NaN for what is none. */
export function parseDuration(text: string | null | undefined): number {
  if (!text) return NaN;
  let sum = 0;
  let seen = false;
  const rest = text.replace(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d|w)/g, (_all, count: string, unit: string) => {
    sum += Number(count) * (MS[unit] ?? NaN);
    seen = true;
    return "";
  });
  return seen && rest === "" ? sum : NaN;
}

/** Two units at most: "1h 5m", "3.2 s", "12 ms". Never negative. */
export function durationText(ms: number): string {
  if (!Number.isFinite(ms)) return "–";
  const span = Math.max(0, ms);
  if (span < 1) return span === 0 ? "0 ms" : "< 1 ms";
  if (span < 1_000) return `${Math.round(span)} ms`;
  if (span < 10_000) return `${(span / 1_000).toFixed(1)} s`;
  const parts: string[] = [];
  let left = Math.round(span / 1_000) * 1_000;
  for (const [unit, size] of UNITS) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) parts.push(`${count}${unit}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.join(" ");
}

/** One unit: "3 s", "5 min", "2 h", "4 d". */
function roughText(ms: number): string {
  const span = Math.max(0, ms);
  if (span < 60_000) return `${Math.floor(span / 1_000)} s`;
  if (span < 3_600_000) return `${Math.floor(span / 60_000)} min`;
  if (span < 48 * 3_600_000) return `${Math.floor(span / 3_600_000)} h`;
  return `${Math.floor(span / 86_400_000)} d`;
}

/** An instant seen from now. A wait is never negative: what should have come by now is "now". */
export function relativeText(at: number, now: number, kind: "past" | "future" | "any"): string {
  const distance = at - now;
  if (kind === "future" && distance <= 0) return "now";
  if (kind === "past" && distance >= 0) return "just now";
  if (Math.abs(distance) < 1_000) return distance >= 0 ? "now" : "just now";
  return distance > 0 ? `in ${roughText(distance)}` : `${roughText(-distance)} ago`;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatIn(zone: string | undefined, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const name = `${zone ?? ""} ${JSON.stringify(options)}`;
  let format = formats.get(name);
  if (!format) {
    format = new Intl.DateTimeFormat("en-GB", { ...options, ...(zone ? { timeZone: zone } : {}) });
    formats.set(name, format);
  }
  return format;
}

export function isZone(zone: string): boolean {
  try {
    formatIn(zone, {});
    return true;
  } catch {
    return false;
  }
}

/** "Thu 26 Nov 2026, 17:43:41" in a zone; without one, in the reader's. */
export function instantText(at: number, zone?: string): string {
  return formatIn(zone, {
    weekday: "short", day: "2-digit", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
  }).format(at);
}

export function clockText(at: number, zone?: string): string {
  return formatIn(zone, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(at);
}

export function clockSecondsText(at: number, zone?: string): string {
  return formatIn(zone, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }).format(at);
}

export function dayText(at: number, zone?: string): string {
  return formatIn(zone, { weekday: "short", day: "2-digit", month: "short" }).format(at);
}

/** The reader's zone. */
export const LOCAL_ZONE: string = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** The offset of a zone at an instant, as "+01:00". */
export function offsetText(at: number, zone: string): string {
  const name = formatIn(zone, { timeZoneName: "longOffset" }).formatToParts(at).find((part) => part.type === "timeZoneName")?.value ?? "GMT";
  return name === "GMT" ? "+00:00" : name.replace("GMT", "");
}
