// Before anything else is asked for: what this is, and the two ways in (a key, or a one-time link).
import { useEffect, useRef, useState } from "preact/hooks";
import { BASE, Problem } from "../api/http";
import { currentPlace, navigate } from "../app/router";
import { logIn } from "../app/session";
import { ProblemNotice, Snippet } from "../parts/feedback";
import { Icon } from "../parts/icon";

const POINTS = [
  "Runs HTTP calls, commands and your workers: now, at a time, or by cron.",
  "Every planned instant has its row, with the reason when it did not run.",
  "Acknowledged means on the disk; late, missed and failed are told to people.",
];

/** Where to go after login: the address that was asked for. */
function destination(): string {
  const { path, query, hash } = currentPlace();
  const line = hash === "" || new URLSearchParams(hash).has("token") ? "" : `#${hash}`;
  if (path !== "/login") return path + (query.size > 0 ? `?${query.toString()}` : "") + line;
  return "/";
}

function takeToken(): string {
  const token = new URLSearchParams(currentPlace().hash).get("token") ?? "";
  if (token !== "") window.history.replaceState(null, "", `${BASE}/login`);
  return token;
}

export function Login() {
  const [key, setKey] = useState("");
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);

  const field = useRef<HTMLInputElement>(null);

  const enter = async (proof: { key: string } | { token: string }) => {
    setBusy(true);
    setProblem(null);
    const to = destination();
    try {
      await logIn(proof);
      navigate(to, { replace: true });
    } catch (error) {
      setProblem(error as Problem);
    } finally {
      setBusy(false);
    }
  };

  useEffect(() => {
    document.title = "Log in · Chronos";
    const token = takeToken();
    if (token !== "") void enter({ token });
    else field.current?.focus();
  }, []);

  const curl = `curl -s ${window.location.origin}${BASE}/api/submitJob \\
  -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' \\
  -d '{"name": "hello", "action": {"kind": "http", "url": "http://127.0.0.1:9000/"}}'`;

  return (
    <main class="login" id="main">
      <div class="login-box">
        <div class="brand">
          <img src={`${BASE}/favicon.svg`} alt="" />
          <h1>Chronos</h1>
        </div>
        <p>A job scheduler that is honest about what it did.</p>
        <ul class="points">
          {POINTS.map((point) => (
            <li key={point}><Icon name="check" />{point}</li>
          ))}
        </ul>
        <form class="card" onSubmit={(event) => { event.preventDefault(); void enter({ key: key.trim() }); }}>
          <div class="body stack">
            <div class="field">
              <label for="key">API key</label>
              <input id="key" type="password" autocomplete="current-password" ref={field} required placeholder="chr_key_…"
                value={key} onInput={(event) => setKey(event.currentTarget.value)} />
              <span class="hint">
                The first key lies in <code>DATA_DIR/admin.key</code>. Or run <code>chronos login-link</code> and open what it prints.
              </span>
            </div>
            {problem && <ProblemNotice problem={problem} />}
            <button class="button main" type="submit" disabled={busy}>
              {busy && <i class="spin" />} Log in
            </button>
          </div>
        </form>
        <div class="stack tight">
          <h2>No need to log in to use it</h2>
          <Snippet text={curl} label="A curl command that submits a job" />
        </div>
      </div>
    </main>
  );
}
