#!/usr/bin/env bash
# A tour of Chronos against the real binary, with real commands, a real web server and a real mail
# server (examples/sinks.py), all on this machine. Every step checks what it shows; the last line
# says so. It takes about a minute. Also run as a test.
#
#   examples/quickstart.sh [path of the chronos binary]
set -euo pipefail
cd "$(dirname "$0")/.."
chronos=${1:-build/release/chronos}
dir=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$dir"' EXIT

say() { printf '\n== %s\n' "$*"; }
fail() { echo "FAILED: $*" >&2; cat "$dir/server.log" >&2 || true; exit 1; }
# field NAME <json: prints a member, a dotted path.
field() {
  /usr/bin/python3 -c 'import json, sys
value = json.load(sys.stdin)
for name in sys.argv[1].split("."):
    value = value[int(name)] if isinstance(value, list) else value[name]
print(json.dumps(value) if isinstance(value, (dict, list, bool)) or value is None else value)' "$1"
}
# until_true SECONDS COMMAND…: waits for a condition, never for a time.
until_true() {
  local deadline=$((SECONDS + $1)); shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || return 1
    sleep 0.1
  done
}
in_seconds() { date -u -d "+$1 seconds" +%Y-%m-%dT%H:%M:%SZ; }
api() { # api METHOD PATH [JSON]
  curl -sS --fail-with-body -X "$1" "$url$2" -H "Authorization: Bearer $key" \
    ${3:+-H 'Content-Type: application/json' -d "$3"}
}
state_is() { [ "$(api GET "/api/jobs/$1/status" | field status)" = "$2" ]; }
runs_of() { api GET "/api/jobs/$1/runs?limit=200"; }
mails_about() { grep -c -- "$1" "$dir/mail.log" || true; }

start_server() {
  rm -f "$dir/server.out"
  CHRONOS_SMTP_HOST=127.0.0.1 CHRONOS_SMTP_PORT=$(cat "$dir/smtp.port") CHRONOS_SMTP_TLS=none \
    CHRONOS_SMTP_FROM=chronos@example.com \
    "$chronos" serve --data-dir "$dir/data" --listen "${1:-127.0.0.1:0}" --allow-commands \
    >"$dir/server.out" 2>>"$dir/server.log" &
  server=$!
  pids+=("$server")
  until_true 20 grep -q 'listening on' "$dir/server.out" || fail "the server did not start"
  url=$(grep -o 'listening on http://[^ ]*' "$dir/server.out" | head -1 | cut -d' ' -f3)
  key=$(cat "$dir/data/admin.key")
}

/usr/bin/python3 examples/sinks.py "$dir" & pids+=($!)
until_true 20 test -s "$dir/http.port" || fail "the sinks did not start"
web="http://127.0.0.1:$(cat "$dir/http.port")"
touch "$dir/mail.log" "$dir/http.log"

say "first start"
mkdir "$dir/data"
start_server
curl -sS --fail "$url/readyz" >/dev/null || fail "not ready"
echo "ready at $url"

say "a one-time job, three seconds from now, posts to a web server"
when=$(in_seconds 3)
once=$(api POST /api/submitJob '{"name": "hello once", "scheduled_time": "'"$when"'", "payload": {"hello": "world"},
  "action": {"kind": "http", "url": "'"$web"'/once"}}' | field id)
until_true 15 grep -q '"/once"' "$dir/http.log" || fail "the job did not post"
/usr/bin/python3 - "$dir/http.log" "$when" <<'PY' || fail "not at its second"
import datetime, json, sys
hit = next(e for e in map(json.loads, open(sys.argv[1])) if e["path"] == "/once")
due = datetime.datetime.fromisoformat(sys.argv[2].replace("Z", "+00:00")).timestamp()
print(f"due {sys.argv[2]}, posted {(hit['at'] - due) * 1000:.1f} ms later: {hit['body']}")
assert 0 <= hit["at"] - due < 1 and json.loads(hit["body"]) == {"hello": "world"}
PY
until_true 10 state_is "$once" succeeded || fail "$once did not succeed"

say "a command every second, five times"
ticks=$(api POST /api/submitJob '{"name": "tick", "cron": "* * * * * *", "misfire": {"grace": "1s"},
  "action": {"kind": "command", "argv": ["sh", "-c", "echo tick $CHRONOS_RUN_ID >> '"$dir"'/ticks"]}}' | field id)
five() { [ "$(wc -l <"$dir/ticks")" -ge 5 ]; }
until_true 20 five || fail "the command did not run five times"
cat "$dir/ticks"

say "a job that fails is tried three times, then tells somebody once"
failing='"max_attempts": 3, "retry": {"delay": "500ms", "jitter": "none"}, "notify": [{"on": "failure", "email": ["ops@example.com"]}]'
failed_once=$(api POST /api/submitJob '{"name": "fails once", '"$failing"',
  "action": {"kind": "http", "url": "'"$web"'/status/500"}}' | field id)
