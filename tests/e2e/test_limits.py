"""The limits of schedules: pauses that end by themselves, calendars, jitter."""
import json
import subprocess

from chronos_server import BINARY, in_seconds, wait_until

TRUE = {"kind": "command", "argv": ["true"]}


def test_a_pause_ends_by_itself(server):
    job = server.submit(TRUE, every="1s")
    until = in_seconds(2)
    answer = server.api("POST", f"/api/jobs/{job}/pause", {"until": until, "note": "freeze"})
    assert answer.status == 200, answer
    assert (answer.body["status"], answer.body["paused_until"]) == ("paused", until)
    assert server.get(f"/api/jobs/{job}/status")["status"] == "paused"
    resumed = wait_until(lambda: (found := server.get(f"/api/jobs/{job}"))["status"] != "paused"
                         and found)
    assert resumed["paused_until"] is None and not resumed["paused"]
    assert resumed["updated_at"] >= until, "never early"
    first = wait_until(lambda: [run for run in server.runs(job) if run["started_at"]
                                and run["started_at"] >= until])
    assert first, server.runs(job)
    server.api("DELETE", f"/api/jobs/{job}")


def test_a_pause_ends_by_itself_after_a_restart(new_server):
    server = new_server()
    until = in_seconds(1)
    job = server.submit(TRUE, scheduled_time=in_seconds(0.2), paused_until=until)
    server.kill()
    server.start()
    run = server.finished(job)
    assert run["state"] == "succeeded" and run["started_at"] >= until, run


def test_instants_of_a_pause_are_missed_for_it(new_server):
    server = new_server()
    job = server.submit(TRUE, every="1s", paused_until=in_seconds(3.5),
                        misfire={"policy": "skip", "grace": "0s"})
    # Without any grace a busy machine misses single instants after the pause too.
    missed = wait_until(lambda: next((run for run in server.runs(job) if run["state"] == "missed"
                                      and run["reason"] == "paused"), None),
                        what="the row of those it missed")
    assert missed["count"] >= 2, missed


def put_calendar(server, name, **fields):
    answer = server.api("PUT", f"/api/calendars/{name}", fields)
    assert answer.status in (200, 201), answer
    return answer.body


def test_a_calendar_keeps_a_job_from_firing_and_a_change_lets_it(server):
    put_calendar(server, "closed", weekly=[{}])
    job = server.submit(TRUE, every="1s", calendars=["closed"])
    skipped = wait_until(lambda: [run for run in server.runs(job) if run["state"] == "skipped"])
    assert skipped[0]["reason"] == "calendar"
    assert skipped[0]["error"] == "excluded by the calendar 'closed'"
    assert not [run for run in server.runs(job) if run["state"] == "succeeded"]

    put_calendar(server, "closed", dates=["2020-01-01"])
    wait_until(lambda: [run for run in server.runs(job) if run["state"] == "succeeded"])
    answer = server.api("DELETE", "/api/calendars/closed")
    assert answer.status == 409 and job in answer.body["detail"], answer
    server.api("DELETE", f"/api/jobs/{job}")
    assert server.api("DELETE", "/api/calendars/closed").status == 200


def test_a_calendar_survives_a_crash(new_server):
    server = new_server()
    put_calendar(server, "closed", weekly=[{}])
    job = server.submit(TRUE, cron="* * * * * *", calendars=["closed"])
    server.kill()
    server.start()
    assert server.get("/api/calendars/closed")["version"] == 1
    put_calendar(server, "closed")
    wait_until(lambda: [run for run in server.runs(job) if run["state"] == "succeeded"])


def test_calendars_on_the_command_line(server, tmp_path):
    def chronos(*words):
        done = subprocess.run([BINARY, *words], capture_output=True, text=True, timeout=60, env={
            "CHRONOS_URL": f"http://127.0.0.1:{server.port}", "CHRONOS_API_KEY": server.key})
        assert done.returncode == 0, done.stderr
        return done.stdout

    file = tmp_path / "holidays.ics"
    file.write_text("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:New year\r\n"
                    "DTSTART;VALUE=DATE:20270101\r\nRRULE:FREQ=YEARLY\r\nEND:VEVENT\r\n"
                    "END:VCALENDAR\r\n")
    assert chronos("calendars", "import", "new-year", str(file)) == "new-year  blackout  imported\n"
    assert "new-year\tblackout\tUTC\t0\t0\t1\t" in chronos("calendars", "list")
    whole = json.loads(chronos("calendars", "get", "new-year"))
    assert whole["events"][0]["repeat"] == "FREQ=YEARLY"
    file.write_text(json.dumps({"kind": "business", "weekly": [{"days": ["MON-FRI"]}]}))
    assert chronos("calendars", "put", "hours", str(file)) == "hours  business  stored\n"
    job = chronos("submit", "-q", "--cron", "0 0 1 1 *", "--calendar", "new-year", "--jitter", "5m",
                  "--", "true").strip()
    found = server.get(f"/api/jobs/{job}")
    assert found["calendars"] == ["new-year"] and found["jitter"]["max"] == "5m"
    assert chronos("calendars", "delete", "hours") == "hours  business  deleted\n"


def test_jitter_delays_the_start_not_the_instant(server):
    job = server.submit(TRUE, every="1s", jitter={"max": "900ms", "mode": "stable"})
    runs = wait_until(lambda: (done := [run for run in server.runs(job) if run["ended_at"]])[2:]
                      and done)
    server.api("DELETE", f"/api/jobs/{job}")
    assert {run["jitter_ms"] for run in runs} == {runs[0]["jitter_ms"]}, "stable"
    assert all(run["planned_at"].endswith(".000Z") for run in runs), runs
    assert all(run["lateness_ms"] >= 0 for run in runs), "never before its start"
