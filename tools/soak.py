#!/usr/bin/env python3
"""Runs the rigs in turns, on and on: crashes under load, power cuts, faults of clusters, halves of clusters cut off
for minutes, simulator seeds, fuzz targets.

Usage: soak.py BUILD_DIR [--seconds N] [--only crash,power,faults,partitions,sim,fuzz], or soak.py --totals. What ran
stands in build/soak/log.jsonl, one line a turn: whether it passed, failed, or was skipped because nothing of it can run
here (fuzz targets are those that `make fuzz` has built), and which of its tests were. A later call goes on with the seeds
that follow.
A turn that fails is told with how to repeat it; the others go on, and the end is non-zero. What all turns of the log
together have tried is told after each, and by --totals alone. --seconds ends it after the turn under way, Ctrl-C at once,
and so does a round in which nothing could run.
"""
import argparse
import collections
import datetime
import itertools
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "soak"
LOG = FOLDER / "log.jsonl"
SEEDS = 500  # of the simulator, in a turn
FUZZ_SECONDS = 60
FAULT_ROUNDS = 5  # of each rig, in a turn
POWER_CUTS = 5000  # in a turn


def past(what):
    if not LOG.exists():
        return []
    return [line for line in map(json.loads, LOG.read_text().splitlines()) if line["what"] == what]


