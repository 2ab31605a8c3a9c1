"""Instants missed in a pause are run again, each once, on the real server."""
import datetime
import json

from chronos_server import wait_until

TRUE = {"kind": "command", "argv": ["true"]}


def paused_for_some_instants(server, policy):
    """A job that missed at least three instants of a pause; it goes on with those after."""
    job = server.submit(TRUE, cron="* * * * * *", misfire={"policy": policy, "grace": "0s"})
    assert server.api("POST", f"/api/jobs/{job}/pause").status == 200
    began = server.get(f"/api/jobs/{job}")["updated_at"]

    def passed():
        now = datetime.datetime.now(datetime.timezone.utc)
        return (now - datetime.datetime.fromisoformat(began.replace("Z", "+00:00"))
                ).total_seconds() > 4
    wait_until(passed, what="four seconds of a pause")
    assert server.api("POST", f"/api/jobs/{job}/resume").status == 200
    # Without any grace a busy machine misses single instants later too.
    return job, wait_until(
        lambda: next((row for row in server.runs(job) if row["state"] == "missed" and row["count"] >= 3), None),
        what="the row of those it missed")


def range_of(row):
    until = datetime.datetime.fromisoformat(row["planned_until"].replace("Z", "+00:00"))
    return row["planned_at"], (until + datetime.timedelta(milliseconds=1)).isoformat()


def backfilled(server, job):
    return [run for run in server.runs(job) if run["trigger"] == "backfill"]


def test_missed_instants_run_once_each(new_server):
    server = new_server()
    job, row = paused_for_some_instants(server, "skip")
    first, until = range_of(row)
    words = ("backfill", job, "--from", first, "--until", until)
    preview = json.loads(server.chronos(*words, "--dry-run", "--json"))
    assert preview["count"] == row["count"] >= 3, (preview, row)
    assert backfilled(server, job) == []

    made = json.loads(server.chronos(*words, "--json"))
    assert (made["instants"], made["count"]) == (preview["instants"], preview["count"])
    done = wait_until(lambda: [run for run in backfilled(server, job)
                               if run["state"] == "succeeded"][row["count"] - 1:]
                      and backfilled(server, job), what="every run of the backfill")
    assert sorted(run["planned_at"] for run in done) == preview["instants"]
    # One after another, the oldest first, and never early or late.
    starts = [run["started_at"] for run in sorted(done, key=lambda run: run["planned_at"])]
    assert starts == sorted(starts)
    assert {run["lateness_ms"] for run in done} == {None}
    assert json.loads(server.chronos(*words, "--json"))["count"] == 0
    server.restart()
    assert len(backfilled(server, job)) == row["count"]


def test_what_asks_waits_for_a_backfill(new_server):
    server = new_server()
    job, row = paused_for_some_instants(server, "ask")
    assert row["reason"] == "ask", row
    assert server.api("POST", f"/api/jobs/{job}/pause").status == 200  # no instant after these is missed meanwhile
    undecided = server.get(f"/api/jobs/{job}/why")["undecided"]
    assert undecided["count"] >= row["count"], undecided
    assert "to decide" in server.chronos("why", job)
    first, until = range_of(row)
    made = server.api("POST", f"/api/jobs/{job}/backfill", {"from": first, "until": until})
    assert made.status == 201 and made.body["count"] == row["count"], made
    left = server.get(f"/api/jobs/{job}/why")["undecided"]
    assert (left["count"] if left else 0) == undecided["count"] - row["count"], (left, undecided)
