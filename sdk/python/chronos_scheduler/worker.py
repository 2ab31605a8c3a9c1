"""Claims runs, hands them to a function on threads, and tells the server what came of them: outcomes go in
batches, and the next runs come back in the same round trip."""
import json
import logging
import os
import re
import socket
import threading
import time
import traceback

from .errors import ChronosError, RetryLater
from .transport import hang_up

CLAIM_MAX = 1000
SETTLE_MAX = 1000
PAUSE_LONGEST = 5.0
LEASE_SHARE = 5 / 6  # of silence after which what runs is told to stop: before another may begin it
GRACE = 1.0  # from a worker that stops telling a handler so to giving the run up


class Run:
    """A run as its handler gets it."""

    def __init__(self, fields, say):
        self.id = fields["id"]
        self.job_id = fields["job_id"]
        self.name = fields["name"]
        self.queue = fields["queue"]
        self.payload = fields["payload"]
        self.attempt = fields["attempt"]
        self.max_attempts = fields["max_attempts"]
        self.planned_at = fields["planned_at"]
        self.deadline = fields["deadline"]  # when the attempt is out of time
        self.metadata = fields.get("metadata", {})
        self.token = fields["token"]  # the fencing token of this claim
        self._say = say
        self._ends = threading.Event()
        self.is_interrupted = False  # for the worker's sake: nobody cancelled it

    @property
    def is_cancelled(self):
        """It was cancelled, its lease ran out, or the worker gives up: the handler should end."""
        return self._ends.is_set()

    def wait_cancelled(self, seconds):
        """Sleeps so long unless it is cancelled; whether it is."""
        return self._ends.wait(seconds)

    def progress(self, percent, message=""):
        self._say(self, {"percent": percent, "message": message}, "")

    def log(self, text):
        """A line of the attempt's output."""
        self._say(self, {}, text if text.endswith("\n") else text + "\n")

    def cancel(self):
        self._ends.set()

    def interrupt(self):
        self.is_interrupted = self.is_interrupted or not self.is_cancelled
        self._ends.set()


