// The frame around every screen: navigation, the state of the connection, who is logged in.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { BASE } from "../api/http";
import { tellProblem } from "../parts/feedback";
import { Icon } from "../parts/icon";
import { dropDrafts } from "../editor/draft";
import { dark, prefer } from "./preferences";
import { Link, usePlace } from "./router";
import { screensFor } from "./screens";
import { logOut, session } from "./session";
import { useWatched } from "./watched";

const isAt = (to: string, path: string) => (to === "/" ? path === "/" : path === to || path.startsWith(`${to}/`));

function ThemeButton() {
  const isDark = useWatched(dark);
  return (
    <button type="button" class="button bare icon slim" aria-label={isDark ? "Light theme" : "Dark theme"} title={isDark ? "Light theme" : "Dark theme"}
      onClick={() => prefer({ theme: isDark ? "light" : "dark" })}>
      <Icon name={isDark ? "sun" : "moon"} />
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
      <button type="button" class="button bare icon slim" aria-label="Log out" title="Log out" onClick={() => void logOut().then(dropDrafts).catch(tellProblem)}>
        <Icon name="out" />
      </button>
    </div>
  );
}

export function Brand({ project }: { project: string }) {
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
            {screensFor().map(({ to, label, icon, section }, index, all) => (
              <>
                {section !== "" && section !== all[index - 1]?.section && <h2>{section}</h2>}
                <Link to={to} aria-current={isAt(to, path) ? "page" : undefined}>
                  <Icon name={icon} />
                  {label}
                </Link>
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
