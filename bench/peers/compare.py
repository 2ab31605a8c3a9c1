#!/usr/bin/env python3
"""Runs the same work on Chronos and on its peers, taking turns, and writes what came out.

usage: compare.py BUILD-DIR [--rounds N] [--rows S1,T1,…] [--peers NAME,…] [--workers N]
                  [--quick] [--dir FOLDER] [--out FILE]

Every measurement has a server freshly started on an empty folder, and a driver (drive.mjs) that is told
the work and prints one line of figures. bench/RESULTS.md is written by a whole run of at least five
rounds; anything less is written beside the build. docs/benchmarks.md says what the rows mean.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import report
import servers

HERE = pathlib.Path(__file__).resolve().parent
DRIVER_SECONDS = 120

FULL = {
    "S1": {"clients": 64, "seconds": 3},
    "L1": {"jobs": 20_000, "seconds": 5, "batch": 1000, "callers": 4},
    "T1": {"jobs": 5000, "lead": 6},
    "T2": {"jobs": 5000, "lead": 6, "spread": 10},
    "T3": {"jobs": 220},
}
FULL["L2"] = FULL["L2N"] = {**FULL["L1"], "workload": "L1"}
QUICK = {
    "S1": {"clients": 64, "seconds": 1},
    "L1": {"jobs": 3000, "seconds": 2, "batch": 1000, "callers": 4},
    "T1": {"jobs": 500, "lead": 3},
    "T2": {"jobs": 500, "lead": 3, "spread": 1},
    "T3": {"jobs": 40},
}
QUICK["L2"] = QUICK["L2N"] = {**QUICK["L1"], "workload": "L1"}
# Of the clusters: how many nodes, and what they do.
NODES = {1: ["L2", "L2N"], 2: ["L2N"], 3: ["L2", "L2N", "T1", "T2"], 4: ["L2N"], 5: ["L2N"]}


class Participant:
    """One column of the comparison: a driver and the server it drives."""

    def __init__(self, identity, title, driver, server, **more):
        self.identity, self.title, self.driver, self.server, self.more = identity, title, driver, server, more

    def about(self, node, versions):
        said = json.loads(subprocess.run([node, HERE / "drive.mjs", self.driver, "about"], check=True,
                                         capture_output=True, text=True).stdout)
        packages = [f"{name} {versions[name]}" for name in said.pop("packages")]
        version = ", ".join(filter(None, [*packages, self.server.version()]))
        return {**said, "id": self.identity, "title": self.title, "version": version,
                "durable": self.server.durable, "durability": self.server.durability}

    def measure(self, node, task, folder):
        with self.server.start(folder) as where:
            return last_line([node, HERE / "drive.mjs", self.driver, json.dumps({**task, **where, **self.more})])


class PulledChronos(Participant):
    """Chronos again, its due jobs pulled by a worker like the peers' instead of called over HTTP."""

    def about(self, node, versions):
        settings = "jobs of action worker, taken by a worker as in T3"
        rows = ["T1", "T2"]
        return {**super().about(node, versions), "rows": rows, "settings": dict.fromkeys(rows, settings)}


class ChronosNodes(Participant):
    """Nodes of Chronos on one PostgreSQL server."""

    def __init__(self, build, nodes, rows):
        some = "1 node" if nodes == 1 else f"{nodes} nodes"
        super().__init__(f"chronos-pg{nodes}", f"Chronos on PostgreSQL, {some}", "chronos",
                         servers.Cluster(build, nodes))
        self.rows = rows

    def about(self, node, versions):
        said = super().about(node, versions)
        among = {**said["settings"], **dict.fromkeys(("L2", "L2N"), said["settings"]["L1"])}
        return {**said, "rows": self.rows, "documented": "docs/configuration.md: all defaults; docs/cluster.md",
                "settings": {row: f"{among[row]}; callers and loops spread over the nodes" for row in self.rows}}


