"""Remote workers against the real server: normal work, and every way it may go wrong."""
import signal
import threading

import pytest

from chronos_server import wait_until

PULLED = {"kind": "worker"}


@pytest.fixture
def new_servers_short_leases(new_server):
    return lambda: new_server(env={"CHRONOS_WORKERS_LEASE_TTL": "2s"})


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log"
    path.touch()
    return path


def lines(log, run=None):
    """(worker, run, attempt, word) of all that was done."""
    split = [tuple(line.split()) for line in log.read_text().splitlines()]
    return [line for line in split if run in (None, line[1])]


def pulled(server, log, queue="default", **payload):
    fields = {"retry": {"delay": "0s"}, "max_attempts": 3, "queue": queue}
    return server.submit(PULLED, payload={"log": str(log), **payload}, **fields)


def test_work_is_done_once_and_recorded(server, new_worker, log):
    jobs = [pulled(server, log) for _ in range(40)]
    workers = [new_worker(server, name=name) for name in ("one", "two")]
    runs = [server.finished(job) for job in jobs]
    assert {run["state"] for run in runs} == {"succeeded"}
    assert {run["node"] for run in runs} <= {"one", "two"}
    assert sorted(line[1] for line in lines(log) if line[3] == "ended") == \
        sorted(run["id"] for run in runs)
    assert len(lines(log)) == 2 * len(jobs)
    for job in [pulled(server, log) for _ in range(5)]:  # now they wait for work
        server.finished(job)
    answers = [answer for worker in workers for answer in worker.answers().values()]
    assert set(answers) == {"ok"}


def test_a_failure_is_retried_by_the_policy(server, new_worker, log):
    job = pulled(server, log, fail=True)
    new_worker(server)
    run = server.finished(job)
    assert (run["state"], run["attempts_made"]) == ("failed", 3), run
    assert run["error"] == "the worker reported a failure"


def test_a_killed_workers_run_is_lost_and_done_by_another(new_servers_short_leases, new_worker, log,
                                                          tmp_path):
    server = new_servers_short_leases()
    job = pulled(server, log, until=str(tmp_path / "go"))
    first = new_worker(server, name="first")
    run = server.running(job)
    first.process.kill()
    new_worker(server, name="second")
    wait_until(lambda: [line for line in lines(log, run) if line[0] == "second"],
               what="the other worker")
    (tmp_path / "go").touch()
    done = server.finished(job)
    assert [attempt["state"] for attempt in done["attempts"]] == ["lost", "succeeded"], done
    assert [attempt["node"] for attempt in done["attempts"]] == ["first", "second"], done
    assert "not heard of" in done["attempts"][0]["error"]


def test_a_run_that_kills_its_workers_is_quarantined(new_servers_short_leases, new_worker, web, log):
    server = new_servers_short_leases()
    assert server.api("POST", "/api/channels", {"name": "ops", "kind": "webhook", "url": web.url + "/ok"}).status == 201
    poison = server.submit(PULLED, payload={"log": str(log), "kill": True}, retry={"delay": "0s"}, max_attempts=0,
                           notify=[{"on": "failure", "channel": "ops"}])
    for attempt in range(1, 4):
        assert new_worker(server, name=f"victim{attempt}").process.wait(40) == -signal.SIGKILL
        other = pulled(server, log)  # the next worker finds it before the poison is ready again
    new_worker(server, name="survivor")
    assert server.finished(other)["state"] == "succeeded"
    run = server.finished(poison)
    assert [(attempt["node"], attempt["state"]) for attempt in run["attempts"]] == [
        (f"victim{i}", "lost") for i in range(1, 4)], run
    assert (run["state"], run["attempts_made"]) == ("lost", 3), run
    assert run["error"].startswith("quarantined: in 3 attempts in a row the worker was not heard of"), run
    assert server.get(f"/api/runs/{run['id']}/why")["code"] == "on_lost"
    assert server.finished(pulled(server, log))["node"] == "survivor"
    told = wait_until(web.payloads, what="the message")
    assert [message["data"]["error"] for message in told] == [run["error"]]


