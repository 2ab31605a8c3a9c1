"""The ways in which a server dies here, one after the other on one data directory, while a load goes on.

A crash is a plain value; Rig.suffer() starts a server, lets the crash happen and tells what was seen. What became of
the data is for the audit (tests/oracle/books.py) and for the look at the database that follows each death.
"""
import dataclasses
import pathlib
import shutil
import signal
import sqlite3
import time

from chronos_server import BINARY

# Where SQLite, the server and its commands meet the kernel. The n-th call is counted for each thread of its own.
CALLS = {"fdatasync": 30, "pwrite64": 200, "write": 50, "openat": 80, "ftruncate": 1, "sendto": 40, "clone3": 7, "fcntl": 160,
         "close": 80, "pread64": 200, "timerfd_settime": 30, "epoll_wait": 60, "accept4": 5,
         "recvfrom": 60}  # and up to which n it is reached within a second or two
# What a disk may answer, and where: only of the files of the database.
ERRORS = (("fdatasync", "EIO"), ("pwrite64", "EIO"), ("pwrite64", "ENOSPC"), ("fdatasync", "ENOSPC"),
          ("pread64", "EIO"), ("ftruncate", "EIO"), ("fdatasync", "EIO"), ("pwrite64", "EIO"))
PATIENCE = 2  # seconds until a call counts as not reached


@dataclasses.dataclass(frozen=True)
class RandomKill:
    """kill -9 after a while."""
    after: float

    def prefix(self, folder, data_dir):
        return []


@dataclasses.dataclass(frozen=True)
class CallKill:
    """SIGKILL as the n-th such call of a thread begins."""
    call: str
    n: int

    def prefix(self, folder, data_dir):
        return strace(folder, self.call, f"signal=KILL:when={self.n}")


@dataclasses.dataclass(frozen=True)
class CallError:
    """The n-th such call on the database, of a thread, fails and does nothing."""
    call: str
    error: str
    n: int

    def prefix(self, folder, data_dir):
        files = [data_dir / f"chronos.db{suffix}" for suffix in ("", "-wal", "-shm")]
        only = [word for file in files for word in ("-P", file)]
        return strace(folder, self.call, f"error={self.error}:when={self.n}", only)


@dataclasses.dataclass(frozen=True)
class AllocationFailure:
    """The n-th allocation of the process comes to nothing (failing_malloc.cc)."""
    n: int

    def prefix(self, folder, data_dir):
        return ["env", f"LD_PRELOAD={BINARY.parent / 'libfailing_malloc.so'}", f"CHRONOS_FAIL_MALLOC={self.n}",
                f"CHRONOS_FAIL_MARK={folder / 'trace'}"]


def strace(folder, call, injection, only=()):
    """-D: the server stays our child, so that its end is ours to see."""
    return ["strace", "-D", "-f", "-o", folder / "trace", *only, "-e", f"trace={call}",
            "-e", f"inject={call}:{injection}"]


class Rig:
    def __init__(self, server, dice):
        self.server, self.dice = server, dice
        self.told = []  # one for each crash

    def suffer(self, crash):
        (self.server.folder / "trace").unlink(missing_ok=True)
        self.server.prefix = crash.prefix(self.server.folder, self.server.data_dir)
        began = time.monotonic()
        try:
            self.server.start()
            end = self.wait_for_the_end(crash)
        except AssertionError:
            if self.server.alive():
                raise
            end = "at start"
        code = self.server.process.wait()
        self.server.prefix = []
        look_at(self.server)
        self.told.append({**dataclasses.asdict(crash), "crash": type(crash).__name__, "end": end, "code": code,
                          "was_reached": end != "went on" or "INJECTED" in self.trace(),
                          "seconds": round(time.monotonic() - began, 2)})
        self.check(crash, end, code)

    def wait_for_the_end(self, crash):
        if isinstance(crash, RandomKill):
            time.sleep(crash.after)
            assert self.server.alive(), f"died by itself\n{self.server.log()}"
            self.server.kill()
            return "killed"
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if not self.server.alive():
                return "at work"
            time.sleep(0.005)
        self.server.kill()
        return "went on"

    def check(self, crash, end, code):
        """Killed, or ended by itself with a word about it; nothing else."""
        if code == -signal.SIGKILL:
            return
        if isinstance(crash, AllocationFailure):  # never on into undefined behaviour
            assert code == -signal.SIGABRT or code > 0, (crash, end, code, self.server.log())
            return
        assert isinstance(crash, CallError) and code > 0, (crash, end, code, self.server.log())
        assert "error" in self.server.log(), (crash, code, self.server.log())

    def trace(self):
        file = self.server.folder / "trace"
        return file.read_text(errors="replace") if file.exists() else ""

    def reached(self):
        return sum(told["was_reached"] for told in self.told)


def look_at(server):
    """What is on the disk is a whole database; looked at in a copy, so that the server recovers its own."""
    copy = server.folder / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    for file in server.data_dir.glob("chronos.db*"):
        if not file.name.endswith("-shm"):
            shutil.copy(file, copy)
    if not pathlib.Path(copy / "chronos.db").exists():
        return
    database = sqlite3.connect(copy / "chronos.db")
    try:
        assert database.execute("PRAGMA quick_check").fetchall() == [("ok",)], server.folder
    finally:
        database.close()


def random_kills(dice, count):
    return [RandomKill(round(dice.uniform(0.02, 0.25), 3)) for _ in range(count)]


def later_kills(dice, count):
    """So that leases of a second end in between."""
    return [RandomKill(round(dice.uniform(0.05, 2.5), 3)) for _ in range(count)]


def nth(dice, call):
    """Early ones are likelier, for a start is full of them."""
    return 1 + int(CALLS[call] * dice.random() ** 2)


def call_kills(dice, count):
    calls = [list(CALLS)[i % len(CALLS)] for i in range(count)]
    return [CallKill(call, nth(dice, call)) for call in calls]


def allocation_failures(dice, count, most=200_000):
    """As many among the first hundred as among the next nine hundred, and so on."""
    return [AllocationFailure(int(most ** dice.random())) for _ in range(count)]


def call_errors(dice, count):
    chosen = [ERRORS[i % len(ERRORS)] for i in range(count)]
    return [CallError(call, error, nth(dice, call)) for call, error in chosen]
