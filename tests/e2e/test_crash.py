"""The crash audit: kill -9 at random times under load; then the books must add up.

CHRONOS_CRASHES is the number of kills (200), CHRONOS_SEED repeats the choice of their times.
"""
import collections
import datetime
import os
import pathlib
import random
import threading
import time

import pytest
from chronos_server import LINK_ERRORS, RUN_FINAL, Server, in_seconds, wait_until
from web_sink import WebSink

CRASHES = int(os.environ.get("CHRONOS_CRASHES", "200"))
SEED = int(os.environ.get("CHRONOS_SEED", time.time_ns() % 10 ** 9))
SUBMITTERS = 4
UNKNOWN = {409, 503}  # the fate is unknown: sent again with the same Idempotency-Key


def seconds_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class Submitter(threading.Thread):
    """Submits jobs one after the other and writes down what it was told about each."""

    def __init__(self, server, web, starts, number):
        super().__init__(daemon=True)
        self.server, self.web, self.starts, self.number = server, web, starts, number
        self.random = random.Random(SEED * 100 + number)
        self.acknowledged = {}  # name → id
        self.pending = None  # the name of a job whose fate is unknown
        self.unknown = 0
        self.replayed = 0
        self.refused = []
        self.ending = threading.Event()

    def run(self):
        count = 0
        while not self.ending.is_set():
            self.submit_surely(self.spec(f"job {self.number}-{count}"))
            count += 1
            self.ending.wait(self.random.uniform(0, 0.04))

    def spec(self, name):
        kind = self.random.random()
        spec = {"name": name, "max_attempts": 100, "retry": {"delay": "200ms", "backoff": "fixed"},
                "payload": name, "timeout": "20s", "action": self.web.action("/ok")}
        if kind < 0.15:
            script = f'echo "$CHRONOS_RUN_ID $CHRONOS_ATTEMPT $(date +%s.%N)" >>{self.starts}'
            spec["action"] = {"kind": "command", "argv": ["sh", "-c", script]}
        elif kind < 0.3:
            spec.update(on_lost="fail", max_attempts=1)
        if self.random.random() < 0.4:
            spec["scheduled_time"] = in_seconds(self.random.uniform(0, 2))
        return spec

    def submit_surely(self, spec):
        """Sends it until there is an answer; the same key makes the repetition harmless."""
        key = {"Idempotency-Key": spec["name"].replace(" ", "-")}
        self.pending = spec["name"]
        while True:
            answer = self.try_submit(spec, key)
            if answer and answer.status not in UNKNOWN:
                break
            self.unknown += 1
            time.sleep(0.01)
        self.pending = None
        if answer.status == 201:
            self.acknowledged[spec["name"]] = answer.body["id"]
            self.replayed += answer.headers.get("Idempotent-Replayed") == "true"
        else:
            self.refused.append((spec["name"], answer.status, answer.body))

    def try_submit(self, spec, key):
        try:
            return self.server.api("POST", "/api/submitJob", spec, headers=key, timeout=10)
        except LINK_ERRORS:
            return None


class Books:
    """What the server says at the end, next to what clients and targets saw."""

    def __init__(self, server, submitters, web, starts):
        self.jobs = list(server.pages("/api/jobs", "jobs"))
        self.runs = list(server.pages("/api/runs", "runs"))
        self.acknowledged = {}
        for submitter in submitters:
            self.acknowledged.update(submitter.acknowledged)
        self.starts = collections.defaultdict(list)  # run id → [(time, attempt)]
        for request in web.requests:
            self.starts[request["run"]].append((request["at"], int(request["attempt"])))
        for line in starts.read_text().splitlines():
            run, attempt, at = line.split()
            self.starts[run].append((float(at), int(attempt)))

    def lost_jobs(self):
        known = {job["id"]: job["name"] for job in self.jobs}
        return [name for name, id_ in self.acknowledged.items() if known.get(id_) != name]

    def duplicates(self):
        """Submissions that made more than one job."""
        return [item for item in count(job["name"] for job in self.jobs).items() if item[1] > 1]

    def unfinished(self):
        final = {run["job_id"] for run in self.runs if run["state"] in RUN_FINAL}
        open_runs = [run["id"] for run in self.runs if run["state"] not in RUN_FINAL]
        return open_runs + [job["id"] for job in self.jobs if job["id"] not in final]

    def runs_per_job_above_one(self):
        return [item for item in count(run["job_id"] for run in self.runs).items() if item[1] > 1]

    def started_after_success(self):
        """The server's times are rounded down to milliseconds."""
        return [(run["id"], run["ended_at"], self.starts[run["id"]]) for run in self.runs
                if run["state"] == "succeeded" and any(
                    at > seconds_of(run["ended_at"]) + 0.001 for at, _ in self.starts[run["id"]])]

    def succeeded_unseen(self):
        return [run["id"] for run in self.runs
                if run["state"] == "succeeded" and not self.starts[run["id"]]]

    def unexplained_starts(self):
        """An attempt that started twice, or a start that is no attempt of the run."""
        return [(run["id"], run["state"], run["attempts_made"], self.starts[run["id"]])
                for run in self.runs if not self.explained(run)]

    def explained(self, run):
        attempts = [attempt for _, attempt in self.starts[run["id"]]]
        return len(attempts) == len(set(attempts)) and all(
            attempt <= run["attempts_made"] for attempt in attempts)

    def early(self):
        return [run["id"] for run in self.runs if any(
            at < seconds_of(run["planned_at"]) for at, _ in self.starts[run["id"]])]

    def repeated_at_most_once(self):
        once = {job["id"] for job in self.jobs if job["on_lost"] == "fail"}
        return [run["id"] for run in self.runs
                if run["job_id"] in once and len(self.starts[run["id"]]) > 1]

    def strangers(self):
        return set(self.starts) - {run["id"] for run in self.runs}

    def summary(self):
        again = sum(len(starts) > 1 for starts in self.starts.values())
        return (f"{len(self.acknowledged)} jobs acknowledged, {len(self.jobs)} found; runs "
                f"{dict(count(run['state'] for run in self.runs))}; "
                f"{sum(map(len, self.starts.values()))} starts, {again} runs started more than once")


