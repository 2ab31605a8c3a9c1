#!/usr/bin/env python3
"""Measures Chronos against the limits of this machine, each pair in one run, and prints a table.

usage: run.py BUILD-DIR [--seconds N] [--rounds N] [--only S1,T1,…] [--crowds N,N,…] [--spread]
              [--sizes N,N,…] [--overload-seconds N] [--pickups N]

The machine is shared and noisy: look at the ratios, and run it more than once. Every figure is
durable: answered after fdatasync. What each row means: numbers in docs/benchmarks.md.
"""
import argparse
import atexit
import datetime
import http.client
import json
import os
import pathlib
import re
import resource
import statistics
import socket
import subprocess
import tempfile
import sys
import threading
import time

import large
import overload
from goals import goal

parser = argparse.ArgumentParser()
parser.add_argument("build")
parser.add_argument("--seconds", type=int, default=5)
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--only", default="S1,S2,L1,T1,T2,T3,H1,P1,M1,M2,Q1,O1,C1,C2")
parser.add_argument("--crowds", default="10000,100000", help="of C2: how many jobs are due at once")
parser.add_argument("--spread", action="store_true", help="C2: over the seconds of the minute instead")
parser.add_argument("--sizes", default="1000,100000,1000000", help="of M1 and Q1: how much is stored")
parser.add_argument("--overload-seconds", type=int, default=60, help="of O1")
parser.add_argument("--pickups", type=int, default=1000, help="of T3: how many")
options = parser.parse_args()
BUILD = pathlib.Path(options.build).resolve()


class Server:
    """A fresh Chronos on a free port."""

    def __init__(self, *flags):
        self.folder = tempfile.TemporaryDirectory()
        self.flags = flags
        self.start()

    def data(self, name=""):
        return str(pathlib.Path(self.folder.name, "data", name))

    def start(self):
        begun = time.time()
        self.process = subprocess.Popen(
            [BUILD / "chronos", "serve", "--data-dir", self.data(), "--listen", "127.0.0.1:0", "--allow-commands",
             *self.flags], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        atexit.register(self.process.kill)
        for line in self.process.stdout:
            found = re.search(r"listening on http://127.0.0.1:(\d+)", line)
            if found:
                self.port = int(found.group(1))
                break
        self.key = pathlib.Path(self.data("admin.key")).read_text().strip()
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port)
        self.wait_until_ready()
        self.ready_seconds = time.time() - begun

    def wait_until_ready(self):
        while True:
            self.connection.request("GET", "/readyz")
            answer = self.connection.getresponse()
            answer.read()
            if answer.status == 200:
                return
            time.sleep(0.005)

    def end(self, signal="terminate"):
        """Stops the process and keeps what it stored."""
        getattr(self.process, signal)()
        self.process.wait()

    def restart(self, signal):
        self.end(signal)
        self.start()

    def rss_mb(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024

    def api(self, method, path, body=None, content_type="application/json"):
        data = body if isinstance(body, (str, bytes, type(None))) else json.dumps(body)
        self.connection.request(method, path, data, {"Authorization": "Bearer " + self.key,
                                                     "Content-Type": content_type})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:500]}")
        return json.loads(text) if text[:1] in b"{[" else text.decode()

    def submit_many(self, jobs):
        for start in range(0, len(jobs), 1000):
            self.submit_lines("\n".join(json.dumps(job) for job in jobs[start:start + 1000]))

    def submit_lines(self, lines):
        answer = self.api("POST", "/api/jobs/batch", lines, "application/x-ndjson")
        assert answer["failed"] == 0, answer["results"][0]

    def submit_lines_unread(self, lines):
        """The same for who counts time: the answer is looked at, but not parsed."""
        self.connection.request("POST", "/api/jobs/batch", lines, {"Authorization": "Bearer " + self.key,
                                                                   "Content-Type": "application/x-ndjson"})
        answer = self.connection.getresponse()
        text = answer.read()
        assert answer.status == 200 and b'"failed":0}' in text[-40:], text[-500:]

    def succeeded(self):
        total = 0
        for line in self.api("GET", "/metrics").splitlines():
            if line.startswith("chronos_runs_total{") and 'state="succeeded"' in line:
                total += int(float(line.split()[-1]))
        return total

    def gauge(self, name):
        return float(re.search(rf"^{name} (\S+)$", self.api("GET", "/metrics"), re.MULTILINE).group(1))

    def wait_for(self, count, seconds=120):
        until = time.time() + seconds
        while self.succeeded() < count:
            if time.time() > until:
                raise RuntimeError(f"only {self.succeeded()} of {count} ended")
            time.sleep(0.05)

    def all_runs(self, more=""):
        runs, cursor = [], ""
        while True:
            page = self.api("GET", f"/api/runs?limit=200{more}" + (f"&cursor={cursor}" if cursor else ""))
            runs += page["runs"]
            cursor = page["next"]
            if not cursor:
                return runs

    def stop(self):
        self.end()
        self.folder.cleanup()


