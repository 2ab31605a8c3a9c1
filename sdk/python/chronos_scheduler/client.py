"""What a program asks of a server."""
import os
import urllib.parse
import uuid

from .errors import ChronosError
from .transport import Transport
from .worker import Worker


class Client:
    """`url` and `api_key` are those of CHRONOS_URL and CHRONOS_API_KEY unless given."""

    def __init__(self, url=None, api_key=None):
        api_key = api_key or os.environ.get("CHRONOS_API_KEY")
        if not api_key:
            raise ChronosError("no API key: give api_key or set CHRONOS_API_KEY", code="missing_key")
        self._transport = Transport(url or os.environ.get("CHRONOS_URL", "http://127.0.0.1:8086"), api_key)

    def submit(self, queue=None, payload=None, *, idempotency_key=None, **fields):
        """Submits a job and answers it; its action is `worker` unless `action` says otherwise. Fields are
        those of the API: cron=…, scheduled_time=…, max_attempts=…. Safe to repeat: an answer that was
        lost on the way does not make two jobs."""
        return self._transport.call("POST", "/api/jobs", _declared(queue, payload, fields),
                                    {"Idempotency-Key": idempotency_key or str(uuid.uuid4())})

    def submit_many(self, jobs, *, idempotency_key=None):
        """Submits up to 10,000 jobs, dicts of fields, in one request. Answers for each, in order, the job
        or a ChronosError."""
        body = [_declared(None, None, job) for job in jobs]
        answer = self._transport.call("POST", "/api/jobs/batch", body,
                                      {"Idempotency-Key": idempotency_key or str(uuid.uuid4())})
        return [result["job"] if "job" in result else
                ChronosError(result["error"].get("detail") or result["error"].get("title"), result["status"],
                             result["error"].get("code"), result["error"].get("errors") or [])
                for result in answer["results"]]

    def get_job(self, job_id):
        return self._get("/api/jobs/" + _quoted(job_id))

    def get_run(self, run_id):
        return self._get("/api/runs/" + _quoted(run_id))

    def list_runs(self, job_id, limit=50):
        """The newest runs of a job."""
        return self._get(f"/api/jobs/{_quoted(job_id)}/runs?limit={limit}")["runs"]

    def why(self, some_id):
        """Why a job or a run does not run, or ended so."""
        kind = "runs" if some_id.startswith("run_") else "jobs"
        return self._get(f"/api/{kind}/{_quoted(some_id)}/why")

    def cancel(self, job_id, keep_running=False):
        """Cancels a job; a running attempt is told to stop unless `keep_running`."""
        rest = "?running=keep" if keep_running else ""
        return self._transport.call("DELETE", f"/api/jobs/{_quoted(job_id)}{rest}")

    def worker(self, queue, handler, **options):
        """Begins to work on the runs of a queue, or a list of queues: see Worker."""
        queues = [queue] if isinstance(queue, str) else list(queue)
        return Worker(self._transport, queues, handler, **options)

    def _get(self, path):
        return self._transport.call("GET", path)


def _quoted(text):
    return urllib.parse.quote(text, safe="")


def _declared(queue, payload, fields):
    job = {"action": {"kind": "worker"}, **fields}
    if queue is not None:
        job["queue"] = queue
    if payload is not None:
        job["payload"] = payload
    job.setdefault("name", job.get("queue", "default"))
    return job
