"""A Chronos server under test: the real binary, its data directory and its API."""
import collections
import http.client
import json
import os
import pathlib
import signal
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = (ROOT / os.environ.get("CHRONOS_BINARY", "build/release/chronos")).resolve()

RUN_FINAL = {"succeeded", "failed", "timed_out", "lost", "cancelled", "skipped", "missed"}
LINK_ERRORS = (OSError, http.client.HTTPException)

Answer = collections.namedtuple("Answer", "status headers body")


def wait_until(condition, seconds=20, what="the condition"):
    """The first true value of condition(); polls, and fails when the time is up."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def in_seconds(seconds):
    """RFC 3339, that far from now."""
    at = time.time() + seconds
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at))
    return f"{whole}.{int(at % 1 * 1000):03}Z"


class Server:
    def __init__(self, folder, env=None, args=(), data_dir=None):
        self.prefix = []  # of the command line: a program that runs the server
        self.folder = pathlib.Path(folder)
        self.data_dir = pathlib.Path(data_dir or self.folder / "data")
        self.env = {"PATH": os.environ["PATH"], **(env or {})}
        self.args = list(args)
        self.process = None
        self.address = "127.0.0.1"
        self.port = None
        self.key = None
        self.local = threading.local()

    def start(self, seconds=30):
        """Starts on a free port; comes back when it listens."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        out = self.folder / "server.out"
        with open(out, "wb") as stdout, open(self.folder / "server.log", "ab") as stderr:
            self.process = subprocess.Popen(self.command(), stdout=stdout, stderr=stderr, env=self.env,
                                            cwd=self.folder)
        self.port = self.wait_for_port(out, seconds)
        self.key = self.key or (self.data_dir / "admin.key").read_text().strip()
        return self

    def command(self):
        return [*self.prefix, BINARY, "serve", "--data-dir", self.data_dir, "--listen", f"{self.address}:0",
                "--allow-commands", *self.args]

    def wait_for_port(self, out, seconds):
        deadline = time.monotonic() + seconds
        while True:
            _, found, rest = out.read_text().partition("listening on http://")
            if found and "\n" in rest:
                return int(rest.split()[0].rsplit(":", 1)[1])
            assert self.process.poll() is None, f"ended: {self.process.returncode}\n{self.log()}"
            assert time.monotonic() < deadline, f"not ready in {seconds} s\n{self.log()}"
            time.sleep(0.002)

    def stop(self, seconds=30):
        """SIGTERM; the server must end with exit code 0."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(seconds) == 0, self.log()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def restart(self):
        if self.alive():
            self.stop()
        return self.start()

    def chronos(self, *words):
        """What the command line, told of this server, prints; it must succeed."""
        env = {**self.env, "CHRONOS_URL": f"http://127.0.0.1:{self.port}", "CHRONOS_API_KEY": self.key}
        done = subprocess.run([BINARY, *words], env=env, capture_output=True, text=True, timeout=60,
                              check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def close(self):
        """After a test: gone, whatever happened."""
        if self.process and self.alive():
            self.kill()

    def alive(self):
        return self.process.poll() is None

    def memory(self):
        """Bytes that are resident."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            line = next(line for line in status if line.startswith("VmRSS"))
        return int(line.split()[1]) * 1024

    def log(self):
        return (self.folder / "server.log").read_text(errors="replace")[-4000:]

    def connection(self, timeout):
        """This thread's kept-alive connection."""
        held = getattr(self.local, "held", None)
        if held is None or held.port != self.port:
            held = http.client.HTTPConnection(self.address, self.port, timeout=timeout)
            self.local.held = held
        return held

    def disconnect(self):
        held, self.local.held = getattr(self.local, "held", None), None
        if held:
            held.close()

    def api(self, method, path, body=None, key=None, headers=None, timeout=30):
        """One request; the answer's body is parsed if it is JSON."""
        link = self.connection(timeout)
        send = {"Authorization": f"Bearer {key or self.key}", **(headers or {})}
        if body is not None:
            send["Content-Type"] = "application/json"
            body = json.dumps(body)
        try:
            link.request(method, path, body=body, headers=send)
            response = link.getresponse()
            data = response.read()
        except LINK_ERRORS:
            self.disconnect()
            raise
        if "json" in (response.headers.get("Content-Type") or ""):
            data = json.loads(data)
        return Answer(response.status, response.headers, data)

    def get(self, path):
        answer = self.api("GET", path)
        assert answer.status == 200, answer
        return answer.body

    def submit(self, action, **fields):
        """A job of one attempt, unless fields say otherwise; its id."""
        spec = {"name": "test", "max_attempts": 1, "action": action, **fields}
        answer = self.api("POST", "/api/submitJob", spec)
        assert answer.status == 201, answer
        return answer.body["id"]

    def pages(self, path, member):
        """All elements of a list, over all its pages."""
        cursor, sign = "", "&" if "?" in path else "?"
        while cursor is not None:
            page = self.get(f"{path}{sign}limit=200" + (f"&cursor={cursor}" if cursor else ""))
            yield from page[member]
            cursor = page["next"]

    def runs(self, job):
        return list(self.pages(f"/api/jobs/{job}/runs", "runs"))

    def finished(self, job, seconds=20):
        """The job's newest run with its attempts, once that run is final."""
        def newest():
            runs = self.runs(job)
            return runs and runs[0]["state"] in RUN_FINAL and runs[0]["id"]
        return self.get(f"/api/runs/{wait_until(newest, seconds, f'{job} finished')}")

    def running(self, job, seconds=20):
        """The id of the job's run, once it is running."""
        def newest():
            runs = self.runs(job)
            return runs and runs[0]["state"] == "running" and runs[0]["id"]
        return wait_until(newest, seconds, f"{job} running")

    def output(self, run):
        return self.api("GET", f"/api/runs/{run}/output")

    def works(self):
        """Proof of life: a command is taken, run and recorded."""
        run = self.finished(self.submit({"kind": "command", "argv": ["true"]}))
        assert run["state"] == "succeeded", run
        return True