class Worker:
    """`handler(run)` succeeds when it returns (what it returns is the output) and fails when it raises;
    RetryLater says when to try again. `on_event(kind, run, error)` is told of "completed", "failed",
    "stale" (the lease had run out or the run was cancelled: the outcome changed nothing) and "error". It is told
    when the outcome is on its way; what it raises is logged, and changes nothing."""

    def __init__(self, transport, queues, handler, concurrency=10, name=None, wait=20, on_event=None):
        if concurrency < 1:
            raise ValueError("concurrency must be at least 1")
        self.id = None
        self._transport = transport
        self._queues = queues
        self._handler = handler
        self._concurrency = concurrency
        self._name = name or f"{socket.gethostname()}:{os.getpid()}"
        self._wait = wait
        self._on_event = on_event
        self._lock = threading.Condition()
        self._active = {}  # run id -> Run
        self._said = {}  # run id -> what it says of itself
        self._ended = []  # (run, outcome or None when it is handed back)
        self._singly = 0  # so many outcomes go one by one: the server has refused them together
        self._reserved = 0  # slots offered to claims under way
        self._is_unsure = False  # an answer to a claim was lost: it may have brought runs
        self._settlement_claims = False  # a settlement that claims is under way
        self._is_settling = False
        self._heartbeat = 5.0
        self._lease = 15.0
        self._sent_at = 0.0
        self._heard_at = 0.0  # the runs are leased to this worker from then on at least
        self._claim_connection = None  # of the claim under way
        self._stopping = threading.Event()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=loop, name="chronos-" + kind, daemon=True)
                         for kind, loop in (("claim", self._claim_loop), ("settle", self._settle_loop),
                                            ("lease", self._lease_loop))]
        for thread in self._threads:
            thread.start()

    @property
    def running(self):
        return len(self._active)

    def stop(self, timeout=10.0):
        """Takes nothing new, waits for what runs and for the server to know of it. After `timeout` seconds
        what still runs is told to stop; what has not ended a second later is reported as lost, and the job's
        on_lost decides about it. It may still act: nobody can end a thread."""
        self._stopping.set()
        until = time.monotonic() + timeout
        with self._lock:
            self._lock.notify_all()
        self._end_claim()
        with self._lock:
            self._lock.wait_for(lambda: not self._active, max(0, until - time.monotonic()))
            self._interrupt()
            self._lock.wait_for(lambda: not self._active, GRACE)
            given_up = list(self._active.values())
            for run in given_up:
                self._end(run, {"outcome": "lost", "error": "the worker stopped before the handler ended"})
        for run in given_up:
            self._tell("failed", run, ChronosError("the worker stops", code="cancelled"))
        with self._lock:
            # Of a worker that is not known any more nobody takes what ended.
            self._lock.wait_for(lambda: not (self._ended and self.id) and not self._is_settling)
        self._over.set()
        with self._lock:
            self._lock.notify_all()
        for thread in self._threads:
            thread.join()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    # -- Claims

    def _claim_loop(self):
        pause = 0.1
        while not self._stopping.is_set():
            with self._lock:
                self._lock.wait_for(self._may_claim)
                count = min(self._free(), CLAIM_MAX)
                if self._stopping.is_set():
                    return
                self._reserved += count
            sent = {}

            def claim():
                nonlocal sent
                sent = self._claim(count)
                return sent
            try:
                reply = self._post("/api/workers/claim", claim, claims=True, stop=self._stopping,
                                   on_connection=self._hold_claim)
                self.id = reply["worker_id"]
                if "holding" in sent:
                    self._is_unsure = False
                self._take(reply, count)
                pause = 0.1
            except ChronosError as error:
                with self._lock:
                    self._reserved -= count
                if self._stopping.is_set():
                    return
                self._complain(error)
                self._stopping.wait(pause)
                pause = min(pause * 2, PAUSE_LONGEST)

    def _hold_claim(self, connection):
        self._claim_connection = connection

    def _end_claim(self):
        """What is answered all the same is handed back. A server, or a proxy, that does not see the end of
        what is sent to it is not waited for."""
        patience = time.monotonic() + GRACE
        claiming = self._threads[0]
        while claiming.is_alive():  # more than once: it may have been about to begin
            if self._claim_connection is not None:
                is_patient = time.monotonic() < patience
                hang_up(self._claim_connection, socket.SHUT_WR if is_patient else socket.SHUT_RDWR)
            claiming.join(0.05)

    def _may_claim(self):
        return self._stopping.is_set() or (
            self._free() > 0 and not (self._is_unsure and self._settlement_claims))

    def _claim(self, count):
        """After a lost answer it names every run it holds, and does not wait: the server hands back the
        others. While another answer that may bring runs is under way it cannot know."""
        body = {"worker_id": self.id} if self.id else {"worker": self._name}
        body.update(queues=self._queues, max=count)
        with self._lock:
            if self._is_unsure and self.id and not self._settlement_claims:
                body["holding"] = [*self._active, *(run.id for run, _ in self._ended)]
            else:
                body["wait"] = f"{self._wait}s"
        return body

    def _free(self):
        return self._concurrency - len(self._active) - self._reserved

    def _take(self, reply, reserved):
        """Everything a reply may bring; `reserved` slots are free again for what it brought."""
        self._heartbeat = _seconds(reply.get("heartbeat")) or self._heartbeat
        self._lease = _seconds(reply.get("lease_ttl")) or self._lease
        fresh = [Run(fields, self._say) for fields in reply.get("runs", [])]
        with self._lock:
            self._reserved -= reserved
            for run_id in reply.get("cancel", []):
                if run_id in self._active:
                    self._active[run_id].cancel()
            if self._stopping.is_set():
                self._ended += [(run, None) for run in fresh]
                fresh = []
            self._active.update((run.id, run) for run in fresh)
            self._lock.notify_all()
        for run in fresh:
            # A pool's threads would keep the process for a handler that never ends.
            threading.Thread(target=self._run, args=(run,), name="chronos-run", daemon=True).start()

    # -- Runs

    def _run(self, run):
        try:
            outcome = _success(self._handler(run))
            event = ("completed", run, None)
        except BaseException as error:  # a handler may raise anything, and the run must end
            outcome = _failure(run, error)
            event = ("failed", run, error)
        with self._lock:
            is_told = self._end(run, outcome)
        self._tell(*(event if is_told else ("stale", run, None)))

    def _tell(self, kind, run, error):
        if self._on_event is None:
            return
        try:
            self._on_event(kind, run, error)
        except BaseException:  # nor may it end a thread of the worker
            logging.getLogger("chronos_scheduler").exception("on_event raised, told of %r", kind)

    def _end(self, run, outcome):
        # It was given up, or came to this worker a second time: what the handler ends with is nobody's.
        if self._active.get(run.id) is not run:
            return False
        said = self._said.pop(run.id, {})
        outcome["output"] = said.get("output", "") + outcome.get("output", "")
        del self._active[run.id]
        self._ended.append((run, outcome))
        self._lock.notify_all()
        return True

    def _say(self, run, said, output):
        with self._lock:
            if self._active.get(run.id) is not run:
                return
            entry = self._said.setdefault(run.id, {"run": run.id, "token": run.token})
            entry.update(said)
            if output:
                entry["output"] = entry.get("output", "") + output
            self._lock.notify_all()

    # -- Settlements, and being heard of

    def _settle_loop(self):
        pause = 0.1
        while True:
            with self._lock:
                self._lock.wait_for(lambda: self._ended or self._said or self._over.is_set(), 0.25)
                if self._over.is_set():
                    return
                is_due = self._active and time.monotonic() - self._sent_at >= self._heartbeat
                if not self.id or not (self._ended or self._said or is_due):
                    continue
                batch = self._ended[:1 if self._singly else SETTLE_MAX]
                said, self._said = self._said, {}
                claims = batch and not self._stopping.is_set() and not self._is_unsure
                count = max(0, min(self._free(), CLAIM_MAX)) if claims else 0
                self._reserved += count
                self._settlement_claims = count > 0
                self._is_settling = True
            try:
                reply = self._post("/api/workers/settle", self._settlement(batch, said, count), count > 0)
                self._settled(batch, reply)
                self._take(reply, count)
                pause = 0.1
            except ChronosError as error:
                self._not_settled(batch, said, count, error)
                if error.is_temporary:
                    self._over.wait(pause)
                    pause = min(pause * 2, PAUSE_LONGEST)
            with self._lock:
                self._settlement_claims = False
                self._is_settling = False
                self._lock.notify_all()

    def _settlement(self, batch, said, count):
        body = {"worker_id": self.id, "progress": list(said.values()),
                "outcomes": [{"run": run.id, "token": run.token, **outcome}
                             for run, outcome in batch if outcome is not None],
                "release": [{"run": run.id, "token": run.token} for run, outcome in batch if outcome is None]}
        if count > 0:
            body["claim"] = {"queues": self._queues, "max": count}
        return body

    def _settled(self, batch, reply):
        with self._lock:
            del self._ended[:len(batch)]
            self._singly = max(0, self._singly - 1)
        settled = [run for run, outcome in batch if outcome is not None]
        for run, answer in zip(settled, reply.get("outcomes", [])):
            if answer != "ok":
                self._tell("stale", run, None)

    def _not_settled(self, batch, said, count, error):
        with self._lock:
            self._reserved -= count
            if error.status == 422 and len(batch) > 1:
                self._singly = len(batch)  # one of them is at fault, not all
            elif error.status == 422 and batch and batch[0][1] and not isinstance(batch[0][1], _Refused):
                self._ended[0] = (batch[0][0], _Refused(error))
            elif not error.is_temporary:
                # Nobody will ever take these: the leases have run out.
                del self._ended[:len(batch)]
                self._singly = max(0, self._singly - 1)
            for run_id, entry in said.items():
                if run_id not in self._active:
                    continue
                since = self._said.get(run_id, {})
                merged = {**entry, **since}
                if "output" in entry or "output" in since:
                    merged["output"] = entry.get("output", "") + since.get("output", "")
                self._said[run_id] = merged
        self._complain(error)

    def _post(self, path, body, claims=False, stop=None, on_connection=None):
        sent_at = 0.0

        def send():
            nonlocal sent_at
            sent_at = self._sent_at = time.monotonic()
            return body() if callable(body) else body
        reply = self._transport.call("POST", path, send, timeout=self._wait + 30, stop=stop or self._over,
                                     on_lost=self._be_unsure if claims else None, on_connection=on_connection)
        with self._lock:
            # A request renews the leases when it comes; one that waited for runs, when it finds them.
            self._heard_at = max(self._heard_at, time.monotonic() if reply.get("runs") else sent_at)
        return reply

    def _lease_loop(self):
        while not self._over.wait(0.25):
            with self._lock:
                if time.monotonic() - self._heard_at >= self._lease * LEASE_SHARE:
                    self._interrupt()

    def _interrupt(self):
        for run in self._active.values():
            run.interrupt()

    def _be_unsure(self):
        self._is_unsure = True

    def _complain(self, error):
        if error.code == "not_found":  # what this worker held is somebody else's now
            with self._lock:
                self.id = None
                self._interrupt()
        self._tell("error", None, error)


