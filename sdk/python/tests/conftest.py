"""A real server, the binary of CHRONOS_BINARY, on a free port with leases of two seconds."""
import os
import pathlib
import socket
import subprocess
import sys
import threading
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


class LossyWay:
    """A way to the server on which answers get lost: those for which `loses(bytes)` is true end it instead."""

    def __init__(self, url, loses):
        self._far = (url.split("//")[1].split(":")[0], int(url.rsplit(":", 1)[1]))
        self._loses = loses
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(self._far)
            for source, target, loses in ((near, far, lambda part: False), (far, near, self._loses)):
                threading.Thread(target=self._carry, args=(source, target, loses), daemon=True).start()

    @staticmethod
    def _carry(source, target, loses):
        try:
            while (part := source.recv(65536)) and not loses(part):
                target.sendall(part)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self._listener.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    started = Server(tmp_path_factory.mktemp("chronos"))
    yield started
    started.kill()


@pytest.fixture
def client(server):
    return server.client
