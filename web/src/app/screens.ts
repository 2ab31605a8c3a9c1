// The screens that the menu, the "g" keys, the palette and the help offer. What they show: app.tsx.
import type { IconName } from "../parts/icon";
import { may, type Role } from "./session";

interface Screen {
  to: string;
  label: string;
  icon: IconName;
  /** After "g". */
  key: string;
  /** Its heading in the menu. */
  section: string;
  /** The least role that it is for; without one it is for all. */
  role?: Role;
}

export const SCREENS: readonly Screen[] = [
  { to: "/", label: "Overview", icon: "overview", key: "o", section: "" },
  { to: "/jobs", label: "Jobs", icon: "jobs", key: "j", section: "" },
  { to: "/runs", label: "Runs", icon: "runs", key: "r", section: "" },
  { to: "/calendar", label: "Calendar", icon: "calendar", key: "c", section: "" },
  { to: "/queues", label: "Queues & workers", icon: "queues", key: "q", section: "Capacity" },
  { to: "/nodes", label: "Nodes", icon: "nodes", key: "n", section: "Capacity" },
  { to: "/channels", label: "Channels", icon: "channels", key: "h", section: "Project", role: "operator" },
  { to: "/keys", label: "Keys", icon: "keys", key: "k", section: "Project", role: "admin" },
  { to: "/audit", label: "Audit", icon: "audit", key: "a", section: "Project", role: "admin" },
  { to: "/settings", label: "Settings", icon: "settings", key: "s", section: "Project" },
];

/** Those that whoever is logged in may use. */
export const screensFor = (): Screen[] => SCREENS.filter(({ role }) => !role || may(role));