class Sink:
    """What http actions are sent to."""

    def __init__(self):
        self.process = subprocess.Popen([BUILD / "sink"], stdout=subprocess.PIPE, text=True)
        self.url = f"http://127.0.0.1:{self.process.stdout.readline().strip()}/sink"

    def stop(self):
        self.process.kill()
        self.process.wait()


class Bare:
    """The bare submit loop."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.process = subprocess.Popen([BUILD / "bare_submit", self.folder.name + "/bare.db"],
                                        stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.folder.cleanup()


def load(port, key, body, connections, path="/api/submitJob"):
    """A closed loop of requests with this body: a job, or a batch of them."""
    lines, kind = (body, "ndjson") if isinstance(body, list) else ([body], "json")
    with tempfile.NamedTemporaryFile("w", suffix="." + kind) as file:
        file.write("\n".join(map(json.dumps, lines)))
        file.flush()
        done = subprocess.run([BUILD / "load", str(port), str(connections), str(options.seconds), path, key,
                               file.name], capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    assert told["bad"] == 0, told
    return told


def worker_load(server, *words):
    """Remote workers: each job was given to them once and not early, and what it came to was taken."""
    done = subprocess.run([BUILD / "worker_load", str(server.port), server.key, *map(str, words)],
                          stdout=subprocess.PIPE, text=True, check=True)
    told = json.loads(done.stdout)
    assert told["settled"] == told["jobs"] == server.succeeded(), told
    assert told["twice"] == told.get("early", 0) == 0, told
    return told


def percentile(values, share):
    return sorted(values)[round(share * (len(values) - 1))]


def spread_of(ms):
    return {"p50_ms": percentile(ms, .5), "p99_ms": percentile(ms, .99), "max_ms": max(ms)}


def row(name, what, figure, beside="", *goals):
    print(f"{name:4} {what:46} {figure:>28}  {beside:>34}  {'; '.join(filter(None, goals))}", flush=True)


def job(**more):
    return {"name": "bench", "action": {"kind": "http", "url": "http://127.0.0.1:9/"},
            "scheduled_time": "2199-01-01T00:00:00Z", "payload": {"text": "x" * 180}, **more}


def s1():
    ratios, ours, bares, syncs = [], [], [], []
    for _ in range(options.rounds):
        server, bare = Server(), Bare()
        syncs.append(fdatasync_ms(server.data())["p99_ms"])
        ours.append(load(server.port, server.key, job(), 64))
        bares.append(load(bare.port, "none", job(), 64))
        ratios.append(ours[-1]["rate"] / bares[-1]["rate"])
        server.stop()
        bare.stop()
    rate, p99 = (statistics.median(told[name] for told in ours) for name in ("rate", "p99_ms"))
    limit, share = statistics.median(told["rate"] for told in bares), statistics.median(ratios)
    sync = statistics.median(syncs)
    row("S1", "submit, 64 connections", f"{rate:.0f}/s, p99 {p99:.1f} ms",
        f"{share:.0%} of bare {limit:.0f}/s; fdatasync p99 {sync:.2f} ms", goal(share, ">=", .8, "{:.0%}"),
        goal(p99, "<=", 10 * sync, "{:.1f} ms", "p99"), goal(share, ">=", .5, "{:.0%}", word="floor"))
    for connections in (1, 8, 512):
        server = Server()
        done = load(server.port, server.key, job(), connections)
        row("", f"submit, {connections} connections", f"{done['rate']:.0f}/s, p99 {done['p99_ms']:.1f} ms")
        server.stop()


def s2():
    batch = [job()] * 1000
    for callers in (1, 4):
        server = Server()
        server.submit_many(batch)  # none of them is refused
        rate = 1000 * load(server.port, server.key, batch, callers, "/api/jobs/batch")["rate"]
        row("S2" if callers == 1 else "", f"submit in batches of 1000, {callers} at once", f"{rate:.0f} jobs/s", "",
            goal(rate, ">=", 120_000, "{:,} jobs/s"))
        server.stop()


def l1():
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([BUILD / "store_bench", folder], capture_output=True, text=True, check=True)
    for line in map(json.loads, done.stdout.splitlines()):
        rate, batch = line["lifecycles_per_second"], line["batch"]
        row("L1" if batch == 1 else "", f"lifecycle at the store, batches of {batch}", f"{rate}/s",
            f"fdatasync {line['fdatasyncs_per_second']}/s",
            goal(rate, ">=", 100_000, "{:,}/s") if batch == 1000 else "")
    for batch, clients, jobs in ((1, 64, 2000), (100, 16, 12_000), (1000, 4, 20_000)):
        server = Server()
        rate = worker_load(server, "lifecycles", clients, clients, batch, options.seconds * jobs)["rate"]
        row("", f"lifecycle through HTTP workers, batches of {batch}", f"{rate}/s",
            f"{clients} workers, {clients} submitters", goal(rate, ">=", 60_000, "{:,}/s") if batch == 1000 else "")
        server.stop()


def lateness(name, what, seconds, judge):
    """Of 5,000 jobs due within so many seconds: http actions, as recorded; and runs in the hands of workers."""
    server = Server()
    sync = fdatasync_ms(server.data())
    lateness_row(name, what + ": http", spread_of(lateness_of(server, due_over(seconds))), sync, judge)
    server.stop()
    server = Server()
    sync = fdatasync_ms(server.data())
    late = worker_load(server, "lateness", 4, 1000, 5000, seconds)
    lateness_row("", "  for workers that wait", late, sync, judge)
    server.stop()


def lateness_row(name, what, late, sync, judge):
    row(name, what, f"p50 {late['p50_ms']:.1f} ms, p99 {late['p99_ms']:.1f} ms",
        f"max {late['max_ms']:.1f} ms, none early; {told_sync(sync)}", *judge(late))


def due_over(seconds, jobs=5000):
    """Seconds from now."""
    return [6 + i * seconds / jobs for i in range(jobs)]


def lateness_of(server, instants):
    """Milliseconds after their instants, given in seconds from now, that http jobs start."""
    sink = Sink()
    now = datetime.datetime.now(datetime.timezone.utc)
    jobs = [job(scheduled_time=(now + datetime.timedelta(seconds=at)).isoformat(),
                action={"kind": "http", "url": sink.url}) for at in instants]
    server.submit_many(jobs)
    server.wait_for(len(jobs))
    late = [run["lateness_ms"] for run in server.all_runs("&state=succeeded")]
    assert len(late) == len(jobs) and min(late) >= 0, "a run started early"
    sink.stop()
    return late


def fdatasync_ms(folder):
    """Of 4 KiB appended, again and again."""
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        times = []
        for _ in range(300):
            os.write(file.fileno(), b"x" * 4096)
            begun = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - begun) * 1000)
    return spread_of(times)


def told_sync(sync):
    return f"fdatasync p50 {sync['p50_ms']:.2f}, p99 {sync['p99_ms']:.2f} ms"


def t1():
    lateness("T1", "lateness, 5,000 jobs due at one instant", 0, lambda late: (
        goal(late["p50_ms"], "<=", 20, "{} ms", "p50"), goal(late["p99_ms"], "<=", 60, "{} ms", "p99"),
        goal(late["p99_ms"], "<", 200, "{} ms", "p99", "floor")))


def t2():
    lateness("T2", "lateness, 5,000 jobs over 10 s", 10, t2_goals)


def t2_goals(late):
    return (goal(late["p99_ms"], "<=", 5, "{} ms", "p99"),)


def t3():
    """fdatasync in turns with the jobs, in the folder of the store."""
    server = Server()
    told = worker_load(server, "pickup", options.pickups, server.data())
    sync = {name: told["fdatasync_" + name] for name in ("p50_ms", "p99_ms")}
    row("T3", "pickup of a job for now by a worker that waits",
        f"p50 {told['p50_ms']:.2f} ms, p99 {told['p99_ms']:.2f} ms", told_sync(sync),
        goal(told["p50_ms"], "<=", 1.5 * sync["p50_ms"] + .5, "{:.2f} ms", "p50"),
        goal(told["p99_ms"], "<=", 2 * sync["p99_ms"] + 1, "{:.2f} ms", "p99"))
    server.stop()


def sizes():
    return [int(size) for size in options.sizes.split(",")]


def m1():
    large.m1(sys.modules[__name__], sizes())


def q1():
    large.q1(sys.modules[__name__], sizes())


def o1():
    overload.o1(sys.modules[__name__], options.overload_seconds)


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def drain(kind_action, count):
    """Runs a second and microseconds of CPU a run, when `count` jobs are due at one instant."""
    server = Server()
    due = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=5 + count / 2000)
    server.submit_many([{"name": "bench", "action": kind_action, "scheduled_time": due.isoformat()}
                        for _ in range(count)])
    assert server.succeeded() == 0, "the machine is too busy: jobs were due before all were submitted"
    time.sleep(max(0, due.timestamp() - time.time() - 0.1))
    used = cpu_seconds(server.process.pid)
    server.wait_for(count)
    rate = count / (time.time() - due.timestamp())
    cpu = (cpu_seconds(server.process.pid) - used) * 1e6 / count
    server.stop()
    return rate, cpu


def bare_rate(program, *arguments):
    """What a bare loop does in a second, and its microseconds of CPU each."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([BUILD / program, *arguments, str(options.seconds)], capture_output=True,
                          text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    rate = float(done.stdout)
    return rate, used * 1e6 / (rate * options.seconds)


