// The frame around every screen: navigation, the state of the connection, who is logged in.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { BASE } from "../api/http";
import { tellProblem } from "../parts/feedback";
import { Icon, type IconName } from "../parts/icon";
import { isDark, prefer, preferences } from "./preferences";
import { Link, usePlace } from "./router";
import { logOut, may, session, type Role } from "./session";
import { useWatched } from "./watched";

interface Entry {
  to: string;
  label: string;
  icon: IconName;
  role?: Role;
}

// Calendar, Nodes, Channels and Audit come here with the server's side of them.
const SECTIONS: { title: string; entries: Entry[] }[] = [
  {
    title: "",
    entries: [
      { to: "/", label: "Overview", icon: "overview" },
      { to: "/jobs", label: "Jobs", icon: "jobs" },
      { to: "/runs", label: "Runs", icon: "runs" },
    ],
  },
  {
    title: "Capacity",
    entries: [
      { to: "/queues", label: "Queues & workers", icon: "queues" },
    ],
  },
  {
    title: "Project",
    entries: [
      { to: "/keys", label: "Keys", icon: "keys", role: "admin" },
      { to: "/settings", label: "Settings", icon: "settings" },
    ],
  },
];

const isAt = (to: string, path: string) => (to === "/" ? path === "/" : path === to || path.startsWith(`${to}/`));

function ThemeButton() {
  useWatched(preferences);
  const dark = isDark();
  return (
    <button type="button" class="button bare icon slim" aria-label={dark ? "Light theme" : "Dark theme"} title={dark ? "Light theme" : "Dark theme"}
      onClick={() => prefer({ theme: dark ? "light" : "dark" })}>
      <Icon name={dark ? "sun" : "moon"} />
    </button>
  );
}

function Who() {
  const now = useWatched(session);
  if (now.state !== "in") return null;
  const { key } = now.me;
  return (
    <div class="who">
      <div class="cut">
        <div class="cut" title={key.name}>{key.name}</div>
        <div class="soft">{key.role}</div>
      </div>
      <span class="push" />
      <ThemeButton />
      <button type="button" class="button bare icon slim" aria-label="Log out" title="Log out" onClick={() => void logOut().catch(tellProblem)}>
        <Icon name="out" />
      </button>
    </div>
  );
}

function Brand({ project }: { project: string }) {
  return (
    <Link to="/" class="brand">
      <img src={`${BASE}/favicon.svg`} alt="" />
      <span>
        Chronos
        <small>{project}</small>
      </span>
    </Link>
  );
}

export function Shell({ children, foot, banner }: { children: ComponentChildren; foot?: ComponentChildren; banner?: ComponentChildren }) {
  const { path } = usePlace();
  const now = useWatched(session);
  const [open, setOpen] = useState(false);
  useEffect(() => setOpen(false), [path]);
  useEffect(() => {
    if (!open) return undefined;
    const close = (event: KeyboardEvent) => event.key === "Escape" && setOpen(false);
    window.addEventListener("keydown", close);
    return () => window.removeEventListener("keydown", close);
  }, [open]);
  const project = now.state === "in" ? now.me.project.name : "";
  return (
    <>
      <a class="skip" href="#main">Skip to content</a>
      <div class="shell">
        <header class="top">
          <Brand project={project} />
          <button type="button" class="button bare icon" aria-label="Menu" aria-expanded={open} onClick={() => setOpen(!open)}>
            <Icon name="menu" />
          </button>
        </header>
        {open && <button type="button" class="veil" aria-label="Close menu" onClick={() => setOpen(false)} />}
        <aside class="side" data-open={open} aria-label="Navigation">
          <Brand project={project} />
          <nav class="nav" aria-label="Screens">
            {SECTIONS.map(({ title, entries }) => (
              <>
                {title !== "" && <h2>{title}</h2>}
                {entries.filter(({ role }) => !role || may(role)).map(({ to, label, icon }) => (
                  <Link key={to} to={to} aria-current={isAt(to, path) ? "page" : undefined}>
                    <Icon name={icon} />
                    {label}
                  </Link>
                ))}
              </>
            ))}
          </nav>
          <div class="side-foot">
            {foot}
            <Who />
          </div>
        </aside>
        <div class="main">
          {banner}
          <main id="main" class="page" tabIndex={-1}>{children}</main>
        </div>
      </div>
    </>
  );
}
