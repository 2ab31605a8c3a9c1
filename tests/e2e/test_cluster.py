"""Nodes on one PostgreSQL database: they share the work, and what one leaves undone another does."""
import os
import pathlib
import signal
import subprocess

import pytest
from chronos_server import LINK_ERRORS, ROOT, Server, wait_until
from link import Link, server_socket
from postgres_process import Postgres


@pytest.fixture(scope="module")
def postgres():
    server = Postgres()
    yield server
    server.close()


@pytest.fixture
def nodes(postgres, tmp_path):
    """Starts nodes on a database of the test's own; all have the key that the first one made."""
    database = f"nodes_{os.path.basename(tmp_path)}".lower().replace("-", "_")[:60]
    postgres.sql(f'CREATE DATABASE "{database}"')
    started = []

    def start(where=""):
        """`where` begins the URL's host, or is its query."""
        folder = tmp_path / f"node{len(started)}"
        folder.mkdir()
        url = f"postgres://{where}/{database}" if "?" not in where else f"postgres:///{database}{where}"
        node = Server(folder, env=postgres.env, args=["--store", url])
        node.key = started[0].key if started else None
        started.append(node)
        return node.start()

    start.database = database
    yield start
    for node in started:
        node.close()


def test_nodes_share_the_work_and_nothing_runs_twice(nodes, web):
    both = [nodes(), nodes()]
    jobs = [both[i % 2].submit(web.action("/ok"), name=f"job {i}") for i in range(60)]
    for i, job in enumerate(jobs):
        assert both[(i + 1) % 2].finished(job)["state"] == "succeeded"
    called = [request["run"] for request in web.requests]
    assert len(called) == len(set(called)) == 60


def test_a_schedule_fires_once_however_many_nodes_there_are(nodes, web):
    both = [nodes(), nodes()]
    answer = both[0].api("POST", "/api/submitJob", {
        "name": "often", "every": "1s", "max_runs": 4, "action": web.action("/ok")})
    assert answer.status == 201, answer
    job = answer.body["id"]
    wait_until(lambda: both[1].get(f"/api/jobs/{job}")["status"] == "succeeded", 30, "all runs")
    runs = both[1].runs(job)
    assert len(runs) == len({run["planned_at"] for run in runs}) == 4
    assert len(web.requests) == 4


def test_a_dead_nodes_runs_are_taken_over(nodes, tmp_path):
    first = nodes()
    started = tmp_path / "started"
    script = f'echo "$CHRONOS_ATTEMPT" >>{started}; [ "$CHRONOS_ATTEMPT" -gt 1 ] || exec sleep 60'
    jobs = [first.submit({"kind": "command", "argv": ["sh", "-c", script]}, name=f"job {i}",
                         max_attempts=2, retry={"delay": "1s", "backoff": "fixed"})
            for i in range(5)]
    for job in jobs:
        first.running(job)
    second = nodes()
    first.kill()
    for job in jobs:
        run = second.finished(job, 60)
        assert run["state"] == "succeeded", run
        assert [attempt["state"] for attempt in run["attempts"]] == ["lost", "succeeded"]
    wait_until(lambda: len(started.read_text().splitlines()) == 10, what="every attempt has begun")


def pulled(node, log, number=0, **fields):
    payload = {"log": str(log), **fields.pop("payload", {})}
    return node.submit({"kind": "worker"}, name=f"job {number}", payload=payload, **fields)


def begun(log):
    return [line.split()[1] for line in log.read_text().splitlines() if line.endswith("began")]


def test_a_worker_goes_on_at_another_node_when_the_one_that_gave_its_run_is_killed(
        nodes, new_worker, tmp_path):
    both = [nodes(), nodes()]
    log, go = tmp_path / "log", tmp_path / "go"
    log.touch()
    jobs = [pulled(both[0], log, 0, payload={"until": str(go)}, priority=9)]
    jobs += [pulled(both[i % 2], log, i) for i in range(1, 40)]
    worker = new_worker(*both)
    run = both[1].running(jobs[0])
    wait_until(lambda: run in begun(log), what="the first run has begun")
    both[0].kill()
    go.touch()
    done = [both[1].finished(job, 60) for job in jobs]
    assert {run["state"] for run in done} == {"succeeded"}
    assert {run["attempts_made"] for run in done} == {1}, "nothing was lost or repeated"
    assert sorted(begun(log)) == sorted(run["id"] for run in done)
    wait_until(lambda: len(worker.answers()) == 40, what="all was answered")
    assert set(worker.answers().values()) <= {"ok", "stale"}  # stale: stored, and the answer was lost
    assert list(worker.answers().values()).count("stale") <= 1


def test_each_request_of_a_worker_may_go_to_another_node(nodes, new_worker, tmp_path):
    both = [nodes(), nodes()]
    log = tmp_path / "log"
    log.touch()
    jobs = [pulled(both[i % 2], log, i) for i in range(60)]
    worker = new_worker(*both)
    done = [both[0].finished(job, 60) for job in jobs]
    assert {(run["state"], run["attempts_made"]) for run in done} == {("succeeded", 1)}
    wait_until(lambda: len(worker.answers()) == 60, what="all was answered")
    assert set(worker.answers().values()) == {"ok"}