def h1():
    sink = Sink()
    ours, cpu = drain({"kind": "http", "url": sink.url}, 20_000)
    limit, limit_cpu = bare_rate("bare_curl", sink.url)
    row("H1", "http actions, recorded durably", f"{ours:.0f} runs/s, {cpu:.0f} us CPU",
        f"{ours / limit:.0%} of bare curl {limit:.0f}/s, {limit_cpu:.0f} us", goal(ours / limit, ">=", .7, "{:.0%}"))
    sink.stop()


def p1():
    ours, cpu = drain({"kind": "command", "argv": ["/bin/true"]}, 3_000)
    limit, limit_cpu = bare_rate("bare_spawn")
    row("P1", "commands: /bin/true", f"{ours:.0f} runs/s, {cpu:.0f} us CPU",
        f"{ours / limit:.0%} of bare spawn {limit:.0f}/s, {limit_cpu:.0f} us",
        goal(ours, ">=", 1000, "{:,} runs/s"), goal(ours / limit, ">=", .9, "{:.0%}"))


def m2():
    server = Server()
    server.submit_many([{"name": f"cron {i}", "cron": f"{i % 60} {i % 24} 1 1 *",
                         "action": {"kind": "http", "url": "http://127.0.0.1:9/"}} for i in range(1000)])
    pid = server.process.pid
    ticks = lambda: sum(int(n) for n in pathlib.Path(f"/proc/{pid}/stat").read_text().split()[13:15])
    time.sleep(3)
    before = ticks()
    time.sleep(10)
    cpu = (ticks() - before) / os.sysconf("SC_CLK_TCK") / 10
    rss = server.rss_mb()
    row("M2", "idle with 1,000 cron jobs", f"{rss:.1f} MB, {cpu:.2%} of a core", "",
        goal(rss, "<=", 30, "{} MB"), goal(cpu, "<=", .005, "{:.1%}"))
    server.stop()


