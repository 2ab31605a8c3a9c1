"""A remote worker of this machine: a process of worker.py."""
import pathlib
import subprocess
import sys


class Worker:
    def __init__(self, servers, folder, name, queue="default"):
        self.told = folder / f"{name}.told"
        ports = ",".join(str(server.port) for server in servers)
        with open(self.told, "wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, pathlib.Path(__file__).with_name("worker.py"), ports,
                 servers[0].key, name, queue], stdout=out)

    def answers(self):
        """{run: what the server said about its outcome}"""
        return dict(line.split() for line in self.told.read_text().splitlines())

    def close(self):
        self.process.kill()
        self.process.wait()
