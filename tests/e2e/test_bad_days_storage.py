"""The disk is full, the database is locked: an honest answer, and work goes on afterwards."""
import os
import sqlite3
import subprocess
import threading
import time

import pytest
from chronos_server import wait_until

COMMAND = {"kind": "command", "argv": ["true"]}


def mounted(disk, size):
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", disk]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("may not mount")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 8 MB: no room for a reserve."""
    yield from mounted(tmp_path / "disk", "8m")


@pytest.fixture
def roomy_disk(tmp_path):
    yield from mounted(tmp_path / "disk", "32m")


def fill(disk):
    """Leaves no free byte."""
    ballast = disk / "ballast"
    with open(ballast, "ab", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                pass
    return ballast


def refusal(server):
    """The first answer to a submit that is not 201; the log may have some room left."""
    spec = {"name": "big", "action": COMMAND, "payload": "x" * 100_000,
            "scheduled_time": "2099-01-01T00:00:00Z"}
    for _ in range(100):
        answer = server.api("POST", "/api/submitJob", spec)
        if answer.status != 201:
            return answer
    raise AssertionError("the disk is full and everything was taken")


def test_full_disk(new_server, small_disk):
    server = new_server(data_dir=small_disk / "data")
    kept = server.submit(COMMAND, scheduled_time="2099-01-01T00:00:00Z")
    ballast = fill(small_disk)
    answer = refusal(server)
    assert (answer.status, answer.body["code"]) == (507, "store_full"), answer
    assert server.alive()
    assert server.get(f"/api/jobs/{kept}")["status"] == "scheduled"
    assert server.api("GET", "/livez").status == 200
    ballast.unlink()
    wait_until(lambda: refused_no_more(server), what="submits work again")
    assert server.works()
    server.stop()


def refused_no_more(server):
    return server.api("POST", "/api/submitJob", {"name": "t", "action": COMMAND}).status == 201


def test_full_disk_while_work_goes_on(new_server, small_disk):
    """Runs that cannot be recorded are recorded once there is room."""
    server = new_server(data_dir=small_disk / "data")
    job = server.submit({"kind": "command", "argv": ["sh", "-c", "head -c 900000 /dev/urandom"]},
                        cron="* * * * * *", misfire={"grace": "1s"})
    fill(small_disk)
    refusal(server)
    time.sleep(3)
    assert server.alive(), server.log()
    before = len([run for run in server.runs(job) if run["state"] == "succeeded"])
    (small_disk / "ballast").unlink()
    wait_until(lambda: len([run for run in server.runs(job) if run["state"] == "succeeded"])
               > before + 1, what="runs are recorded again")
    server.stop()


def test_what_runs_is_recorded_in_the_reserve(new_server, roomy_disk):
    server = new_server(data_dir=roomy_disk / "data")
    later = server.submit(COMMAND, scheduled_time="2099-01-01T00:00:00Z")
    job = server.submit(COMMAND, cron="* * * * * *")

    def recorded():
        return len([run for run in server.runs(job) if run["state"] == "succeeded"])

    wait_until(recorded, what="the first run")
    ballast = fill(roomy_disk)
    answer = refusal(server)
    assert (answer.status, answer.body["code"]) == (507, "store_full"), answer
    assert "the disk is full: no new jobs are taken" in server.log()
    before = recorded()
    wait_until(lambda: recorded() > before + 2, what="runs are recorded on the full disk")
    assert server.api("POST", f"/api/jobs/{job}/run").status == 507
    assert server.api("DELETE", f"/api/jobs/{later}").status == 200
    assert server.api("POST", f"/api/jobs/{job}/pause").status == 200
    assert server.api("GET", "/readyz").status == 503
    assert b"\nchronos_ready 0\n" in server.api("GET", "/metrics").body
    ballast.unlink()
    wait_until(lambda: server.api("GET", "/readyz").status == 200, what="the server is ready again")
    assert server.works()
    server.stop()


@pytest.mark.parametrize("seconds", [1, 2])
def test_database_locked_by_another_process(new_server, seconds):
    server = new_server()
    lock = sqlite3.connect(server.data_dir / "chronos.db", isolation_level=None,
                           check_same_thread=False)
    lock.execute("BEGIN EXCLUSIVE")
    threading.Timer(seconds, lock.rollback).start()
    began = time.monotonic()
    answer = server.api("POST", "/api/submitJob", {"name": "t", "action": COMMAND})
    if answer.status == 201:
        assert time.monotonic() - began > seconds - 0.5
    else:
        assert answer.status == 503 and answer.body["code"] in (
            "store_unavailable", "overloaded", "unknown_commit"), answer
    wait_until(lambda: not lock.in_transaction, what="the lock is released")
    assert server.alive(), server.log()
    wait_until(lambda: refused_no_more(server), what="submits work again")
    assert server.works()
    lock.close()
    server.stop()


def test_second_server_on_the_same_data_is_refused(new_server):
    server = new_server()
    with pytest.raises(AssertionError, match="ended: [1-9]"):
        new_server(data_dir=server.data_dir)
    assert server.works()
