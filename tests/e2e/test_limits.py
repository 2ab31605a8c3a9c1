"""The limits of schedules: pauses that end by themselves."""
from chronos_server import in_seconds, wait_until

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
    missed = wait_until(lambda: [run for run in server.runs(job) if run["state"] == "missed"])
    assert missed[0]["reason"] == "paused" and missed[0]["count"] >= 2, missed
