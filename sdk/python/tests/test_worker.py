"""The client and the worker against a real server: work, failure, cancel, and workers that are killed,
paused and drained."""
import signal
import threading
import time

import pytest
from conftest import LossyWay, until

from chronos_scheduler import ChronosError, Client, RetryLater
from chronos_scheduler.worker import Worker


def ended(client, job):
    def status():
        now = client.get_job(job["id"])["status"]
        return now in ("succeeded", "failed", "cancelled") and now
    return until(status, "the end of the job")


def last_run(client, job):
    return client.get_run(client.list_runs(job["id"])[0]["id"])


def outcomes(client, job):
    return [attempt["state"] for attempt in last_run(client, job)["attempts"]]


def test_a_job_is_worked_on(client):
    seen = []

    def handle(run):
        run.log("a line")
        run.progress(50, "half")
        seen.append((run.payload, run.metadata))
        return {"doubled": run.payload["number"] * 2}
    with client.worker("basic", handle):
        job = client.submit("basic", {"number": 21}, metadata={"who": "me"})
        assert job["name"] == "basic"
        assert ended(client, job) == "succeeded"
    assert seen == [({"number": 21}, {"who": "me"})]


def test_many_jobs_are_done_once_each(client):
    count, seen, lock = 1000, [], threading.Lock()

    def handle(run):
        with lock:
            seen.append(run.payload)
    jobs = client.submit_many([{"queue": "many", "payload": number} for number in range(count)])
    assert sum("id" in job for job in jobs) == count
    with client.worker("many", handle, concurrency=50):
        until(lambda: len(seen) >= count, "all of them")
    assert sorted(seen) == list(range(count))


def test_a_handler_that_raises_fails_the_attempt(client):
    attempts = []

    def handle(run):
        attempts.append(run.attempt)
        if run.attempt == 1:
            raise ValueError("the first")
        if run.attempt == 2:
            raise RetryLater(0.2)
    with client.worker("failing", handle):
        job = client.submit("failing", max_attempts=3, retry={"delay": "50ms", "jitter": "none"})
        assert ended(client, job) == "succeeded"
    assert attempts == [1, 2, 3]
    assert last_run(client, job)["attempts"][0]["error"] == "the first"


def test_an_outcome_that_the_server_refuses_spoils_no_other(client):
    begun = threading.Barrier(3)

    def handle(run):
        begun.wait(20)
        if run.payload == "bad":
            raise RetryLater(-1)
    with client.worker("refused", handle):
        jobs = [client.submit("refused", payload, max_attempts=1) for payload in ("good", "bad", "good")]
        assert [ended(client, job) for job in jobs] == ["succeeded", "failed", "succeeded"]
    assert "refused" in last_run(client, jobs[1])["attempts"][0]["error"]


def test_a_cancel_reaches_a_run_under_way(client):
    began = threading.Event()

    def handle(run):
        began.set()
        assert run.wait_cancelled(20)
        raise RuntimeError("stopped")
    with client.worker("cancelled", handle):
        job = client.submit("cancelled")
        assert began.wait(20)
        client.cancel(job["id"])
        assert ended(client, job) == "cancelled"


def test_a_worker_that_is_killed_loses_its_run_to_another(server, client):
    first = server.worker("killed", "hang")
    job = client.submit("killed", retry={"delay": "50ms", "jitter": "none"})
    until(lambda: "begin" in first.log(), "the first attempt")
    first.kill()
    first.wait()
    with client.worker("killed", lambda run: None):
        assert ended(client, job) == "succeeded"
    assert outcomes(client, job) == ["lost", "succeeded"]


def test_a_worker_that_is_paused_beyond_its_lease_changes_nothing(server, client):
    first = server.worker("paused", "slow")
    job = client.submit("paused", retry={"delay": "50ms", "jitter": "none"})
    until(lambda: "begin" in first.log(), "the first attempt")
    first.send_signal(signal.SIGSTOP)
    with client.worker("paused", lambda run: None):
        assert ended(client, job) == "succeeded"
    first.send_signal(signal.SIGCONT)
    until(lambda: "stale" in first.log(), "the answer to the late outcome")
    first.terminate()
    assert first.wait(20) == 0
    assert outcomes(client, job) == ["lost", "succeeded"]
    assert client.get_job(job["id"])["counts"]["succeeded"] == 1


