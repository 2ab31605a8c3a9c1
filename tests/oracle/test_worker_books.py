"""Each check of the workers' audit finds what it is there for: the books of a sound history, and of it with one fault."""
import pytest
from books import seconds_of
from worker_books import Began, Told, WorkerBooks, read_logs

START = seconds_of("2026-11-26T12:00:00Z")


def attempt(number, state, node, began, ended):
    return {"number": number, "state": state, "node": node, "started_at": f"2026-11-26T12:00:{began:06.3f}Z",
            "ended_at": f"2026-11-26T12:00:{ended:06.3f}Z"}


class History:
    """A run that is lost with its worker, which says so too late, and fails with another before it succeeds; and one whose
    outcome had to be sent twice."""

    def __init__(self):
        self.attempts = {"run1": [attempt(1, "lost", "one", 1, 2), attempt(2, "failed", "two", 3, 4),
                                  attempt(3, "succeeded", "two", 5, 6)],
                         "run2": [attempt(1, "succeeded", "two", 1, 2)]}
        self.began = [Began("one", "run1", 1, START + 1.1), Began("two", "run1", 2, START + 3.1),
                      Began("two", "run1", 3, START + 5.1), Began("two", "run2", 1, START + 1.1)]
        self.told = [Told("one", "run1", 1, "succeeded", "stale", 1), Told("two", "run1", 2, "failed", "ok", 1),
                     Told("two", "run1", 3, "succeeded", "ok", 1), Told("two", "run2", 1, "succeeded", "stale", 2)]

    def findings(self):
        return WorkerBooks(self.attempts, self.began, self.told).findings()

    def change(self, run, number, **other):
        self.attempts[run][number - 1].update(other)


FAULTS = [
    ("lost_outcomes", lambda h: h.attempts.pop("run1")),
    ("lost_outcomes", lambda h: h.change("run1", 3, state="lost")),
    ("lost_outcomes", lambda h: h.told.append(Told("one", "run1", 1, "succeeded", "ok", 1))),
    ("lost_outcomes", lambda h: h.told.append(Told("one", "run1", 3, "succeeded", "ok", 1))),  # another's
    ("stale_outcomes", lambda h: h.change("run1", 1, state="succeeded")),
    ("unknown_runs", lambda h: h.told.append(Told("one", "run3", 1, "succeeded", "unknown", 1))),
    ("unseen_outcomes", lambda h: h.began.pop()),
    ("begun_without_a_loss", lambda h: h.change("run1", 1, state="succeeded")),
    ("begun_without_a_loss", lambda h: h.change("run1", 2, ended_at="2026-11-26T12:00:05.500Z")),
    ("begun_without_a_loss", lambda h: h.attempts["run1"].pop(0)),
    ("begun_outside_the_attempt", lambda h: h.began.append(Began("one", "run1", 3, START + 5.2))),
    ("begun_outside_the_attempt", lambda h: h.began.append(Began("one", "run1", 1, START + 2.2))),
    ("begun_outside_the_attempt", lambda h: h.began.append(Began("one", "run1", 1, START + 0.9))),
    ("begun_outside_the_attempt", lambda h: h.began.append(Began("one", "run3", 1, START + 1.2))),
]


def test_a_sound_history_has_no_findings():
    assert not History().findings()


@pytest.mark.parametrize("check,plant", FAULTS)
def test_each_fault_is_found(check, plant):
    history = History()
    plant(history)
    assert check in history.findings()


def test_a_line_that_was_not_written_to_its_end_is_none(tmp_path):
    (tmp_path / "one").write_text("began run1 1 17.5\ntold run1 1 succeeded ok 2\nbegan run2 1 1")
    assert read_logs([tmp_path / "one", tmp_path / "not begun"]) == (
        [Began("one", "run1", 1, 17.5)], [Told("one", "run1", 1, "succeeded", "ok", 2)])