def run(command, **env):
    done = subprocess.run([str(word) for word in command], cwd=ROOT, env={**os.environ, **env}, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def tests(folder, build, **env):
    """Of pytest: what is to be told of them, exit code, output."""
    report = FOLDER / "report.xml"
    report.unlink(missing_ok=True)
    code, output = run(["/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junit-xml={report}", folder],
                       CHRONOS_BINARY=str(build / "chronos"), **env)
    cases = list(xml.etree.ElementTree.parse(report).iter("testcase")) if report.exists() else []
    skipped = [case.get("name") for case in cases if case.find("skipped") is not None]
    return {"ran": len(cases) - len(skipped), "skipped": skipped}, code, output


def crash(build):
    seed = 1 + max((line["seed"] for line in past("crash")), default=0)
    report = FOLDER / f"crash-{seed}.jsonl"
    report.unlink(missing_ok=True)
    counted, code, output = tests("tests/crash", build, CHRONOS_SEED=str(seed), CHRONOS_REPORT=str(report))
    told = [json.loads(line) for line in report.read_text().splitlines()] if report.exists() else []
    counts = {kind: sum(one["crash"] == kind and one["was_reached"] for one in told)
              for kind in ("RandomKill", "CallKill", "CallError", "AllocationFailure", "WorkerKill", "WorkerStop")}
    return {"seed": seed, "n": counts, **counted, "again": f"CHRONOS_SEED={seed} pytest tests/crash"}, code, output


def of_clusters(what, where, build, **env):
    """A turn of these tests, as they report of it."""
    seed = 1 + max((line["seed"] for line in past(what)), default=0)
    report = FOLDER / f"{what}-{seed}.jsonl"
    report.unlink(missing_ok=True)
    env = {"CHRONOS_SEED": str(seed), **env}
    counted, code, output = tests(where, build, CHRONOS_REPORT=str(report), **env)
    counts = collections.Counter()
    for one in map(json.loads, report.read_text().splitlines() if report.exists() else ()):
        counts[one["what"]] += one["n"]
    again = " ".join(f"{name}={value}" for name, value in env.items())
    return {"seed": seed, "n": counts, **counted, "again": f"{again} pytest {where}"}, code, output


def faults(build):
    return of_clusters("faults", "tests/faults", build, CHRONOS_ROUNDS=str(FAULT_ROUNDS))


def partitions(build):
    return of_clusters("partitions", "tests/faults/test_partitions.py", build, CHRONOS_ROUNDS="3",
                       CHRONOS_PARTITION="200")


def power(build):
    seed = 1 + max((line["seed"] for line in past("power")), default=0)
    code, output = run([build / "power_test", "--gtest_filter=PowerCut.*"], CHRONOS_SEED=str(seed),
                       CHRONOS_POWER_CUTS=str(POWER_CUTS))
    told = re.search(r"^(\d+) cuts ", output, re.MULTILINE)
    cuts = int(told[1]) if told else 0
    again = f"CHRONOS_SEED={seed} CHRONOS_POWER_CUTS={POWER_CUTS} build/release/power_test --gtest_filter='PowerCut.*'"
    return {"seed": seed, "cuts": cuts, "ran": cuts, "again": again}, code, output


def sim(build):
    first = 1 + max((line["last"] for line in past("sim")), default=0)
    last = first + SEEDS - 1
    code, output = run([build / "sim", "--seeds", first, last])
    failed = [line.split()[1].rstrip(":") for line in output.splitlines() if line.endswith("FAILED")]
    return {"first": first, "last": last, "ran": SEEDS, "failed": failed,
            "again": f"make sim SEED={(failed or [first])[0]}"}, code, output


def fuzz(_):
    names = sorted(path.stem.removeprefix("fuzz_") for path in (ROOT / "build" / "fuzz").glob("fuzz_*") if not path.suffix)
    if not names:
        return {"target": None, "ran": 0, "again": "make fuzz T=schedule"}, 0, ""
    name = names[sum(line["target"] is not None for line in past("fuzz")) % len(names)]
    code, output = run([ROOT / "tools" / "fuzz.sh", name, FUZZ_SECONDS])
    return {"target": name, "seconds": FUZZ_SECONDS, "ran": 1, "again": f"make fuzz T={name}"}, code, output


TURNS = {"crash": crash, "power": power, "faults": faults, "partitions": partitions, "sim": sim, "fuzz": fuzz}


def totals():
    """Of all turns in the log."""
    def tried(what, key):
        return sum(line[key] for line in past(what))

    def reached(kind, *turns):
        return sum(line.get("n", {}).get(kind, 0) for what in turns or ["crash"] for line in past(what))

    faulty = ("taken over", "restarts", "promotions", "halves cut off", "targets")

    count = {"kill points": reached("CallKill"), "random kills": reached("RandomKill"),
             "killed workers": reached("WorkerKill"), "stopped workers": reached("WorkerStop"),
             "failing calls": reached("CallError"), "failing allocations": reached("AllocationFailure"),
             "power cuts": tried("power", "cuts"),
             **{kind: reached(kind, "faults", "partitions") for kind in faulty},
             "simulator seeds": tried("sim", "ran"), "fuzzed seconds": sum(line.get("seconds", 0) for line in past("fuzz")),
             "failed turns": sum(line.get("result") == "failed" for what in TURNS for line in past(what))}
    return "in all: " + ", ".join(f"{n} {what}" for what, n in count.items())


def turn(what, build):
    """Its result: passed, failed or skipped."""
    began = time.time()
    facts, code, output = TURNS[what](build)
    result = "failed" if code != 0 else "passed" if facts["ran"] else "skipped"
    line = {"at": datetime.datetime.now().isoformat(timespec="seconds"), "what": what, **facts,
            "took": round(time.time() - began), "result": result}
    with open(LOG, "a", encoding="utf-8") as log:
        log.write(json.dumps(line) + "\n")
    print(json.dumps(line), flush=True)
    if result == "failed":
        print(output[-4000:], flush=True)
    print(totals(), flush=True)
    return result


def main():
    words = argparse.ArgumentParser(description="Runs the rigs in turns, on and on.")
    words.add_argument("build", type=pathlib.Path, nargs="?")
    words.add_argument("--totals", action="store_true")
    words.add_argument("--seconds", type=float, default=float("inf"))
    words.add_argument("--only", default=",".join(TURNS))
    told = words.parse_args()
    if told.totals:
        print(totals())
        return 0
    if not told.build:
        words.error("which build?")
    FOLDER.mkdir(parents=True, exist_ok=True)
    kinds, end, results = told.only.split(","), time.monotonic() + told.seconds, []
    try:
        for what in itertools.cycle(kinds):
            if time.monotonic() >= end:
                break
            results.append(turn(what, told.build.resolve()))
            if results[-len(kinds):] == ["skipped"] * len(kinds):
                print("nothing can run here", flush=True)
                return 1
    except KeyboardInterrupt:
        pass
    return 1 if "failed" in results else 0


if __name__ == "__main__":
    sys.exit(main())