def test_the_deadline_of_a_run_is_kept_when_the_node_that_gave_it_is_gone(nodes, new_worker,
                                                                        tmp_path):
    both = [nodes(), nodes()]
    log = tmp_path / "log"
    log.touch()
    go = tmp_path / "go"
    job = pulled(both[0], log, payload={"until": str(go)}, timeout="2s")
    worker = new_worker(*both)
    run = both[1].running(job)
    wait_until(lambda: begun(log) == [run], what="the run has begun")
    both[0].kill()
    done = both[1].finished(job, 30)
    assert done["state"] == "timed_out", done
    go.touch()
    wait_until(lambda: worker.answers() == {run: "stale"}, what="the worker was told")


def test_a_cancel_reaches_the_node_that_runs_it(nodes):
    both = [nodes(), nodes()]
    job = both[0].submit({"kind": "command", "argv": ["sleep", "60"]})
    run = both[1].running(job)
    for node in both:  # whichever has it
        answer = node.api("POST", f"/api/runs/{run}/cancel")
        assert answer.status in (200, 202), answer
    assert both[1].finished(job)["state"] == "cancelled"


def test_a_database_that_goes_down_and_comes_again_loses_nothing(postgres, nodes, web):
    both = [nodes(), nodes()]
    acknowledged = {}

    def submit(number):
        name = f"job {number}"
        while name not in acknowledged:
            try:
                answer = both[number % 2].api(
                    "POST", "/api/submitJob", {"name": name, "action": web.action("/ok")},
                    headers={"Idempotency-Key": f"k{number}"})
            except LINK_ERRORS:
                continue
            assert answer.status in (201, 409, 503), answer
            if answer.status == 201:
                acknowledged[name] = answer.body["id"]

    for round_ in range(3):
        for number in range(round_ * 20, round_ * 20 + 20):
            submit(number)
            if number % 20 == 5:
                # A server process that dies takes all others with it; the server starts again.
                process = postgres.sql("SELECT pid FROM pg_stat_activity WHERE backend_type = "
                                       f"'client backend' AND datname = '{nodes.database}' LIMIT 1")
                os.kill(int(process), signal.SIGKILL)
    for node in both:
        wait_until(lambda node=node: node.api("GET", "/api/jobs").status == 200, what="it can be read")
    for number, job in enumerate(acknowledged.values()):
        run = both[number % 2].finished(job, 60)
        assert run["state"] == "succeeded", run
    assert len(acknowledged) == 60
    assert all(node.alive() and node.works() for node in both)
    assert pathlib.Path(both[0].data_dir / "chronos.db").exists() is False


@pytest.fixture
def link(postgres):
    wire = Link(server_socket(postgres.env))
    yield wire
    wire.close()


def test_a_node_that_is_cut_off_starts_nothing_and_heals_by_itself(nodes, link, web, tmp_path):
    cut_off = nodes(f"127.0.0.1:{link.port}")
    done = tmp_path / "done"
    before = cut_off.submit({"kind": "command", "argv": ["sh", "-c", f"sleep 60; echo late >>{done}"]},
                            max_attempts=2, retry={"delay": "0s"}, timeout="90s")
    run = cut_off.running(before)
    other = nodes()
    link.cut()
    # Its lease runs out and the other node takes over what it ran, and all that comes.
    jobs = [other.submit(web.action("/ok"), name=f"job {i}") for i in range(10)]
    assert {other.finished(job)["state"] for job in jobs} == {"succeeded"}
    attempts = wait_until(lambda: other.get(f"/api/runs/{run}").get("attempts"), 20, "taken over")
    assert attempts[0]["state"] == "lost"
    started = len(web.requests)
    link.heal()
    link.reset()
    wait_until(lambda: cut_off.api("GET", "/readyz").status == 200, 10, "it is ready again")
    assert cut_off.works()
    assert len(web.requests) == started == 10


def test_the_first_of_several_hosts_may_be_gone(nodes, link):
    node = nodes(f"127.0.0.1:1,127.0.0.1:{link.port}")
    assert node.works()
    link.reset()
    assert node.works()


def test_nodes_work_behind_a_pooler_that_shares_sessions(postgres, nodes, new_worker, tmp_path):
    pooler = subprocess.Popen([ROOT / "tools" / "with_pgbouncer.sh", "sh", "-c",
                               'echo "$CHRONOS_TEST_POOLER"; exec cat'], text=True,
                              env={**os.environ, **postgres.env}, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE)
    try:
        where = "?" + pooler.stdout.readline().strip()
        both = [nodes(where), nodes(where)]
        assert both[0].works() and both[1].works()
        log = tmp_path / "log"
        log.touch()
        new_worker(*both)
        jobs = [pulled(both[i % 2], log, i) for i in range(20)]
        assert {both[0].finished(job, 60)["attempts_made"] for job in jobs} == {1}
        for node in both:
            node.stop()
    finally:
        pooler.stdin.close()
        pooler.wait(30)