def test_a_paused_worker_changes_nothing_when_it_comes_back(new_servers_short_leases, new_worker,
                                                            log, tmp_path):
    server = new_servers_short_leases()
    job = pulled(server, log, until=str(tmp_path / "go"))
    first = new_worker(server, name="first")
    run = server.running(job)
    wait_until(lambda: lines(log, run), what="the first attempt")
    first.process.send_signal(signal.SIGSTOP)
    (tmp_path / "go").touch()
    new_worker(server, name="second")
    done = server.finished(job)
    assert [attempt["state"] for attempt in done["attempts"]] == ["lost", "succeeded"], done
    first.process.send_signal(signal.SIGCONT)
    assert wait_until(lambda: first.answers().get(run), what="its late outcome") == "stale"
    assert server.get(f"/api/runs/{run}") == done
    # It is welcome again all the same.
    assert wait_until(lambda: [w for w in server.get("/api/workers")["workers"]
                               if w["name"] == "first" and w["alive"]], what="its heartbeat")


def test_a_cancel_is_told_at_the_heartbeat(server, new_worker, log, tmp_path):
    job = pulled(server, log, until=str(tmp_path / "never"))
    new_worker(server)
    run = server.running(job)
    assert server.api("POST", f"/api/runs/{run}/cancel").status == 200
    assert server.finished(job)["state"] == "cancelled"
    assert lines(log, run)[-1][3] == "stopped"


def test_a_server_killed_in_the_middle_loses_no_run(new_servers_short_leases, new_worker, log,
                                                    tmp_path):
    server = new_servers_short_leases()
    port = server.port
    held = pulled(server, log, until=str(tmp_path / "go"))
    new_worker(server)
    run = server.running(held)
    later = [pulled(server, log) for _ in range(10)]
    server.kill()
    server.disconnect()
    server.args = ["--listen", f"127.0.0.1:{port}"]
    server.start()
    (tmp_path / "go").touch()
    done = server.finished(held)
    # The worker never stopped: its lease outlived the server, and its outcome counts.
    assert [attempt["state"] for attempt in done["attempts"]] == ["succeeded"], done
    assert [line[3] for line in lines(log, run)] == ["began", "ended"]
    for job in later:
        assert server.finished(job)["state"] == "succeeded"


def test_a_worker_that_drains_hands_back_what_it_has_not_begun(server, new_worker, log, tmp_path):
    jobs = [pulled(server, log, until=str(tmp_path / "go")) for _ in range(3)]
    first = new_worker(server, name="first")
    wait_until(lambda: lines(log), what="the first of the three")
    assert [server.runs(job)[0]["state"] for job in jobs] == ["running"] * 3
    first.process.send_signal(signal.SIGTERM)
    (tmp_path / "go").touch()
    assert first.process.wait(20) == 0
    new_worker(server, name="second")
    runs = [server.finished(job) for job in jobs]
    assert {run["state"] for run in runs} == {"succeeded"}
    assert {run["attempts_made"] for run in runs} == {1}, runs
    assert {run["node"] for run in runs} == {"first", "second"}


def test_limits_of_queues_hold_across_workers(new_server, new_worker, log, tmp_path):
    config = tmp_path / "chronos.toml"
    config.write_text("[queues.narrow]\nconcurrency = 1\n")
    server = new_server(args=["--config", str(config)])
    jobs = [pulled(server, log, queue="narrow") for _ in range(10)]
    for name in ("one", "two", "three"):
        new_worker(server, name=name, queue="narrow")
    for job in jobs:
        assert server.finished(job)["state"] == "succeeded"
    words = [line[3] for line in lines(log)]
    assert words == ["began", "ended"] * 10, words


def test_a_waiting_poll_ends_when_the_server_stops(new_server):
    server = new_server()
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(server.api(
        "POST", "/api/workers/claim", {"worker": "mill", "wait": "30s"}, timeout=60)))
    waiting.start()
    wait_until(lambda: [w for w in server.get("/api/workers")["workers"] if w["polling"]],
               what="the poll")
    server.stop()
    waiting.join(20)
    assert answers[0].status == 200 and answers[0].body["runs"] == [], answers


def test_why_a_run_waits_for_a_worker(server, new_worker, log):
    job = pulled(server, log, queue="lonely")
    why = server.get(f"/api/jobs/{job}/why")
    assert why["code"] == "worker", why
    assert "No worker polls queue 'lonely'" in why["text"], why
    assert server.get(f"/api/jobs/{job}/status")["waiting_for"] == "worker"
    worker = new_worker(server, queue="lonely")
    server.finished(job)
    worker.process.kill()
    worker.process.wait()
    wait_until(lambda: not [w for w in server.get("/api/workers")["workers"]
                            if w["name"] == "mill" and w["queues"] == ["lonely"] and w["alive"]],
               40, "the worker's end")
    job = pulled(server, log, queue="lonely")
    why = server.get(f"/api/jobs/{job}/why")
    assert why["code"] == "worker" and "last seen" in why["text"], why
