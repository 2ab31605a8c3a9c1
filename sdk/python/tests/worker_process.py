"""A worker in a process of its own: worker_process.py QUEUE MODE CONCURRENCY. A line for each run."""
import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from chronos_scheduler import Client  # noqa: E402

queue, mode, concurrency = sys.argv[1:]


def handle(run):
    print("begin", run.id, run.attempt, flush=True)
    if mode == "hang":
        time.sleep(1000)
    if mode == "slow":
        time.sleep(0.3)
    print("end", run.id, run.attempt, flush=True)


def tell(kind, run, error):
    if kind == "stale":
        print("stale", run.id, flush=True)


signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
worker = Client().worker(queue, handle, concurrency=int(concurrency), on_event=tell)
signal.sigwait([signal.SIGTERM])
worker.stop(timeout=0 if mode == "hang" else 10)
print("drained", flush=True)
