"""Each check of the audit finds what it is there for: the books of a sound history, and of the same with one thing wrong."""
import copy
import datetime

import books
import pytest

START = int(books.seconds_of("2026-11-26T12:00:00Z"))


def iso(seconds):
    at = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def run(number, job, at, **other):
    return {"id": f"run{number}", "job_id": job, "state": "succeeded", "trigger": "schedule", "planned_at": iso(at),
            "planned_until": None, "count": 1, "ended_at": iso(at + 1), "attempts_made": 1, **other}


class History:
    """A one-time job that ran at its second attempt, one that may run once only, and a job of every second for five."""

    def __init__(self):
        common = {"created_at": iso(START - 0.5), "cron": None, "every": None, "on_lost": "retry"}
        self.jobs = [{**common, "id": "once", "name": "once"}, {**common, "id": "fragile", "name": "fragile",
                                                                 "on_lost": "fail"},
                     {**common, "id": "tick", "name": "tick", "cron": "* * * * * *"}]
        self.runs = [run(1, "once", START, attempts_made=2), run(2, "fragile", START)]
        self.runs += [run(10 + second, "tick", START + second) for second in (0, 1)]
        self.runs.append(run(12, "tick", START + 2, planned_until=iso(START + 3), count=2, state="missed"))
        self.runs.append(run(14, "tick", START + 4))
        self.acknowledged = {"once": "once", "fragile": "fragile", "tick": "tick"}
        self.starts = {"run1": [(START + 0.1, 1), (START + 0.5, 2)], "run2": [(START + 0.1, 1)]}
        self.starts.update({f"run{10 + second}": [(START + second + 0.1, 1)] for second in (0, 1, 4)})
        self.recurring = {"tick": ({"cron": "* * * * * *"}, START + 4.9)}
        self.attempts = {"run1": [{"number": 1, "state": "lost", "ended_at": iso(START + 0.4)},
                                  {"number": 2, "state": "succeeded", "ended_at": iso(START + 1)}]}
        self.met_within = None
        self.overview = {"jobs": {"total": 3}, "queued": 0, "running": 0, "retrying": 0,
                         "last": {**dict.fromkeys(books.FINAL, 0), "succeeded": 5, "missed": 2}}

    def findings(self):
        return books.Books(self.jobs, self.runs, self.acknowledged, copy.deepcopy(self.starts), self.recurring,
                           self.overview, self.attempts, self.met_within).findings()


def of(history, number):
    return next(run for run in history.runs if run["id"] == f"run{number}")


FAULTS = {
    "lost_jobs": lambda h: h.acknowledged.update(gone="gone"),
    "duplicates": lambda h: h.jobs.append({**h.jobs[0], "id": "twin"}),
    "unfinished": lambda h: of(h, 1).update(state="running"),
    "one_time_jobs_run_again": lambda h: h.runs.append(run(3, "once", START)),
    "started_after_success": lambda h: h.starts["run1"].append((START + 2, 3)),
    "succeeded_unseen": lambda h: h.starts.pop("run2"),
    "unexplained_starts": lambda h: h.starts["run1"].append((START + 0.6, 2)),
    "early": lambda h: h.starts["run11"].insert(0, (START + 0.9, 1)),
    "repeated_at_most_once": lambda h: h.starts["run2"].append((START + 0.2, 2)),
    "strangers": lambda h: h.starts.update(run99=[(START, 1)]),
    "wrong_ledgers": lambda h: h.runs.remove(of(h, 11)),
    "wrong_totals": lambda h: h.overview.update(running=1),
    "wrong_attempts": lambda h: h.attempts["run1"].pop(0),
    "two_at_once": lambda h: h.attempts["run1"][0].update(ended_at=iso(START + 0.6)),
    "unmet": lambda h: setattr(h, "met_within", 1),  # the two that were missed
}


def test_a_sound_history_has_no_findings():
    assert not History().findings()


@pytest.mark.parametrize("check", FAULTS)
def test_each_fault_is_found(check):
    history = History()
    FAULTS[check](history)
    assert check in history.findings()


@pytest.mark.parametrize("fault", [
    lambda h: h.runs.append(run(15, "tick", START + 4)),  # twice
    lambda h: h.runs.append(run(15, "tick", START + 1.5)),  # no instant
    lambda h: of(h, 12).update(count=3),  # miscounted
    lambda h: of(h, 12).update(planned_until=iso(START + 4)),  # over another's
])
def test_each_fault_of_a_ledger_is_found(fault):
    history = History()
    fault(history)
    assert "wrong_ledgers" in history.findings()


@pytest.mark.parametrize("fault", [
    lambda attempts: attempts.append({**attempts[1], "number": 3}),  # more than were made
    lambda attempts: attempts[0].update(state="succeeded"),  # and tried again
    lambda attempts: attempts[1].update(state="lost"),  # of a run that succeeded
])
def test_each_fault_of_attempts_is_found(fault):
    history = History()
    fault(history.attempts["run1"])
    assert "wrong_attempts" in history.findings()


def test_an_instant_must_be_met_in_time():
    history = History()
    history.met_within = 1
    history.runs.remove(of(history, 12))
    assert "unmet" not in history.findings()
    history.starts["run11"] = [(START + 2.1, 1)]
    assert history.findings()["unmet"] == (1, ["run11"])


def test_a_schedule_makes_as_many_runs_as_it_may():
    history = History()
    once_a_second = {"every": "1s", "start_at": iso(START), "max_runs": 3}
    history.jobs[2].update(cron=None, every="1s")
    history.recurring = {"tick": (once_a_second, START + 100)}
    assert not history.findings()
    once_a_second["max_runs"] = 2
    assert "wrong_ledgers" in history.findings()
    once_a_second["max_runs"] = 4
    assert "wrong_ledgers" in history.findings()