def test_a_worker_that_is_drained_ends_what_runs_and_leaves_the_rest(server, client):
    worker = server.worker("drained", "slow", 2)
    jobs = client.submit_many([{"queue": "drained"} for _ in range(10)])
    until(lambda: worker.log().count("begin") >= 2, "two runs under way")
    worker.terminate()
    assert worker.wait(20) == 0
    begun = worker.log().count("begin")
    assert worker.log().count("end") == begun and "drained" in worker.log()
    states = [client.get_job(job["id"])["status"] for job in jobs]
    assert states.count("succeeded") == begun
    assert states.count("scheduled") == len(jobs) - begun


def test_a_worker_that_has_stopped_takes_nothing_more(client):
    worker = client.worker("left", lambda run: None)
    assert ended(client, client.submit("left")) == "succeeded"  # and the next claim waits
    worker.stop()
    job = client.submit("left", on_lost="fail")
    with client.worker("left", lambda run: None):
        assert ended(client, job) == "succeeded"


LEASED = {"id": "run_1", "job_id": "job_1", "name": "a", "queue": "q", "payload": None, "attempt": 1,
          "max_attempts": 1, "planned_at": "", "deadline": "", "token": 7}


class LateTransport:
    """A server that answers a claim with a run when the worker stops already."""

    def __init__(self):
        self.settlements = []

    def call(self, method, path, body, stop, **_):
        sent = body()
        if path.endswith("/claim"):
            assert stop.wait(20)
            return {"worker_id": "wrk_1", "runs": [LEASED]}
        self.settlements.append(sent)
        return {}


def test_a_run_that_comes_while_the_worker_stops_is_handed_back():
    transport, begun = LateTransport(), []
    Worker(transport, ["q"], begun.append).stop()
    assert [sent["release"] for sent in transport.settlements] == [[{"run": "run_1", "token": 7}]]
    assert not begun


def test_what_on_event_raises_changes_nothing(client, caplog):
    def handle(run):
        if run.payload == "bad":
            raise ValueError("the work")

    def tell(kind, run, error):
        raise KeyError(kind)
    with client.worker("listened", handle, on_event=tell):
        good = client.submit("listened", "good", max_attempts=1)
        assert ended(client, good) == "succeeded"
        bad = client.submit("listened", "bad", max_attempts=1)
        assert ended(client, bad) == "failed"
    assert last_run(client, bad)["attempts"][0]["error"] == "the work"
    assert [record.getMessage() for record in caplog.records] == [
        "on_event raised, told of 'completed'", "on_event raised, told of 'failed'"]


class ForgetfulTransport:
    """A server that does not know the worker any more, and does not answer its next claim."""

    def __init__(self):
        self.runs = [LEASED]

    def call(self, method, path, body, stop, **_):
        body()
        if path.endswith("/settle"):
            raise ChronosError("no such worker", 404, "not_found")
        if not self.runs:
            stop.wait(20)
            raise ChronosError("it cannot be reached")
        return {"worker_id": "wrk_1", "heartbeat": "10ms", "runs": [self.runs.pop()]}


def test_a_worker_that_is_not_known_any_more_can_stop():
    told = []
    worker = Worker(ForgetfulTransport(), ["q"], lambda run: told.append(run.wait_cancelled(20)))
    until(lambda: told, "the end of the run")
    stopping = threading.Thread(target=worker.stop, daemon=True)
    stopping.start()
    stopping.join(20)
    assert not stopping.is_alive()
    assert told == [True]


def stop_while_running(client, queue, handler, on_event=None, **members):
    """Stops a worker that does not wait, while it runs `handler` for a job with such members."""
    began = threading.Event()

    def handle(run):
        began.set()
        return handler(run)
    worker = client.worker(queue, handle, on_event=on_event)
    job = client.submit(queue, **members)
    assert began.wait(20)
    worker.stop(timeout=0)
    return job


def test_what_a_handler_comes_to_after_the_worker_began_to_stop_is_stored(client):
    job = stop_while_running(client, "late", lambda run: run.wait_cancelled(20))
    assert client.get_job(job["id"])["status"] == "succeeded"
    assert outcomes(client, job) == ["succeeded"]