class LoadGenerator(Participant):
    """Chronos again, under the load generator in C++: what the server does when its client costs little."""

    def about(self, node, versions):
        return {"id": self.identity, "title": self.title, "version": self.server.version(),
                "durable": self.server.durable, "durability": self.server.durability, "rows": ["S1"],
                "documented": "docs/configuration.md: all defaults",
                "settings": {"S1": "bench/load.cc instead of Node, 64 keep-alive connections"}}

    def measure(self, node, task, folder):
        body = folder / "body.json"
        body.write_text(json.dumps({"name": "bench", "action": {"kind": "worker"},
                                    "payload": {"id": 0, "text": "x" * 180}}))
        with self.server.start(folder) as where:
            done = last_line([self.server.binary.parent / "load", str(where["port"]), str(task["clients"]),
                              str(task["seconds"]), "/api/submitJob", where["key"], body])
        if done["bad"]:
            raise RuntimeError(f"{done['bad']} submits were refused")
        return done


def last_line(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=DRIVER_SECONDS, check=False)
    except subprocess.TimeoutExpired as late:  # which would tell the whole command
        raise RuntimeError(f"the driver did not end within {late.timeout} s") from None
    if done.returncode != 0:
        said = re.search(r"Error: (.+)", done.stderr)
        raise RuntimeError(said.group(1)[:400] if said else
                           f"the driver ended with {done.returncode}: {done.stderr[-400:]!r}")
    return json.loads(done.stdout.splitlines()[-1])


def participants(build):
    chronos = servers.Chronos(build)
    return [
        Participant("chronos", "Chronos", "chronos", chronos),
        PulledChronos("chronos-worker", "Chronos, taken by a worker", "chronos", chronos, action="worker"),
        LoadGenerator("chronos-load", "Chronos, load generator in C++", "", chronos),
        *(ChronosNodes(build, nodes, rows) for nodes, rows in NODES.items()),
        Participant("beanstalkd-f0", "beanstalkd -f0", "beanstalkd", servers.Beanstalkd(0)),
        Participant("beanstalkd-f50", "beanstalkd -f50", "beanstalkd", servers.Beanstalkd(50)),
        Participant("bullmq-always", "BullMQ, appendfsync always", "bullmq", servers.Redis("always")),
        Participant("bullmq-everysec", "BullMQ, appendfsync everysec", "bullmq", servers.Redis("everysec")),
        Participant("graphile-worker", "graphile-worker", "graphile_worker", servers.Postgres()),
        Participant("pg-boss", "pg-boss", "pg_boss", servers.Postgres()),
        Participant("node-schedule", "node-schedule", "node_schedule", servers.Memory()),
    ]


def install():
    """Node and the npm packages as the lock file has them, at most once for each lock file."""
    lock, stamp = HERE / "package-lock.json", HERE / "node_modules" / ".installed-lock.json"
    if not stamp.exists() or stamp.read_bytes() != lock.read_bytes():
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=HERE,
                       check=True, stdout=subprocess.DEVNULL)
        shutil.copy(lock, stamp)
    versions = {name.removeprefix("node_modules/"): entry["version"]
                for name, entry in json.loads(lock.read_text())["packages"].items() if name}
    ours = HERE / "node_modules" / ".bin" / "node"
    return (str(ours) if ours.exists() else "node"), versions


def fdatasync_p50_ms(folder, seconds=0.3):
    took = []
    with open(folder / "sync", "wb", buffering=0) as file:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            file.write(b"x" * 4096)
            begun = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append((time.perf_counter() - begun) * 1000)
    return statistics.median(took)


