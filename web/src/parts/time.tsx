// Instants: relative to now, with the absolute times of reader, UTC and job under the pointer.
import { useMemo } from "preact/hooks";
import { preferences } from "../app/preferences";
import { useNow } from "../app/clock";
import { useWatched } from "../app/watched";
import { clockSecondsText, durationText, instantText, LOCAL_ZONE, relativeText } from "../words/time";

interface TimeProps {
  at: string | null | undefined;
  kind?: "past" | "future" | "any";
  zone?: string | undefined;
  none?: string;
}

/** "3 min ago", "in 2 h". */
export function Relative({ at, kind = "any", zone, none = "–" }: TimeProps) {
  const now = useNow(Boolean(at));
  const title = useMemo(() => (at ? allZones(Date.parse(at), zone) : ""), [at, zone]);
  if (!at) return <span class="soft">{none}</span>;
  return <time dateTime={at} title={title}>{relativeText(Date.parse(at), now, kind)}</time>;
}

/** The whole instant, in the zone the reader prefers. */
export function Instant({ at, zone, none = "–" }: TimeProps) {
  const { zone: preferred } = useWatched(preferences);
  if (!at) return <span class="soft">{none}</span>;
  const instant = Date.parse(at);
  return (
    <time dateTime={at} title={allZones(instant, zone)}>
      {instantText(instant, preferred === "utc" ? "UTC" : undefined)}{preferred === "utc" ? " UTC" : ""}
    </time>
  );
}

export function ClockTime({ at }: { at: string }) {
  const { zone: preferred } = useWatched(preferences);
  const instant = Date.parse(at);
  return <time dateTime={at} title={allZones(instant)}>{clockSecondsText(instant, preferred === "utc" ? "UTC" : undefined)}</time>;
}

function allZones(instant: number, zone?: string): string {
  const lines = [`${instantText(instant)} (${LOCAL_ZONE})`, `${instantText(instant, "UTC")} UTC`];
  if (zone && zone !== "UTC" && zone !== LOCAL_ZONE) lines.push(`${instantText(instant, zone)} (${zone}, the job's)`);
  return lines.join("\n");
}

/** From one instant to another; counts on while the other has not come. */
export function Span({ from, to }: { from: string | null | undefined; to: string | null | undefined }) {
  const now = useNow(Boolean(from) && !to);
  if (!from) return <span class="soft">–</span>;
  return <span class="number">{durationText((to ? Date.parse(to) : now) - Date.parse(from))}</span>;
}