def test_a_run_whose_handler_never_ends_is_lost_when_the_worker_stops(client):
    end, events = threading.Event(), []
    job = stop_while_running(client, "endless", lambda run: end.wait(),
                             lambda kind, run, error: events.append(kind), on_lost="fail")
    assert client.get_job(job["id"])["status"] == "failed"
    attempts = last_run(client, job)["attempts"]
    assert [(attempt["state"], attempt["reason"]) for attempt in attempts] == [("lost", "shutdown")]
    assert events == ["failed"]
    end.set()
    until(lambda: len(events) == 2, "the end of the handler")
    assert events[1] == "stale"


def test_a_handler_that_heeds_the_stop_loses_an_attempt_and_the_run_is_repeated(client):
    def handle(run):
        if run.wait_cancelled(20):
            raise RuntimeError("stopped")
    job = stop_while_running(client, "heeding", handle, retry={"delay": "50ms", "jitter": "none"})
    with client.worker("heeding", lambda run: None):
        assert ended(client, job) == "succeeded"
    assert outcomes(client, job) == ["lost", "succeeded"]


def test_a_process_ends_although_a_handler_does_not(server, client):
    worker = server.worker("stuck", "hang")
    client.submit("stuck", on_lost="fail")
    until(lambda: "begin" in worker.log(), "the attempt")
    worker.terminate()
    assert worker.wait(20) == 0
    assert "drained" in worker.log()


def test_a_worker_that_hears_nothing_for_its_lease_tells_its_runs_so(server, client):
    began, told = threading.Event(), threading.Event()

    def handle(run):
        began.set()
        assert run.wait_cancelled(60)
        told.set()
        raise RuntimeError("stopped")
    with client.worker("silent", handle):
        job = client.submit("silent", on_lost="fail")
        assert began.wait(20)
        server.process.send_signal(signal.SIGSTOP)
        try:
            assert told.wait(20)
        finally:
            server.process.send_signal(signal.SIGCONT)
        assert ended(client, job) == "failed"
    assert outcomes(client, job) == ["lost"]


class SlowTransport:
    """A server that answers the first claim when a whole lease has passed."""

    def __init__(self):
        self.runs = [LEASED]

    def call(self, method, path, body, stop, **_):
        body()
        if path.endswith("/settle"):
            return {}
        runs, self.runs = self.runs, []
        stop.wait(1.2 if runs else 20)
        return {"worker_id": "wrk_1", "lease_ttl": "1s", "runs": runs}


def test_the_lease_of_a_run_that_was_waited_for_begins_when_it_comes():
    cancelled = []

    def handle(run):
        cancelled.append(run.wait_cancelled(0.5))
    worker = Worker(SlowTransport(), ["q"], handle)
    until(lambda: cancelled, "the run")
    worker.stop()
    assert cancelled == [False]


def test_a_server_that_comes_back_goes_on_with_the_same_worker(server, client):
    done, lock = set(), threading.Lock()

    def handle(run):
        time.sleep(0.05)
        with lock:
            done.add(run.payload)
    with client.worker("restarted", handle):
        client.submit_many([{"queue": "restarted", "payload": number} for number in range(100)])
        until(lambda: len(done) > 10, "some of them")
        server.restart()
        until(lambda: len(done) == 100, "all of them")


def test_a_run_whose_claim_was_answered_in_vain_is_claimed_again(server, client):
    answers = []

    def loses(part):
        if b'"runs":[{' in part:
            answers.append(part)
        return b'"runs":[{' in part and len(answers) == 1
    way = LossyWay(server.url, loses)
    with Client(way.url, server.key).worker("vain", lambda run: run.attempt) as worker:
        until(lambda: worker.id, "the first answer")
        job = client.submit("vain", timeout="1h")
        assert ended(client, job) == "succeeded"
    way.close()
    assert len(answers) == 2
    assert outcomes(client, job) == ["succeeded"]


def test_what_the_server_refuses_says_which_field_is_wrong(client):
    with pytest.raises(ChronosError) as refused:
        client.submit("x", max_attempts=-1)
    assert refused.value.status == 422 and not refused.value.is_temporary
    assert refused.value.errors[0]["pointer"] == "/max_attempts"
    bad, good = client.submit_many([{"queue": "x", "priority": 99}, {"queue": "x", "paused": True}])
    assert bad.errors[0]["pointer"] == "/priority"
    assert good["id"]
    with pytest.raises(ValueError):
        Client("ftp://x", "k")
    with pytest.raises(ValueError):
        client.worker("q", print, concurrency=0)


def test_one_idempotency_key_is_one_job(client):
    assert client.submit("y", idempotency_key="once")["id"] == client.submit("y", idempotency_key="once")["id"]