def busy_share(seconds=1.0):
    """The share of all processors that anything used while we slept."""
    def now():
        fields = [int(word) for word in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        return sum(fields), fields[3] + fields[4]
    total, idle = now()
    time.sleep(seconds)
    total_after, idle_after = now()
    return 1 - (idle_after - idle) / max(1, total_after - total)


def filesystem(folder):
    done = subprocess.run(["df", "--output=fstype", folder], capture_output=True, text=True, check=True)
    return done.stdout.split()[-1]


def machine(folder, node):
    cpu = re.search(r"model name\s*:\s*(.+)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text()).group(1))
    system = re.search(r'PRETTY_NAME="(.+)"', pathlib.Path("/etc/os-release").read_text())
    return {"processor": cpu.group(1) if cpu else platform.machine(), "cores": os.cpu_count(),
            "memory_gb": round(memory / 2**20), "kernel": platform.release(),
            "system": system.group(1) if system else platform.system(), "node": servers.first_line([node, "--version"]),
            "filesystem": filesystem(folder)}


def parse():
    parser = argparse.ArgumentParser(description="Chronos beside its peers")
    parser.add_argument("build")
    parser.add_argument("--rounds", type=int, help="of each row (5; with --quick 1)")
    parser.add_argument("--rows", default=",".join(report.ROWS))
    parser.add_argument("--peers", help="only these beside Chronos, by identity")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that everything works")
    parser.add_argument("--workers", type=int, default=1, help="worker processes of L1, L2, L2N (1)")
    parser.add_argument("--dir", default=tempfile.gettempdir(), help="where servers keep their data; a real disk")
    parser.add_argument("--out", help="where the Markdown goes")
    options = parser.parse_args()
    options.rounds = options.rounds or (1 if options.quick else 5)
    options.rows = options.rows.split(",")
    for row in options.rows:
        if row not in report.ROWS:
            parser.error(f"--rows: no row {row}; there are {', '.join(report.ROWS)}")
    return parser, options


def chosen(parser, options):
    everyone = participants(options.build)
    if not options.peers:
        return everyone
    wanted = options.peers.split(",")
    for name in wanted:
        if name not in [one.identity for one in everyone]:
            parser.error(f"--peers: no peer {name}; there are {', '.join(one.identity for one in everyone[1:])}")
    return [one for one in everyone if one.identity in ("chronos", *wanted)]


def one_run(record, node, row, number, one, folder):
    entry = {"row": row, "round": number, "participant": one.identity}
    with servers.fresh_folder(folder) as own:
        try:
            entry["figures"] = one.measure(node, {"workload": row, **record["sizes"][row]}, own)
            told = ", ".join(f"{key} {report.number(value)}" for key, value in entry["figures"].items())
        except (RuntimeError, subprocess.SubprocessError, OSError, ValueError) as error:
            entry["error"] = told = str(error)
    record["runs"].append(entry)
    print(f"{row} round {number + 1}: {one.title}: {told}", file=sys.stderr, flush=True)


def run(options, everyone, node, abouts, folder):
    sizes = {**(QUICK if options.quick else FULL)}
    for row in ("L1", "L2", "L2N"):
        sizes[row] = {**sizes[row], "workers": options.workers}
    record = {"date": datetime.date.today().isoformat(), "rounds": options.rounds, "quick": options.quick,
              "command": "make bench-peers" + (f' ARGS="{" ".join(sys.argv[2:])}"' if sys.argv[2:] else ""),
              "machine": machine(folder, node), "sizes": {row: sizes[row] for row in options.rows},
              "participants": abouts, "busy": [], "fdatasync_p50_ms": [], "runs": []}
    able = {about["id"]: about["rows"] for about in abouts}
    for row in options.rows:
        for number in range(options.rounds):
            record["busy"].append(busy_share())
            turn = number % len(everyone)  # nobody is always first
            for one in everyone[turn:] + everyone[:turn]:
                if row in able[one.identity]:
                    record["fdatasync_p50_ms"].append(fdatasync_p50_ms(folder))
                    one_run(record, node, row, number, one, folder)
    return record


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # servers are stopped on the way out
    parser, options = parse()
    everyone = chosen(parser, options)
    node, versions = install()
    abouts = [one.about(node, versions) for one in everyone]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="chronos-peers-", dir=options.dir))
    try:
        if (kind := filesystem(folder)) in ("tmpfs", "ramfs"):
            parser.error(f"--dir: {options.dir} is {kind}, where a sync costs nothing; give a folder on a disk")
        record = run(options, everyone, node, abouts, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    build = pathlib.Path(options.build)
    (build / "peers.json").write_text(json.dumps(record, indent=1), encoding="utf-8")
    whole = options.rounds >= report.ROUNDS_TO_PUBLISH and not options.quick and not options.peers and \
        options.rows == list(report.ROWS)
    out = pathlib.Path(options.out) if options.out else (HERE.parent / "RESULTS.md" if whole else build / "peers.md")
    out.write_text(report.markdown(record), encoding="utf-8")
    print(report.text(record))
    print(f"written: {out} and {build / 'peers.json'}")
    for said in report.warnings(record):
        print(f"not for publication: {said}")
    return 1 if any("error" in entry for entry in record["runs"]) else 0


if __name__ == "__main__":
    sys.exit(main())
