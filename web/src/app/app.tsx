// Login first; then the frame with the screen that the address names.
import { useEffect } from "preact/hooks";
import { Empty, Loading, ProblemNotice, Toasts } from "../parts/feedback";
import { Login } from "../screens/login";
import { Link } from "./router";
import { openSession, session } from "./session";
import { Shell } from "./shell";
import { useWatched } from "./watched";

function NotFound() {
  return (
    <Empty icon="question" title="There is no such page">
      <p>The address may be mistyped, or what it showed is gone.</p>
      <Link to="/" class="button">Overview</Link>
    </Empty>
  );
}

export function App() {
  const now = useWatched(session);
  useEffect(() => void openSession(), []);
  if (now.state === "unknown") return <main class="page"><Loading what="the dashboard" /></main>;
  if (now.state === "unreachable") {
    return <main class="page"><ProblemNotice problem={now.problem} onRetry={() => void openSession()} /></main>;
  }
  return (
    <>
      {now.state === "out" ? <Login /> : <Shell><NotFound /></Shell>}
      <Toasts />
    </>
  );
}
