"""A real server, the binary of CHRONOS_BINARY, on a free port with leases of two seconds."""
import os
import pathlib
import subprocess
import sys
import time

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from chronos_scheduler import Client  # noqa: E402

BINARY = (HERE.parents[2] / os.environ.get("CHRONOS_BINARY", "build/release/chronos")).resolve()


def until(condition, what, seconds=20):
    """The first true value of condition()."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.02)


class Server:
    def __init__(self, folder):
        self.folder = folder
        self.start("127.0.0.1:0")
        self.key = (folder / "data" / "admin.key").read_text().strip()
        self.client = Client(self.url, self.key)

    def start(self, listen):
        self.process = subprocess.Popen(
            [BINARY, "serve", "--data-dir", self.folder / "data", "--listen", listen], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True,
            env={"PATH": os.environ["PATH"], "CHRONOS_WORKERS_LEASE_TTL": "2s"})
        for line in self.process.stdout:
            if "listening on " in line:
                self.url = line.split("listening on ")[1].split()[0]
                return
        raise AssertionError("the server did not start")

    def restart(self):
        self.kill()
        self.start(self.url.split("//")[1])

    def kill(self):
        self.process.kill()
        self.process.wait()

    def worker(self, queue, mode, concurrency=5):
        """A worker process of its own; its lines go to `log()`."""
        out = self.folder / f"{queue}-{time.monotonic_ns()}.log"
        with open(out, "w") as stdout:
            child = subprocess.Popen([sys.executable, HERE / "worker_process.py", queue, mode, str(concurrency)],
                                     stdout=stdout, env={**os.environ, "CHRONOS_URL": self.url,
                                                         "CHRONOS_API_KEY": self.key})
        child.log = out.read_text
        return child


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    started = Server(tmp_path_factory.mktemp("chronos"))
    yield started
    started.kill()


@pytest.fixture
def client(server):
    return server.client
