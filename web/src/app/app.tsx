// Login first; then the frame with the screen that the address names.
import type { ComponentChildren } from "preact";
import { Component } from "preact";
import { useEffect } from "preact/hooks";
import { live } from "../api/live";
import { forgetAll } from "../api/resource";
import { Bulks } from "../bulk/bulk";
import { Questions } from "../parts/dialog";
import { Empty, Loading, ProblemNotice, Toasts } from "../parts/feedback";
import { Audit } from "../screens/audit";
import { BackfillQuestion } from "../screens/backfill";
import { Calendar } from "../screens/calendar";
import { Channels } from "../screens/channels";
import { EditJob } from "../screens/edit_job";
import { Job } from "../screens/job";
import { Jobs } from "../screens/jobs";
import { Keys } from "../screens/keys";
import { Login } from "../screens/login";
import { Nodes } from "../screens/nodes";
import { Overview } from "../screens/overview";
import { PauseQuestion } from "../screens/pause";
import { Queues } from "../screens/queues";
import { Run } from "../screens/run";
import { Runs } from "../screens/runs";
import { Settings } from "../screens/settings";
import { ConnectionBanner, ConnectionState } from "./connection";
import { Overlays } from "./palette";
import { Link, matchPath, navigate, usePlace } from "./router";
import { SCREENS } from "./screens";
import { openSession, session } from "./session";
import { Brand, Shell } from "./shell";
import { useShortcuts } from "./shortcuts";
import { useWatched } from "./watched";

interface Route {
  path: string;
  screen: (params: Record<string, string>) => ComponentChildren;
}

const ROUTES: readonly Route[] = [
  { path: "/", screen: () => <Overview /> },
  { path: "/jobs", screen: () => <Jobs /> },
  { path: "/jobs/new", screen: () => <EditJob id={null} /> },
  { path: "/jobs/:id", screen: ({ id = "" }) => <Job key={id} id={id} /> },
  { path: "/jobs/:id/edit", screen: ({ id = "" }) => <EditJob key={id} id={id} /> },
  { path: "/runs", screen: () => <Runs /> },
  { path: "/runs/:id", screen: ({ id = "" }) => <Run key={id} id={id} /> },
  { path: "/calendar", screen: () => <Calendar /> },
  { path: "/queues", screen: () => <Queues /> },
  { path: "/nodes", screen: () => <Nodes /> },
  { path: "/channels", screen: () => <Channels /> },
  { path: "/keys", screen: () => <Keys /> },
  { path: "/audit", screen: () => <Audit /> },
  { path: "/settings", screen: () => <Settings /> },
];

function NotFound() {
  return (
    <Empty icon="question" title="There is no such page">
      <p>The address may be mistyped, or what it showed is gone.</p>
      <Link to="/" class="button">Overview</Link>
    </Empty>
  );
}

/** A screen that fails says so, and the rest of the page goes on. */
class Guarded extends Component<{ children: ComponentChildren; place: string }, { problem: unknown; place: string }> {
  override state = { problem: null as unknown, place: this.props.place };

  static override getDerivedStateFromError(problem: unknown) {
    return { problem };
  }

  override componentDidUpdate(): void {
    if (this.state.place !== this.props.place) this.setState({ problem: null, place: this.props.place });
  }

  override render() {
    if (this.state.problem !== null) return <ProblemNotice problem={this.state.problem} onRetry={() => this.setState({ problem: null })} />;
    return this.props.children;
  }
}

function Screens() {
  const { path } = usePlace();
  useShortcuts();
  const found = ROUTES.map((route) => ({ route, params: matchPath(route.path, path) })).find(({ params }) => params !== null);
  useEffect(() => {
    if (path === "/login") navigate("/", { replace: true });
    const label = found ? SCREENS.find(({ to }) => to === found.route.path)?.label : "Not found";
    if (label) document.title = `${label} · Chronos`; // the others name what they show
  }, [path]);
  useEffect(() => {
    live.start();
    return () => {
      live.stop();
      forgetAll();
    };
  }, []);
  return (
    <Shell foot={<ConnectionState />} banner={<ConnectionBanner />}>
      <Guarded place={path}>{found ? found.route.screen(found.params ?? {}) : path === "/login" ? null : <NotFound />}</Guarded>
    </Shell>
  );
}

export function App() {
  const now = useWatched(session);
  useEffect(() => void openSession(), []);
  if (now.state === "unknown") {
    return (
      <div class="starting">
        <Brand project="" />
        <Loading what="the dashboard" />
      </div>
    );
  }
  if (now.state === "unreachable") {
    return <main class="page"><ProblemNotice problem={now.problem} onRetry={() => void openSession()} /></main>;
  }
  return (
    <>
      {now.state === "out" ? <Login /> : <><Screens /><Questions /><PauseQuestion /><BackfillQuestion /><Bulks /><Overlays /></>}
      <Toasts />
    </>
  );
}