class _Refused(dict):
    """What is told instead of an outcome that the server would not take."""

    def __init__(self, error):
        super().__init__(outcome="failed", error=f"the outcome was refused: {error}"[:4000])


def _success(result):
    if result is None:
        return {"outcome": "succeeded"}
    return {"outcome": "succeeded", "output": result if isinstance(result, str) else json.dumps(result)}


def _failure(run, error):
    text = (str(error) or type(error).__name__)[:4000]
    if run.is_cancelled and not run.is_interrupted:
        return {"outcome": "cancelled", "error": text}
    if isinstance(error, RetryLater):
        return {"outcome": "retry_later", "error": text, "retry_after": f"{round(error.seconds * 1000)}ms"}
    if run.is_interrupted:  # half-way, and it does not say what for
        return {"outcome": "lost", "error": text}
    return {"outcome": "failed", "error": text,
            "output": "".join(traceback.format_exception(type(error), error, error.__traceback__))}


def _seconds(duration):
    """"15s", "1m30s", "666ms666us"; None for anything else."""
    if not re.fullmatch(r"(\d+(d|h|ms|us|m|s))+", duration or ""):
        return None
    units = {"d": 86400, "h": 3600, "m": 60, "s": 1, "ms": 1e-3, "us": 1e-6}
    return sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+)(d|h|ms|us|m|s)", duration))
