"""O1: ten times what the server can take, whatever it answers, and an audit of what it accepted.

Called by run.py and by tests/overload/: measure() knows nothing of either. Generator and server share
the machine, so the requests that are refused cost goodput on both sides.
"""
import json
import pathlib
import re
import sqlite3
import subprocess
import tempfile
import threading
import time

from goals import goal
from large import id_text

FACTOR = 10


class Singly:
    """One job in a request. What bounds it is the connections: each of them waits for its answer."""

    name, path, suffix, per_request = "one job a request", "/api/submitJob", "json", 1
    closed_connections, connections = (64, 2000), 2000


class Batches:
    """150 jobs in a request, of 48 KB: the store is full long before the connections are."""

    name, path, suffix, per_request = "150 jobs a request", "/api/jobs/batch", "ndjson", 150
    closed_connections, connections = (16, 64), 512


def bodies(folder, how, sink):
    """Jobs that lie ahead; and, in one request in a hundred, one that runs at once, of which lateness is told."""
    ahead = {"name": "ahead", "action": {"kind": "http", "url": "http://127.0.0.1:9/"},
             "scheduled_time": "2199-01-01T00:00:00Z", "payload": {"text": "x" * 180}}
    at_once = {"name": "at once", "action": {"kind": "http", "url": sink}, "payload": {"text": "x" * 180}}
    files = []
    for name, first in (("ahead", ahead), ("at_once", at_once)):
        jobs = [first] * min(10, how.per_request) + [ahead] * (how.per_request - 10)
        files.append(f"{folder}/{name}.{how.suffix}")
        pathlib.Path(files[-1]).write_text("\n".join(map(json.dumps, jobs)))
    return files


class Memory:
    """The most memory that a process has had, in MB, looked at every 100 ms."""

    def __init__(self, pid):
        self.status, self.most, self.is_over = pathlib.Path(f"/proc/{pid}/status"), 0, False
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    def watch(self):
        while not self.is_over:
            self.most = max(self.most, int(re.search(r"VmRSS:\s+(\d+)", self.status.read_text()).group(1)) / 1024)
            time.sleep(0.1)

    def stop(self):
        self.is_over = True
        self.thread.join()
        return self.most


def offer(build, server, how, connections, rate, seconds, files, ids):
    done = subprocess.run([f"{build}/open_load", str(server.port), str(connections), str(rate), str(seconds),
                           how.path, server.key, *files, ids], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def closed_loop(build, new_server, how, seconds, files, ids):
    """The most jobs a second that clients get accepted who wait for their answers. The files without any that run."""
    rates = []
    for connections in how.closed_connections:
        server = new_server()
        told = offer(build, server, how, connections, 1e9, seconds, [files[0], files[0]], ids)
        rates.append(told["jobs_per_second"])
        server.stop()
    return max(rates)


def stored_jobs(database):
    """The ids of all jobs in the file of a server that has stopped."""
    with sqlite3.connect(database) as db:
        return {id_text("job_", row[0]) for row in db.execute("SELECT id FROM jobs")}


def run_lateness(database):
    """Milliseconds from their instants to their starts, of the runs that have ended."""
    with sqlite3.connect(database) as db:
        return sorted((row[0] or 0) / 1000 for row in db.execute("SELECT started_at - planned_at FROM runs"))


def measure(build, new_server, how, sink, seconds):
    """The overload, with the closed loop before and after it, on servers of their own; what was told beside what
    is stored."""
    with tempfile.TemporaryDirectory() as folder:
        files, ids = bodies(folder, how, sink), f"{folder}/ids"
        closed = lambda: closed_loop(build, new_server, how, max(3, seconds // 6), files, f"{folder}/others")
        before = closed()
        server = new_server()
        memory = Memory(server.process.pid)
        told = offer(build, server, how, how.connections, FACTOR * before / how.per_request, seconds, files, ids)
        told["rss_mb"] = memory.stop()
        time.sleep(2)  # what was accepted last begins
        server.end()
        accepted = set(pathlib.Path(ids).read_text().split())
        stored = stored_jobs(server.data("chronos.db"))
        late = run_lateness(server.data("chronos.db"))
        server.stop()
        most = (before + closed()) / 2
    return {**told, "closed_loop_per_second": most, "share": told["jobs_per_second"] / most,
            "refused": sum(count for status, count in told["statuses"].items() if not status.startswith("2")),
            "missing": len(accepted - stored), "not_told": len(stored - accepted), "stored": len(stored),
            "runs": len(late), "late_p99_ms": late[round(.99 * (len(late) - 1))] if late else None}


def o1(bench, seconds):
    for how in (Batches, Singly):
        sink = bench.Sink()
        told = measure(bench.BUILD, bench.Server, how, sink.url, seconds)
        sink.stop()
        tell(bench.row, how, told, seconds)


def tell(row, how, told, seconds):
    latency = lambda of: f"p50 {of['p50_ms']:.0f}, p99 {of['p99_ms']:.0f}, max {of['max_ms']:.0f} ms"
    row("O1", f"10x overload, {seconds} s, {how.name}", f"{told['jobs_per_second']:,.0f} jobs/s accepted",
        f"{told['share']:.0%} of a closed loop's {told['closed_loop_per_second']:,.0f}/s",
        goal(told["share"], ">=", .9, "{:.0%}"))
    row("", f"  requests due / sent, {how.connections:,} connections", f"{told['due']:,} / {told['sent']:,}",
        "the rest found each of them waiting")
    row("", "  accepted", latency(told["accepted_latency"]))
    row("", f"  refused: {told['refused']:,}", latency(told["refused_latency"]),
        f"{told['without_retry_after']} without Retry-After",
        goal(told["refused_latency"]["p99_ms"], "<=", 50, "{} ms", "p99"))
    row("", "  accepted and not stored / stored and not told", f"{told['missing']} / {told['not_told']}",
        f"of {told['stored']:,}; {told['lost']} connections lost", goal(told["missing"] + told["not_told"], "<=", 0))
    row("", f"  lateness of {told['runs']:,} of them that ran", f"p99 {told['late_p99_ms']:.0f} ms", "",
        goal(told["late_p99_ms"], "<=", 1000, "{:,} ms", "p99"))
    row("", "  memory", f"{told['rss_mb']:.0f} MB")
