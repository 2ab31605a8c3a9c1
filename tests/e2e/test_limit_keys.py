"""`concurrency` and `rate` against the real server: intervals of real commands, through kill -9."""
from datetime import datetime, timedelta

from chronos_server import wait_until


def when(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def sleeper(seconds):
    return {"kind": "command", "argv": ["sleep", str(seconds)]}


def attempts_of(server, jobs):
    runs = [server.get(f"/api/runs/{server.runs(job)[0]['id']}") for job in jobs]
    return [(when(a["started_at"]), when(a["ended_at"])) for run in runs for a in run["attempts"]]


def most_at_once(intervals):
    return max(sum(a <= start < b for a, b in intervals) for start, _ in intervals)


def test_a_key_holds_across_queues_and_a_crash(new_server):
    server = new_server()
    jobs = [server.submit(sleeper(0.3), queue=f"q{i % 3}", retry={"delay": "0s"}, max_attempts=3,
                          concurrency={"key": "tenant", "max": 2}) for i in range(8)]
    first = server.running(jobs[0])
    waiting = server.get(f"/api/jobs/{jobs[-1]}/why")
    assert waiting["code"] == "concurrency", waiting
    assert waiting["blocker"]["name"] == "tenant" and first in waiting["blocker"]["runs"], waiting
    assert "chronos_runs_limited" in server.api("GET", "/metrics").body.decode()
    server.kill()
    server.restart()
    assert {server.finished(job)["state"] for job in jobs} == {"succeeded"}
    assert most_at_once(attempts_of(server, jobs)) == 2


def test_a_rate_is_kept_exactly(new_server):
    server = new_server()
    jobs = [server.submit(sleeper(0), rate={"key": "api", "max": 3, "per": "1s"})
            for _ in range(9)]
    for job in jobs:
        server.finished(job)
    starts = sorted(start for start, _ in attempts_of(server, jobs))
    for i in range(len(starts) - 3):
        # To the millisecond in which the API tells times.
        assert starts[i + 3] - starts[i] >= timedelta(seconds=1, milliseconds=-1), starts
    assert starts[-1] - starts[0] < timedelta(seconds=10), starts


def test_a_limit_can_be_changed_and_taken_away(server):
    holder = server.running(server.submit(sleeper(60), concurrency={"key": "k", "max": 1}))
    job = server.submit(sleeper(0), concurrency={"key": "k", "max": 1})
    assert server.get(f"/api/jobs/{job}/status")["waiting_for"] == "concurrency"
    assert server.api("PATCH", f"/api/jobs/{job}", {"concurrency": None}).status == 200
    assert server.finished(job)["state"] == "succeeded"
    assert server.get(f"/api/jobs/{job}")["concurrency"] is None
    assert server.api("POST", f"/api/runs/{holder}/cancel").status == 200
    again = server.submit(sleeper(0), concurrency={"key": "k", "max": 1})
    wait_until(lambda: server.finished(again)["state"] == "succeeded", what="the free slot")
