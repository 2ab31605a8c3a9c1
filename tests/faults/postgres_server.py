"""PostgreSQL servers that can be killed, followed by a standby, and promoted. They listen on a TCP port of
127.0.0.1 and do not outlive the tests; what they are told to keep they may lose at a power cut of this machine,
not at a kill."""
import glob
import os
import pathlib
import shutil
import signal
import socket
import subprocess

from chronos_server import wait_until

BIN = pathlib.Path(sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1])
# PostgreSQL refuses to run as root.
AS_OWNER = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []
UNTIL_WE_END = ["setpriv", "--pdeathsig=INT"]
SIGNALS = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}
SETTINGS = ["-c", "fsync=off", "-c", "full_page_writes=off", "-c", "shared_buffers=32MB",
            "-c", "max_connections=100", "-c", "wal_keep_size=256MB", "-c", "hot_standby=on",
            "-c", "unix_socket_directories="]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class PostgresServer:
    def __init__(self, folder, standby_of=None, name="primary", listen="127.0.0.1", settings=()):
        self.folder = pathlib.Path(folder)
        self.port = free_port()
        self.name = name
        self.listen = listen
        self.settings = list(settings)
        self.process = None
        if AS_OWNER:
            shutil.chown(self.folder, "postgres")
        self.data = self.folder / "data"
        if standby_of:
            self.follow(standby_of)
        else:
            self.run("initdb", "--pgdata", self.data, "--username=postgres", "--auth=trust", "--encoding=UTF8",
                     "--locale=C", "--no-sync")
            with open(self.data / "pg_hba.conf", "a", encoding="utf-8") as rules:
                rules.write("host all all 0.0.0.0/0 trust\nhost replication all 0.0.0.0/0 trust\n")

    def run(self, program, *words):
        done = subprocess.run([*AS_OWNER, BIN / program, *map(str, words)], capture_output=True, text=True,
                              check=False, cwd="/")
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"
        return done.stdout

    def follow(self, primary):
        """Begins anew as a standby of this primary."""
        shutil.rmtree(self.data, ignore_errors=True)
        self.run("pg_basebackup", "-D", self.data, "-R", "-X", "stream", "-c", "fast", "-d",
                 f"host=127.0.0.1 port={primary.port} user=postgres application_name={self.name}")

    def start(self):
        """Comes back when it takes connections; itself."""
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [*AS_OWNER, *UNTIL_WE_END, BIN / "postgres", "-D", self.data, *SETTINGS, *self.settings, "-c",
                 f"listen_addresses={self.listen}", "-p", str(self.port)], stdout=log, stderr=log, cwd="/")
        wait_until(lambda: self.process.poll() is not None or self.is_ready(), 60, "the database is up")
        assert self.process.poll() is None, (self.folder / "log").read_text(errors="replace")[-2000:]
        return self

    def is_ready(self):
        return subprocess.run([BIN / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False).returncode == 0

    def stop(self, mode):
        """immediate: as if it was killed. May be repeated."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(SIGNALS[mode])
            self.process.wait(60)

    def restart(self, mode):
        self.stop(mode)
        self.start()

    def promote(self):
        self.run("pg_ctl", "promote", "-w", "-D", self.data)

    def url(self, *others, database="postgres"):
        hosts = ",".join(f"127.0.0.1:{server.port}" for server in (self, *others))
        return f"postgres://postgres@{hosts}/{database}?connect_timeout=2"

    def sql(self, statement, check=True):
        done = subprocess.run(["psql", "-XAt", "-v", "ON_ERROR_STOP=1", "-c", statement,
                               f"host=127.0.0.1 port={self.port} user=postgres dbname=postgres"],
                              capture_output=True, text=True, check=check)
        return done.stdout.strip()

    def set(self, name, value):
        self.sql(f"ALTER SYSTEM SET {name} = '{value}'")
        self.sql("SELECT pg_reload_conf()")
        self.until(f"SHOW {name}", value)

    def until(self, question, answer, seconds=30):
        wait_until(lambda: self.sql(question) == answer, seconds, f"{question} to be {answer!r}")
