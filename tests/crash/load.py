"""What goes on while servers die: jobs that are submitted one after the other, recurring jobs, remote workers, and what
all of them saw.

Everything that a client was told and that a target saw is kept here, outside the server: tests/oracle/books.py holds
the server's own books against it.
"""
import datetime
import itertools
import random
import threading
import time

from books import Books, read_starts
from chronos_server import in_seconds, wait_until
from surely import surely
from web_sink import WebSink
from worker_books import WorkerBooks

SUBMITTERS = 4
RETRIES = {"max_attempts": 100, "retry": {"delay": "200ms", "backoff": "fixed"}, "timeout": "20s"}


class Submitter(threading.Thread):
    """Submits jobs one after the other and writes down what it was told about each."""

    def __init__(self, load, number):
        super().__init__(daemon=True)
        self.load, self.server, self.number = load, load.server, number
        self.random = random.Random(load.seed * 100 + number)
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
        spec = {"name": name, "payload": name, "action": self.load.web.action("/ok"), **RETRIES}
        if self.random.random() < 0.4:
            spec.update(self.load.mill.job(self.random))
        elif kind < 0.15:
            spec["action"] = self.load.command()
        elif kind < 0.3:
            spec.update(on_lost="fail", max_attempts=1)
        if self.random.random() < 0.4:
            spec["scheduled_time"] = in_seconds(self.random.uniform(0, 2))
        return spec

    def submit_surely(self, spec):
        """Sends it until there is an answer; the same key makes the repetition harmless."""
        self.pending = spec["name"]
        answer, before = surely(itertools.repeat(self.server), "POST", "/api/submitJob", spec,
                                spec["name"].replace(" ", "-"))
        self.unknown += len(before)
        self.pending = None
        if answer.status == 201:
            self.acknowledged[spec["name"]] = answer.body["id"]
            self.replayed += answer.headers.get("Idempotent-Replayed") == "true"
        else:
            self.refused.append((spec["name"], answer.status, answer.body))


class Load:
    def __init__(self, server, folder, seed, mill):
        self.server, self.seed, self.mill = server, seed, mill
        self.web, self.file = WebSink(), folder / "starts"
        self.file.touch()
        self.submitters = [Submitter(self, number) for number in range(SUBMITTERS)]
        self.recurring = {}  # id → (declaration, cancelled at)
        self.acknowledged = {}

    def command(self):
        script = f'echo "$CHRONOS_RUN_ID $CHRONOS_ATTEMPT $(date +%s.%N)" >>{self.file}'
        return {"kind": "command", "argv": ["sh", "-c", script]}

    def start(self):
        for number, schedule in enumerate(self.schedules()):
            job = {"name": f"recurring {number}", "action": self.web.action("/ok"), **RETRIES, **schedule}
            answer, _ = surely(itertools.repeat(self.server), "POST", "/api/submitJob", job, f"recurring-{number}")
            assert answer.status == 201, answer
            self.acknowledged[job["name"]] = answer.body["id"]
            self.recurring[answer.body["id"]] = schedule
        for submitter in self.submitters:
            submitter.start()
        self.mill.start()

    def schedules(self):
        now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        return [{"cron": "* * * * * *", "overlap": "allow", **self.mill.job(random.Random(self.seed))},
                {"cron": "* * * * * *", "overlap": "skip"},
                {"cron": ["*/3 * * * * *", "1 * * * * *"], "overlap": "queue_all",
                 "misfire": {"policy": "run_all", "grace": "1s"}},
                {"cron": "*/2 * * * * *", "timezone": "Asia/Kathmandu", "overlap": "allow",
                 "misfire": {"policy": "skip", "grace": "1s"}},
                {"every": "4s", "start_at": now.isoformat().replace("+00:00", "Z"), "overlap": "queue_one"}]

    def end(self):
        """Nobody dies or submits any more, nothing recurs, and everything is done."""
        self.mill.end_torment()
        for submitter in self.submitters:
            submitter.ending.set()
        for submitter in self.submitters:
            submitter.join(120)
            assert not submitter.is_alive() and submitter.pending is None, f"no answer about {submitter.pending}"
        cancelled = {}
        for id_, schedule in self.recurring.items():
            cancelled[id_] = schedule, time.time()
            answer = self.server.api("DELETE", f"/api/jobs/{id_}?running=keep")
            assert answer.status == 200, answer
        self.recurring = cancelled
        settle(self.server)

    def books(self):
        acknowledged = dict(self.acknowledged)
        for submitter in self.submitters:
            acknowledged.update(submitter.acknowledged)
        starts = read_starts(list(self.web.requests), self.file)
        for start in self.mill.logs()[0]:
            starts[start.run].append((start.at, start.attempt))
        return Books(self.server.pages("/api/jobs", "jobs"), self.server.pages("/api/runs", "runs"), acknowledged,
                     starts, self.recurring, self.server.get("/api/overview"))

    def worker_books(self, books):
        jobs = {job["id"] for job in books.jobs if job["action"]["kind"] == "worker"}
        runs = [run["id"] for run in books.runs if run["job_id"] in jobs and run["attempts_made"]]
        return WorkerBooks({run: self.server.get(f"/api/runs/{run}").get("attempts", []) for run in runs}, *self.mill.logs())

    def refused(self):
        return sum((submitter.refused for submitter in self.submitters), [])

    def close(self):
        self.web.close()
        self.mill.close()


def settle(server):
    """Until nothing is left to do. One request asks: what is tried again goes back to where another had looked before."""
    unfinished = "/api/runs?state=planned,queued,running,retrying&limit=1"
    wait_until(lambda: not server.get(unfinished)["runs"], 90, "all runs final")