def c1():
    done = subprocess.run([BUILD / "cron_bench", "--benchmark_format=json"], capture_output=True, text=True, check=True)
    entries = json.loads(done.stdout)["benchmarks"]
    others = beside_cron([entry for entry in entries if not entry["name"].startswith("compile/")])
    most = {"common": 0.3, "rare": 1, "worst": 100}
    for entry in entries:
        kind, name = entry["name"].split("/", 1)
        ours = entry["cpu_time"] / 1000
        row("C1", f"{'compile' if kind == 'compile' else 'next()'}: {name}", f"{ours:.3f} us",
            beside_text(others.get(entry["name"], {}), ours),
            goal(ours, "<=", most[kind], "{} us") if kind in most else "")


def beside_cron(entries):
    """One next() of croner and cron-parser for the same schedules, in microseconds by name."""
    folder = pathlib.Path(__file__).parent.parent / "tests" / "differential"
    if not (folder / "node_modules").is_dir():
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, check=True,
                       stdout=subprocess.DEVNULL)
    questions = []
    for entry in entries:
        expression, zone = entry["label"].rsplit(" in ", 1)
        questions.append(json.dumps({"name": entry["name"], "expr": expression, "tz": zone}))
    done = subprocess.run(["node", str(pathlib.Path(__file__).parent / "cron_libraries.mjs")], check=True,
                          input="\n".join(questions), capture_output=True, text=True)
    return {answer["name"]: answer for answer in map(json.loads, done.stdout.splitlines())}


def beside_text(others, ours):
    """"croner 12.3 us (x 150), cron-parser 80 us (x 900)"; what cannot read the schedule is left out."""
    return ", ".join(f"{library} {others[library]:.1f} us (x {others[library] / ours:.0f})"
                     for library in ("croner", "cron-parser") if others.get(library) is not None)


