// What a state looks like: a word and an icon, and a colour besides.
import type { JobStatus, RunState } from "../api/types";
import type { IconName } from "../parts/icon";

export interface Look {
  word: string;
  icon: IconName;
  tone: "good" | "bad" | "warn" | "busy" | "odd" | "";
}

const LOOKS: Record<RunState | Exclude<JobStatus, RunState>, Look> = {
  planned: { word: "Planned", icon: "clock", tone: "" },
  queued: { word: "Queued", icon: "queues", tone: "" },
  running: { word: "Running", icon: "spinner", tone: "busy" },
  retrying: { word: "Retrying", icon: "retry", tone: "warn" },
  succeeded: { word: "Succeeded", icon: "check", tone: "good" },
  failed: { word: "Failed", icon: "cross", tone: "bad" },
  timed_out: { word: "Timed out", icon: "clock", tone: "bad" },
  lost: { word: "Lost", icon: "question", tone: "bad" },
  cancelled: { word: "Cancelled", icon: "ban", tone: "" },
  skipped: { word: "Skipped", icon: "skip", tone: "odd" },
  missed: { word: "Missed", icon: "alert", tone: "warn" },
  scheduled: { word: "Scheduled", icon: "clock", tone: "" },
  paused: { word: "Paused", icon: "pause", tone: "warn" },
};

const UNKNOWN: Look = { word: "", icon: "question", tone: "" };

/** A state this page does not know is shown by its own name. */
export const lookOf = (state: string): Look => (LOOKS as Record<string, Look>)[state] ?? { ...UNKNOWN, word: state };

const TRIGGERS: Record<string, string> = {
  schedule: "by its schedule", manual: "by hand", retry: "as a retry", backfill: "by a backfill", dependency: "after another run",
};
export const triggerText = (trigger: string): string => TRIGGERS[trigger] ?? trigger;
