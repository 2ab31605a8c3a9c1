"""A remote worker that may be killed or stopped at any instant, and writes down what it did.

Usage: mill_worker.py SERVER-OUT KEY NAME QUEUE LEASE FILE. SERVER-OUT is where the server says what it listens on, LEASE
how many seconds a lease is good for. A run's payload {"seconds": 0.01, "failures": 1} says how long it takes and how many
of its attempts fail. Each line of FILE is on the disk before anything follows it:

    began RUN ATTEMPT TIME
    told RUN ATTEMPT OUTCOME ANSWER COUNT     what the server answered to the outcome, which was sent so many times

It claims and settles in batches. What it has claimed it begins only while it is leased to it for sure; the rest it hands
back. SIGTERM ends it between two batches; without its server it ends when whoever started it is gone.
"""
import http.client
import json
import os
import pathlib
import signal
import sys
import threading
import time

OUT, KEY, NAME, QUEUE, LEASE, FILE = sys.argv[1:]
BATCH = 8
SURE = float(LEASE) * 2 / 3  # so long after a request nobody else has what is held
HEARTBEAT = float(LEASE) / 3
log = os.open(FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_DSYNC, 0o600)
wants_end = threading.Event()
parent = os.getppid()


def write(*lines):
    os.write(log, "".join(line + "\n" for line in lines).encode())


def post(path, body):
    """None when nobody answers, or nobody who knows what becomes of it."""
    address = pathlib.Path(OUT).read_text().partition("http://")[2].partition("\n")[0].split()
    link = http.client.HTTPConnection(address[0] if address else "127.0.0.1:9", timeout=10)
    try:
        link.request("POST", f"/api/workers/{path}", json.dumps(body),
                     {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"})
        response = link.getresponse()
        answer = json.loads(response.read())
    except (OSError, http.client.HTTPException):
        return nothing()
    finally:
        link.close()
    if response.status in (503, 507):
        return nothing()
    if response.status != 200:
        sys.exit(f"{response.status} {answer}")
    return answer


def nothing():
    if os.getppid() != parent:
        sys.exit()
    time.sleep(0.02)


class Worker:
    def __init__(self):
        self.id = None
        self.is_unsure = False  # an answer was lost that may have brought runs
        self.leased_at = 0.0  # what is held is leased from then on at least

    def claim(self):
        """When nothing is held. Waits for less than what is left of a lease then."""
        body = {"worker_id": self.id} if self.id else {"worker": NAME, "queues": [QUEUE]}
        body["max"] = BATCH
        if self.is_unsure and self.id:
            body["holding"] = []
        else:
            body["wait"] = "100ms"
        self.leased_at = time.monotonic()
        answer = post("claim", body)
        self.is_unsure = answer is None
        if answer is None:
            return []
        self.id = answer["worker_id"]
        return answer["runs"]

    def settle(self, ended, released=(), claims=False):
        """Repeats it until it is answered; the runs that came with the answer."""
        body = {"worker_id": self.id, "release": [lease_of(run) for run in released],
                "outcomes": [{**lease_of(run), "outcome": outcome} for run, outcome in ended]}
        answer, count = None, 0
        while answer is None:
            if claims and not self.is_unsure:
                body["claim"] = {"max": BATCH}
            else:
                body.pop("claim", None)
            sent_at, count = time.monotonic(), count + 1
            answer = post("settle", body)
            self.is_unsure = self.is_unsure or (answer is None and "claim" in body)
        if claims or sent_at - self.leased_at < SURE:  # else what is still held may have been lost before it was sent
            self.leased_at = sent_at
        write(*(f"told {run['id']} {run['attempt']} {outcome} {told} {count}"
                for (run, outcome), told in zip(ended, answer["outcomes"])))
        return answer["runs"]

    def begins(self, run):
        """The time is taken first: wherever the process is stopped, the run was its own then."""
        at = time.time()
        if time.monotonic() - self.leased_at >= SURE:
            return False
        write(f"began {run['id']} {run['attempt']} {at}")
        return True

    def work(self, runs):
        """Whatever came, and what came with the answer about it."""
        ended, released = [], []
        for run in runs:
            if not self.begins(run):
                released.append(run)
                continue
            time.sleep(run["payload"]["seconds"])
            ended.append((run, "failed" if run["attempt"] <= run["payload"]["failures"] else "succeeded"))
            if HEARTBEAT < time.monotonic() - self.leased_at < SURE:
                self.settle(ended)
                ended = []
        return self.settle(ended, released, claims=not wants_end.is_set())


def lease_of(run):
    return {"run": run["id"], "token": run["token"]}


def main():
    signal.signal(signal.SIGTERM, lambda *_: wants_end.set())
    worker, runs = Worker(), []
    while runs or not wants_end.is_set():
        runs = worker.work(runs) if runs else worker.claim()


main()
