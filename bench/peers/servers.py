"""The servers of the comparison: each started on a free loopback port, with its data in a folder of its
own, and stopped again. Nothing that runs already is touched."""
import contextlib
import glob
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import time

START_SECONDS = 30


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(ready, process, what):
    until = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None:
            raise RuntimeError(f"{what} ended with {process.returncode} instead of starting")
        if time.monotonic() > until:
            raise RuntimeError(f"{what} did not start within {START_SECONDS} s")
        time.sleep(0.02)


def accepts(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def stop(process, how=signal.SIGTERM):
    if process.poll() is None:
        process.send_signal(how)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def first_line(command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0].strip()


@contextlib.contextmanager
def running(command, log, what, port, how=signal.SIGTERM, **more):
    """A server from its start until the block ends; answers with what a driver must know."""
    with open(log, "w", encoding="utf-8") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, **more)
        try:
            wait_for(lambda: accepts(port), process, f"{what} ({log})")
            yield {"port": port}
        finally:
            stop(process, how)


class Beanstalkd:
    def __init__(self, sync_ms):
        self.sync_ms = sync_ms
        self.durable = sync_ms == 0
        self.durability = ("fsync before each answer (-f0)" if sync_ms == 0
                           else f"fsync at most every {sync_ms} ms (-f{sync_ms}): an answered job can be lost")

    def version(self):
        return first_line(["beanstalkd", "-v"])

    @contextlib.contextmanager
    def start(self, folder):
        data, port = folder / "beanstalkd", free_port()
        data.mkdir()
        command = ["beanstalkd", "-l", "127.0.0.1", "-p", str(port), "-b", str(data), f"-f{self.sync_ms}"]
        with running(command, folder / "log", "beanstalkd", port) as where:
            yield where


class Redis:
    def __init__(self, sync):
        self.sync = sync
        self.durable = sync == "always"
        self.durability = ("AOF, appendfsync always: written before the answer" if sync == "always"
                           else "AOF, appendfsync everysec: an answered job can be lost")

    def version(self):
        return "Redis " + re.search(r"v=(\S+)", first_line(["redis-server", "--version"])).group(1)

    @contextlib.contextmanager
    def start(self, folder):
        port = free_port()
        command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", "",
                   "--appendonly", "yes", "--appendfsync", self.sync, "--maxmemory-policy", "noeviction"]
        with running(command, folder / "log", "Redis", port) as where:
            yield where


class Postgres:
    durable = True
    durability = "PostgreSQL's defaults (fsync, synchronous_commit on): written before the answer"

    def __init__(self):
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda path: int(path.split("/")[4]))
        if not found:
            raise RuntimeError("no PostgreSQL in /usr/lib/postgresql; tools/packages.sh peers installs it")
        self.bin = pathlib.Path(found[-1]).parent

    def version(self):
        return first_line([self.bin / "postgres", "--version"])

    @staticmethod
    def identity():
        """PostgreSQL refuses to run as root."""
        return {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}

    @staticmethod
    def give(folder):
        if os.geteuid() == 0:
            entry = pwd.getpwnam("postgres")
            os.chown(folder, entry.pw_uid, entry.pw_gid)
            for parent in folder.parents[:2]:  # the run's folders, which are ours alone
                parent.chmod(parent.stat().st_mode | 0o011)

    @contextlib.contextmanager
    def start(self, folder):
        data, port = folder / "postgres", free_port()
        data.mkdir(mode=0o700)
        self.give(data)
        subprocess.run([self.bin / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C",
                        "--no-sync"], check=True, stdout=subprocess.DEVNULL, cwd=data, **self.identity())
        os.sync()
        command = [self.bin / "postgres", "-D", data, "-p", str(port), "-c", "listen_addresses=127.0.0.1",
                   "-c", "unix_socket_directories="]
        with running(command, folder / "log", "PostgreSQL", port, signal.SIGINT, cwd=data,
                     **self.identity()) as where:
            ready = [self.bin / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
            while subprocess.run(ready, check=False).returncode != 0:
                time.sleep(0.02)
            yield where


class Memory:
    """No server: the scheduler lives in the driver's process."""
    durable = False
    durability = "none: in memory, a restart loses every job"

    def version(self):
        return ""

    @contextlib.contextmanager
    def start(self, _folder):
        yield {"port": 0}


class Chronos:
    durable = True
    durability = "SQLite, synchronous FULL: written before the answer"

    def __init__(self, build):
        self.binary = pathlib.Path(build).resolve() / "chronos"

    def version(self):
        return first_line([self.binary, "version"])

    @contextlib.contextmanager
    def start(self, folder, name="chronos", *flags):
        data, port = folder / name, free_port()
        command = [self.binary, "serve", "--data-dir", data, "--listen", f"127.0.0.1:{port}", *flags]
        with running(command, folder / f"{name}.log", "Chronos", port) as where:
            key = data / "admin.key"
            yield {**where, "key": key.read_text().strip()} if key.exists() else where


class Cluster:
    """Nodes of Chronos on one PostgreSQL server, which is started as for the peers that use one."""
    durable = Postgres.durable
    durability = Postgres.durability

    def __init__(self, build, nodes):
        self.chronos, self.postgres, self.nodes = Chronos(build), Postgres(), nodes

    def version(self):
        return f"{self.chronos.version()}, {self.postgres.version()}"

    @contextlib.contextmanager
    def start(self, folder):
        with contextlib.ExitStack() as stack:
            port = stack.enter_context(self.postgres.start(folder))["port"]
            store = ["--store", f"postgres://postgres@127.0.0.1:{port}/postgres"]
            nodes = [stack.enter_context(self.chronos.start(folder, f"node{number}", *store))
                     for number in range(self.nodes)]
            yield {"ports": [node["port"] for node in nodes], "key": nodes[0]["key"]}  # made by the first


@contextlib.contextmanager
def fresh_folder(parent):
    """A folder for one start of one server."""
    folder = pathlib.Path(parent) / f"run-{time.monotonic_ns()}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
