"""The crash audit: servers that die in every way of crashes.py under load; then the books must add up.

CHRONOS_CRASHES is the number of kills at random (200), CHRONOS_CALL_KILLS (100) that of deaths at the n-th system call, as
many tries as that takes; CHRONOS_CALL_ERRORS (110) that of errors at the n-th system call, CHRONOS_ALLOCATIONS (100) that
of allocations that fail, both reached or not. CHRONOS_WORKER_CRASHES (20) is that of kills of a server whose workers are
killed meanwhile, as many, and stopped, half as many. CHRONOS_SEED repeats the choice. CHRONOS_REPORT names a file that
gets a line for each.
"""
import json
import os
import random
import subprocess
import time

import crashes
import mill
import pytest
from chronos_server import Server
from load import Load

SEED = int(os.environ.get("CHRONOS_SEED", time.time_ns() % 10 ** 9))
REPORT = os.environ.get("CHRONOS_REPORT")
COUNTS = {"random": int(os.environ.get("CHRONOS_CRASHES", "200")),
          "call": int(os.environ.get("CHRONOS_CALL_KILLS", "100")),
          "error": int(os.environ.get("CHRONOS_CALL_ERRORS", "110")),
          "allocation": int(os.environ.get("CHRONOS_ALLOCATIONS", "100")),
          "worker": int(os.environ.get("CHRONOS_WORKER_CRASHES", "20"))}
CHOICES = {"random": crashes.random_kills, "call": crashes.call_kills, "error": crashes.call_errors,
           "allocation": crashes.allocation_failures, "worker": crashes.later_kills}
CALL_KILL_TRIES = 4  # for each that is to be reached


def may_trace():
    """Containers often forbid ptrace, which strace kills by."""
    return subprocess.run(["strace", "-o", os.devnull, "true"], check=False, capture_output=True).returncode == 0


traced = pytest.mark.skipif(not may_trace(), reason="this machine does not let strace trace a process")


class Crashed:
    """What is to be known after all the crashes of a kind."""

    def __init__(self, folder, kind):
        self.kind, dice = kind, random.Random(f"{SEED} {kind}")
        self.server = Server(folder, env={"CHRONOS_WORKERS_LEASE_TTL": f"{mill.LEASE}s"}).start()
        self.mill = mill.Mill(self.server, folder, SEED, COUNTS[kind] if kind == "worker" else 0)
        self.load, self.rig = Load(self.server, folder, SEED, self.mill), crashes.Rig(self.server, dice)
        try:
            self.load.start()
            self.server.kill()
            for crash in CHOICES[kind](dice, COUNTS[kind] * (CALL_KILL_TRIES if kind == "call" else 1)):
                if self.rig.reached() < COUNTS[kind]:
                    self.rig.suffer(crash)
            self.server.start()
            self.load.end()
            self.books = self.load.books()
            self.worker_books = self.load.worker_books(self.books)
            self.server.stop()
        finally:
            self.server.close()
            self.load.close()

    def summary(self):
        ends = [told["end"] for told in self.rig.told]
        return (f"{len(ends)} of {self.kind} (seed {SEED}), {self.rig.reached()} reached, "
                f"ends {({end: ends.count(end) for end in set(ends)})}; "
                f"{self.books.summary()}; {sum(s.unknown for s in self.load.submitters)} unknown answers, "
                f"{sum(s.replayed for s in self.load.submitters)} replayed; {self.worker_books.summary()}")


def audit(folder, kind, capsys):
    crashed = Crashed(folder, kind)
    with capsys.disabled():
        print(f"\ncrash audit: {crashed.summary()}")
    if REPORT:
        with open(REPORT, "a", encoding="utf-8") as report:
            told = crashed.rig.told + crashed.mill.told
            report.writelines(json.dumps({"seed": SEED, **one}) + "\n" for one in told)
    assert not crashed.books.findings()
    assert not crashed.worker_books.findings()
    assert not crashed.load.refused()
    return crashed


def test_crash_audit(tmp_path, capsys):
    audit(tmp_path, "random", capsys)


@traced
def test_death_at_the_nth_system_call(tmp_path, capsys):
    rig = audit(tmp_path, "call", capsys).rig
    assert rig.reached() >= COUNTS["call"]


@traced
def test_an_error_of_the_nth_system_call(tmp_path, capsys):
    """EIO and ENOSPC of the disk: the server ends with a word about it, or goes on; either way nothing is lost."""
    rig = audit(tmp_path, "error", capsys).rig
    assert rig.reached() >= COUNTS["error"] / 4


def test_the_nth_allocation_fails(tmp_path, capsys):
    """The server does without, or ends; it never goes on into the unknown."""
    rig = audit(tmp_path, "allocation", capsys).rig
    assert rig.reached() >= COUNTS["allocation"] / 4


def test_servers_and_their_workers_die(tmp_path, capsys):
    """Workers are killed in the middle of a run, or stopped until the server has given it up, and then go on."""
    books = audit(tmp_path, "worker", capsys).worker_books
    assert books.count("ok") > 0 and books.count("stale") >= COUNTS["worker"] / 2