count = collections.Counter


class Crasher:
    def __init__(self, server):
        self.server = server
        self.random = random.Random(SEED)
        self.slowest = 0  # of the starts, in seconds
        self.refused = []  # starts that failed; each was tried again

    def crash_under_load(self):
        for _ in range(CRASHES):
            time.sleep(self.random.uniform(0.02, 0.25))
            code = self.server.process.poll()
            assert code is None, f"died by itself: {code}\n{self.server.log()}"
            self.server.kill()
            began = time.monotonic()
            self.start()
            self.slowest = max(self.slowest, time.monotonic() - began)

    def start(self):
        for _ in range(50):
            try:
                return self.server.start()
            except AssertionError:
                last = self.server.log().strip().splitlines()[-2:]
                self.refused.append((self.server.process.returncode, last, self.lock_holders()))
                time.sleep(0.1)
        raise AssertionError(f"does not start any more: {self.refused[-1]}")

    def lock_holders(self):
        """Who still has the data directory's lock open."""
        lock = str(self.server.data_dir / "lock")
        return [path.parent.parent.joinpath("cmdline").read_text().replace("\0", " ")
                for path in pathlib.Path("/proc").glob("[0-9]*/fd/*") if is_link_to(path, lock)]


def is_link_to(path, target):
    try:
        return os.readlink(path) == target
    except OSError:
        return False


def settle(server):
    """Until nothing is left to do."""
    def idle():
        return not any(server.get(f"/api/runs?state={state}&limit=1")["runs"]
                       for state in ("planned", "queued", "running", "retrying"))
    wait_until(idle, 90, "all runs final")


@pytest.fixture(scope="module")
def crashed(tmp_path_factory):
    """What is to be known after all the crashes: the crasher, the submitters, the books."""
    folder = tmp_path_factory.mktemp("crash")
    starts = folder / "starts"
    starts.touch()
    server, web = Server(folder).start(), WebSink()
    submitters = [Submitter(server, web, starts, number) for number in range(SUBMITTERS)]
    crasher = Crasher(server)
    try:
        for submitter in submitters:
            submitter.start()
        crasher.crash_under_load()
        end(submitters)
        settle(server)
        yield crasher, submitters, Books(server, submitters, web, starts)
        server.stop()
    finally:
        server.close()
        web.close()


def end(submitters):
    for submitter in submitters:
        submitter.ending.set()
    for submitter in submitters:
        submitter.join(30)
        assert not submitter.is_alive(), f"no answer about {submitter.pending}"


def test_crash_audit(crashed, capsys):
    crasher, submitters, books = crashed
    with capsys.disabled():
        print(f"\ncrash audit: {CRASHES} kills (seed {SEED}), {books.summary()}; "
              f"{sum(s.unknown for s in submitters)} unknown answers, "
              f"{sum(s.replayed for s in submitters)} replayed; "
              f"slowest start {crasher.slowest * 1000:.0f} ms")
    findings = {check: getattr(books, check)() for check in (
        "lost_jobs", "duplicates", "unfinished", "runs_per_job_above_one", "started_after_success",
        "succeeded_unseen", "unexplained_starts", "early", "repeated_at_most_once", "strangers")}
    wrong = {check: (len(found), list(found)[:5]) for check, found in findings.items() if found}
    assert not wrong


def test_no_submit_was_refused(crashed):
    _, submitters, _ = crashed
    assert not sum((submitter.refused for submitter in submitters), [])


def test_every_start_after_a_crash_succeeded(crashed):
    crasher, _, _ = crashed
    assert not crasher.refused, (len(crasher.refused), crasher.refused[:3])
