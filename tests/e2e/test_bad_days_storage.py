"""The disk is full, the database is locked: an honest answer, and work goes on afterwards."""
import os
import sqlite3
import subprocess
import threading
import time

import pytest
from chronos_server import wait_until

COMMAND = {"kind": "command", "argv": ["true"]}


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 8 MB."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", disk]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("may not mount")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


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