class Others:
    """Work beside a crowd: jobs of every second, one-time jobs and immediate ones from `start` on."""

    RECURRING, ONCE_A_SECOND = 20, 20

    def __init__(self, server, url, start, seconds):
        self.server, self.submits, self.is_over = server, [], False
        self.base = {"action": {"kind": "http", "url": url}, "queue": "others", "overlap": "allow",
                     "retention": {"runs": 10_000},
                     "misfire": {"grace": "1h"}}  # however late, each instant has a run of its own
        whole = [{"cron": "* * * * * *"}] * (self.RECURRING // 2)
        lines = [{"name": "recurring", **when, **self.base} for when in whole]
        lines += [{"name": "once", "scheduled_time": utc(start + i / self.ONCE_A_SECOND).isoformat(), **self.base}
                  for i in range(round(seconds * self.ONCE_A_SECOND))]
        server.submit_many(lines)
        for _ in range(self.RECURRING - len(whole)):  # one after the other: each has instants of its own
            server.api("POST", "/api/jobs", {"name": "recurring", "every": "1s", **self.base})
            time.sleep(0.083)
        self.thread = threading.Thread(target=self.submit)
        self.thread.start()

    def submit(self):
        """A plain submit of a job that runs now, every 20 ms."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port)
        body = json.dumps({"name": "immediate", **self.base})
        while not self.is_over:
            begun = time.time()
            connection.request("POST", "/api/jobs", body, {"Authorization": "Bearer " + self.server.key,
                                                           "Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 201, answer.status
            self.submits.append((begun, (time.time() - begun) * 1000))
            time.sleep(max(0, begun + 0.02 - time.time()))

    def stop(self):
        """The milliseconds of everything, by kind, each with the instant it was meant for."""
        self.is_over = True
        self.thread.join()
        late = {"recurring": [], "once": [], "immediate": []}
        for run in self.server.all_runs("&state=succeeded"):
            if run["job_name"] in late:
                at = datetime.datetime.fromisoformat(run["planned_at"].replace("Z", "+00:00")).timestamp()
                late[run["job_name"]].append((at, run["lateness_ms"]))
        return {**late, "submit": self.submits}


def utc(timestamp):
    return datetime.datetime.fromtimestamp(timestamp, datetime.timezone.utc)


def c2():
    for count in map(int, options.crowds.split(",")):
        crowd(count)


def crowd(count):
    """Cron jobs that are all due at one instant, in a queue where one may run and hangs, so that only
    planning them costs something; and what becomes of others meanwhile."""
    server, sink = Server("--set", "queues.crowd.concurrency=1"), Sink()
    deaf = socket.create_server(("127.0.0.1", 0))
    quiet = 20
    due = (time.time() + quiet + 10 + count / 6000) // 60 * 60 + 60
    when = f"{'H' if options.spread else 0} {utc(due):%-M %-H} * * *"
    line = json.dumps({"name": "crowd", "cron": when, "queue": "crowd", "timeout": "1h", "action": {
        "kind": "http", "url": f"http://127.0.0.1:{deaf.getsockname()[1]}/"}})
    for _ in range(count // 1000):
        server.submit_lines("\n".join([line] * 1000))
    assert time.time() < due - quiet, "the machine is too busy: the crowd was due before it was submitted"
    time.sleep(due - quiet - time.time())
    server.connection.close()  # the server has closed it: it was idle for long
    sent = time.time()
    others = Others(server, sink.url, sent + 3, quiet + 20 + count / 5000)
    time.sleep(max(0, due - time.time()))
    while server.gauge("chronos_runs_ready") + 1 < count:
        time.sleep(0.02)
    end = time.time()
    time.sleep(2 + (end - due) / 10)
    row("C2", f"{count:,} cron jobs due {'in one minute' if options.spread else 'at once'}, planned",
        f"{end - due:.1f} s, {count / (end - due):,.0f}/s")
    for kind, late in others.stop().items():
        text = lambda window: (f"p50 {percentile(window, .5):.1f}, p99 {percentile(window, .99):.1f}, "
                               f"max {max(window):.0f} ms")
        row("", f"  meanwhile {kind}", text([ms for at, ms in late if due <= at < max(end, due + 1)]),
            "before " + text([ms for at, ms in late if sent + 5 <= at < due - 1]))
    server.stop()
    sink.stop()
    deaf.close()


print(f"{'':4} {'what':46} {'Chronos':>28}  {'beside it':>34}")
for name in options.only.split(","):
    {"S1": s1, "S2": s2, "L1": l1, "T1": t1, "T2": t2, "T3": t3, "H1": h1, "P1": p1, "M1": m1, "M2": m2,
     "Q1": q1, "O1": o1, "C1": c1, "C2": c2}[name]()
