"""The audit of remote workers: what they wrote down themselves, next to their attempts as the server tells them.

A rig gives a WorkerBooks the attempts (run id → as GET /api/runs/ID lists them), the starts and what the workers were
told about their outcomes. A worker's name is never used twice, and it begins a run only while the lease is its own for
sure. findings() names what does not add up. Jobs, runs and starts as such are for books.py.
"""
import collections

from books import ROUNDING, seconds_of

Began = collections.namedtuple("Began", "worker run attempt at")
Told = collections.namedtuple("Told", "worker run attempt outcome answer count")  # the outcome was sent so many times

REPEATED = {"lost", "failed"}  # after these a run may begin again


class WorkerBooks:
    def __init__(self, attempts, began, told):
        self.attempts = {(run, one["number"]): one for run, ones in attempts.items() for one in ones}
        self.began, self.told = list(began), list(told)

    def findings(self):
        checks = (self.lost_outcomes, self.stale_outcomes, self.unknown_runs, self.unseen_outcomes,
                  self.begun_without_a_loss, self.begun_outside_the_attempt)
        found = {check.__name__: check() for check in checks}
        return {check: (len(items), items[:5]) for check, items in found.items() if items}

    def is_recorded(self, told):
        """As the outcome of this very worker."""
        attempt = self.attempts.get((told.run, told.attempt))
        return attempt is not None and (attempt["node"], attempt["state"]) == (told.worker, told.outcome)

    def lost_outcomes(self):
        """Told that it is stored, and it is not."""
        return [told for told in self.told if told.answer == "ok" and not self.is_recorded(told)]

    def stale_outcomes(self):
        """Told that it changed nothing, and it did; one that was sent before may have been stored then."""
        return [told for told in self.told if told.answer == "stale" and told.count == 1 and self.is_recorded(told)]

    def unknown_runs(self):
        return [told for told in self.told if told.answer not in ("ok", "stale")]

    def unseen_outcomes(self):
        """Of attempts that the worker they are said to be of has not begun."""
        begun = {(start.run, start.attempt, start.worker) for start in self.began}
        return [(run, attempt) for (run, number), attempt in self.attempts.items()
                if attempt["state"] in ("succeeded", "failed") and (run, number, attempt["node"]) not in begun]

    def begun_without_a_loss(self):
        """Begun again although no attempt before it had been lost or had failed."""
        return [start for start in self.began
                if not all(self.may_follow(start, number) for number in range(1, start.attempt))]

    def may_follow(self, start, number):
        before = self.attempts.get((start.run, number))
        return before is not None and before["state"] in REPEATED and seconds_of(before["ended_at"]) <= start.at + ROUNDING

    def begun_outside_the_attempt(self):
        """By a worker that did not hold it, or not then."""
        return [start for start in self.began if not self.is_within(start)]

    def is_within(self, start):
        attempt = self.attempts.get((start.run, start.attempt))
        return (attempt is not None and attempt["node"] == start.worker
                and seconds_of(attempt["started_at"]) <= start.at + ROUNDING
                and start.at <= seconds_of(attempt["ended_at"]) + ROUNDING)

    def count(self, answer):
        return sum(told.answer == answer for told in self.told)

    def summary(self):
        states = collections.Counter(attempt["state"] for attempt in self.attempts.values())
        return (f"{len(self.began)} starts by workers, {self.count('ok')} outcomes acknowledged, "
                f"{self.count('stale')} stale; attempts {dict(states)}")


def read_logs(files):
    """The starts, and what was told. A line is whole or its writer was killed before its end."""
    began, told = [], []
    for file in files:
        for line in file.read_text().split("\n")[:-1] if file.exists() else []:
            word, run, attempt, *rest = line.split()
            if word == "began":
                began.append(Began(file.name, run, int(attempt), float(rest[0])))
            else:
                told.append(Told(file.name, run, int(attempt), rest[0], rest[1], int(rest[2])))
    return began, told
