// Whether what is shown is of now: the stream's state, and a banner when it has been gone for a while.
import { useEffect, useState } from "preact/hooks";
import { live } from "../api/live";
import { Icon } from "../parts/icon";
import { useWatched } from "./watched";

const TEXT = { connecting: "Connecting…", live: "Live", lost: "Not connected" } as const;
const PATIENCE_MS = 2_500;

export function ConnectionState() {
  const state = useWatched(live.link);
  return <div class="link-state" data-state={state} role="status"><i />{TEXT[state]}</div>;
}

export function ConnectionBanner() {
  const state = useWatched(live.link);
  const [since, setSince] = useState<Date | null>(null);
  useEffect(() => {
    if (state !== "lost") {
      setSince(null);
      return undefined;
    }
    const lostAt = new Date();
    const timer = window.setTimeout(() => setSince(lostAt), PATIENCE_MS);
    return () => window.clearTimeout(timer);
  }, [state]);
  if (!since) return null;
  return <div class="stale" role="alert"><Icon name="alert" size={14} />Not connected: what you see is of {since.toLocaleTimeString()}. It is read again when the server answers.</div>;
}
