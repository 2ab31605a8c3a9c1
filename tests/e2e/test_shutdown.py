"""SIGTERM: running work is waited for, then handed back; exit code 0; nothing is forgotten."""
import signal
import time

from chronos_server import LINK_ERRORS, wait_until


def script(text):
    return {"kind": "command", "argv": ["sh", "-c", text]}


def test_work_that_ends_in_time_is_waited_for(new_server):
    server = new_server()
    job = server.submit(script("sleep 1.5; echo done"))
    server.running(job)
    server.restart()
    run = server.finished(job)
    assert (run["state"], run["attempts_made"]) == ("succeeded", 1), run


def test_work_that_does_not_end_is_handed_back(new_server, tmp_path):
    server = new_server(args=["--drain-timeout", "500ms"])
    mark = tmp_path / "mark"
    job = server.submit(script(f"[ -e {mark} ] || {{ touch {mark}; exec sleep 60; }}"),
                        max_attempts=3, retry={"delay": "100ms"})
    wait_until(mark.exists, what="the first attempt runs")
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began < 9
    server.start()
    assert server.finished(job, 40)["state"] == "succeeded"


def test_waiting_jobs_run_after_the_restart(new_server, web):
    server = new_server()
    jobs = [server.submit(web.action("/ok"), payload=number, every="1h", max_runs=1,
                          start_at="2000-01-01T00:00:00Z") if number % 2 else
            server.submit(web.action("/ok"), payload=number) for number in range(20)]
    server.restart()
    for job in jobs[::2]:
        assert server.finished(job)["state"] == "succeeded"
    for number in range(0, 20, 2):
        assert web.payloads().count(number) == 1


def test_sigterm_under_load_loses_nothing(new_server, web):
    server = new_server()
    acknowledged = []
    server.process.send_signal(0)
    for number in range(1000):
        if number == 100:
            server.process.send_signal(signal.SIGTERM)
        try:
            spec = {"name": "t", "action": web.action("/ok"), "payload": number}
            answer = server.api("POST", "/api/submitJob", spec)
        except LINK_ERRORS:
            break
        if answer.status != 201:
            assert answer.status == 503, answer
            break
        acknowledged.append(answer.body["id"])
    assert server.process.wait(30) == 0, server.log()
    server.start()
    for job in acknowledged:
        assert server.finished(job)["state"] == "succeeded"
    assert len(acknowledged) >= 100


def test_sigint_ends_it_too(new_server):
    server = new_server()
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(20) == 0


def test_idle_keep_alive_connection_does_not_delay_the_end(new_server):
    server = new_server()
    server.get("/api/jobs")  # the connection stays open
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began < 5


def test_every_start_runs_the_reboot_jobs_once(new_server):
    server = new_server()
    job = server.submit({"kind": "command", "argv": ["true"]}, cron="@reboot")
    assert server.get(f"/api/jobs/{job}")["next_run_at"] is None
    assert server.get(f"/api/jobs/{job}/why")["code"] == "start_up"

    def succeeded():
        return [run for run in server.runs(job) if run["state"] == "succeeded"]
    for start in (1, 2):
        if start == 1:
            server.restart()
        else:
            server.kill()
            server.restart()
        wait_until(lambda: len(succeeded()) == start, what=f"the run of start {start}")
        waiting = [run for run in server.runs(job) if run["state"] == "planned"]
        assert [run["planned_at"] for run in waiting] == [None]
    assert server.get(f"/api/jobs/{job}")["status"] == "scheduled"