failed_again=$(api POST /api/submitJob '{"name": "fails again and again", "cron": "* * * * * *", "max_runs": 1, '"$failing"',
  "action": {"kind": "command", "argv": ["sh", "-c", "echo it went wrong; exit 3"]}}' | field id)
for job in "$failed_once" "$failed_again"; do
  ended() { [ "$(api GET "/api/jobs/$job" | field counts.failed)" = 1 ]; }
  until_true 30 ended || fail "$job did not fail"
  run=$(runs_of "$job" | field runs.0.id)
  api GET "/api/runs/$run" | /usr/bin/python3 -c 'import datetime, json, sys
run = json.load(sys.stdin)
assert run["state"] == "failed" and len(run["attempts"]) == 3, run
time = lambda text: datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
tries = run["attempts"]
gaps = [(time(b["started_at"]) - time(a["ended_at"])).total_seconds() for a, b in zip(tries, tries[1:])]
print(run["job_name"], "-", run["error"], "- gaps between attempts:", gaps)
assert gaps[0] < gaps[1], gaps'
done
both_mails() { [ "$(wc -l <"$dir/mail.log")" -ge 2 ]; }
until_true 20 both_mails || fail "no mail came"
cat "$dir/mail.log"
[ "$(mails_about 'fails once')" = 1 ] && [ "$(mails_about 'fails again')" = 1 ] || fail "not one mail each"

say "a reschedule moves a run, a cancel stops one"
moved=$(api POST /api/submitJob '{"name": "moved", "scheduled_time": "'"$(in_seconds 3600)"'",
  "action": {"kind": "http", "url": "'"$web"'/moved"}}' | field id)
stopped=$(api POST /api/submitJob '{"name": "stopped", "scheduled_time": "'"$(in_seconds 2)"'",
  "action": {"kind": "http", "url": "'"$web"'/stopped"}}' | field id)
api DELETE "/api/jobs/$stopped" | field status
api PUT "/api/jobs/$moved" '{"scheduled_time": "'"$(in_seconds 2)"'"}' | field next_run_at
until_true 15 grep -q '"/moved"' "$dir/http.log" || fail "the moved job did not run"
! grep -q '"/stopped"' "$dir/http.log" || fail "the cancelled job ran"

say "kill -9 in the middle"
later=$(api POST /api/submitJob '{"name": "after the crash", "scheduled_time": "'"$(in_seconds 4)"'",
  "action": {"kind": "http", "url": "'"$web"'/later"}}' | field id)
api GET "/api/jobs?limit=200" | /usr/bin/python3 -c 'import json, sys
for job in json.load(sys.stdin)["jobs"]: print(job["id"])' | sort >"$dir/acknowledged"
kill -9 "$server"; wait "$server" 2>/dev/null || true
sleep 3 # the server is away while instants pass
start_server "${url#http://}"
api GET "/api/jobs?limit=200" | /usr/bin/python3 -c 'import json, sys
for job in json.load(sys.stdin)["jobs"]: print(job["id"])' | sort >"$dir/found"
cmp "$dir/acknowledged" "$dir/found" || fail "a job was lost"
until_true 15 grep -q '"/later"' "$dir/http.log" || fail "the job due during the outage did not run"
until_true 10 state_is "$later" succeeded || fail "$later did not succeed"
sleep 2
api DELETE "/api/jobs/$ticks" | field status
runs_of "$ticks" >"$dir/runs.json"
/usr/bin/python3 - "$dir/runs.json" "$dir/ticks" "$dir/http.log" <<'PY' || fail "the runs do not add up"
import datetime, json, sys
runs = json.load(open(sys.argv[1]))["runs"]
ran = [line.split()[1] for line in open(sys.argv[2])]
succeeded = {run["id"] for run in runs if run["state"] == "succeeded"}
twice = [run for run in succeeded if ran.count(run) > 1]
assert not twice, f"ran again after success: {twice}"
time = lambda text: datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
answered = set()
for run in runs:
    first, last = time(run["planned_at"]), time(run["planned_until"] or run["planned_at"])
    answered.update(range(round(first), round(last) + 1))
gaps = set(range(min(answered), max(answered) + 1)) - answered
assert not gaps, f"instants without an answer: {sorted(gaps)}"
missed = [(run["reason"], run["count"]) for run in runs if run["state"] in ("missed", "skipped")]
posts = [json.loads(line)["path"] for line in open(sys.argv[3])]
assert posts.count("/once") == 1 and posts.count("/later") == 1
print(f"{len(succeeded)} runs succeeded, none ran again; every second has its answer; missed: {missed}")
PY

kill -TERM "$server"; wait "$server" || fail "SIGTERM: exit code $?"
printf '\nquickstart: all steps passed\n'
