"""Remote workers that take part in the load, and what is done to them: killed in the middle of a run, or stopped until the
server has given their runs up and then continued.

What they began and what they were told stands in their files (mill_worker.py): tests/oracle/worker_books.py holds the
server's books against it.
"""
import pathlib
import random
import signal
import subprocess
import sys
import threading

from chronos_server import LINK_ERRORS, wait_until
from worker_books import read_logs

LEASE = 1  # second, the shortest that there is
WORKERS = 3
QUEUE = "mill"
PATIENCE = 60  # seconds, for whatever the server is to do between its deaths


class Worker:
    def __init__(self, server, folder, name):
        self.name, self.file = name, folder / name
        self.process = subprocess.Popen(
            [sys.executable, pathlib.Path(__file__).with_name("mill_worker.py"), server.folder / "server.out", server.key,
             name, QUEUE, str(LEASE), self.file])

    def under_way(self):
        """(run, attempt) of what it has begun and was told nothing about."""
        began, told = read_logs([self.file])
        return {(start.run, start.attempt) for start in began} - {(one.run, one.attempt) for one in told}

    def answers(self, attempt):
        return [one.answer for one in read_logs([self.file])[1] if (one.run, one.attempt) == attempt]

    def alive(self):
        return self.process.poll() is None

    def close(self):
        self.process.kill()
        self.process.wait()


class Mill:
    """`count` of its workers are killed, and half as many stopped, by a thread of its own."""

    def __init__(self, server, folder, seed, count):
        self.server, self.folder, self.count = server, folder / "mill", count
        self.random = random.Random(f"{seed} mill")
        self.folder.mkdir()
        self.workers, self.hired, self.is_over = [], 0, False
        self.told = []  # one for each kill and each stop
        self.failure = None
        self.thread = threading.Thread(target=self.torment, daemon=True)

    @staticmethod
    def job(dice):
        """What makes a job one of the workers'. Those that may begin once only have attempts left all the same, and time:
        while servers die sooner than a lease ends, it is not lost."""
        payload = {"seconds": dice.choice((0, 0.01, 0.05)), "failures": 0}
        job = {"queue": QUEUE, "action": {"kind": "worker"}, "payload": payload, "timeout": "10m"}
        if dice.random() < 0.4:
            return {**job, "on_lost": "fail"}
        payload["failures"] = int(dice.random() < 0.2)
        return job

    def start(self):
        for _ in range(WORKERS):
            self.hire()
        self.thread.start()

    def hire(self):
        if self.is_over:
            return
        self.workers.append(Worker(self.server, self.folder, f"worker-{self.hired}"))
        self.hired += 1

    def torment(self):
        try:
            for number in range(self.count):
                self.kill()
                if number % 2 == 0:
                    self.stop_beyond_the_lease()
        except Exception as failure:  # pylint: disable=broad-exception-caught
            self.failure = failure

    def busy(self):
        """A worker in the middle of a run."""
        workers = self.random.sample(self.workers, len(self.workers))
        return wait_until(lambda: next((worker for worker in workers if worker.under_way()), None), PATIENCE, "a run begun")

    def kill(self):
        worker = self.busy()
        assert worker.alive(), f"{worker.name} ended by itself: {worker.process.returncode}"
        worker.close()
        self.workers.remove(worker)
        self.note("WorkerKill", worker)
        self.hire()

    def stop_beyond_the_lease(self):
        """One that the server has lost a run of; with others it is tried again."""
        while True:
            worker = self.busy()
            worker.process.send_signal(signal.SIGSTOP)
            held = worker.under_way()  # perhaps it was told meanwhile
            wait_until(lambda: all(self.end_of(attempt) for attempt in held), PATIENCE, f"the end of {held}")
            lost = [attempt for attempt in held if self.end_of(attempt) == "lost"]
            worker.process.send_signal(signal.SIGCONT)
            for attempt in lost:
                answers = wait_until(lambda attempt=attempt: worker.answers(attempt), PATIENCE, "a late outcome")
                assert answers == ["stale"], (worker.name, attempt, answers)
            if lost:
                return self.note("WorkerStop", worker)

    def end_of(self, attempt):
        """What the server says that it came to, if it says anything."""
        run, number = attempt
        try:
            answer = self.server.api("GET", f"/api/runs/{run}")
        except LINK_ERRORS:
            return None
        if answer.status != 200:
            return None
        return next((one["state"] for one in answer.body.get("attempts", []) if one["number"] == number), None)

    def note(self, what, worker):
        self.told.append({"crash": what, "worker": worker.name, "was_reached": True})

    def end_torment(self):
        self.thread.join()
        if self.failure:
            raise self.failure
        for worker in self.workers:
            assert worker.alive(), f"{worker.name} ended by itself: {worker.process.returncode}"

    def logs(self):
        return read_logs(sorted(self.folder.iterdir()))

    def close(self):
        """Also those that are stopped."""
        self.is_over = True
        for worker in self.workers:
            worker.close()
