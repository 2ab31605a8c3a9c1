#!/usr/bin/env python3
"""Runs the rigs in turns, on and on: crashes under load, faults of clusters, simulator seeds, fuzz targets.

Usage: soak.py BUILD_DIR [--seconds N] [--only crash,faults,sim,fuzz]. What ran stands in build/soak/log.jsonl, one line a
turn; a later call goes on with the seeds that follow. A turn that fails is told with how to repeat it; the others go
on, and the end is non-zero. Ctrl-C or --seconds ends it after the turn under way.
"""
import argparse
import datetime
import json
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "soak"
LOG = FOLDER / "log.jsonl"
SEEDS = 500  # of the simulator, in a turn
FUZZ_SECONDS = 60
FAULT_ROUNDS = 5  # of each rig, in a turn


def past(what):
    if not LOG.exists():
        return []
    return [line for line in map(json.loads, LOG.read_text().splitlines()) if line["what"] == what]


def run(command, **env):
    done = subprocess.run([str(word) for word in command], cwd=ROOT, env={**os.environ, **env}, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def crash(build):
    seed = 1 + max((line["seed"] for line in past("crash")), default=0)
    report = FOLDER / f"crash-{seed}.jsonl"
    report.unlink(missing_ok=True)
    code, output = run(["/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/crash"],
                       CHRONOS_BINARY=str(build / "chronos"), CHRONOS_SEED=str(seed), CHRONOS_REPORT=str(report))
    told = [json.loads(line) for line in report.read_text().splitlines()] if report.exists() else []
    counts = {kind: sum(one["crash"] == kind and one["was_reached"] for one in told)
              for kind in ("RandomKill", "CallKill", "CallError")}
    return {"seed": seed, "n": counts, "again": f"CHRONOS_SEED={seed} pytest tests/crash"}, code, output


def faults(build):
    seed = 1 + max((line["seed"] for line in past("faults")), default=0)
    code, output = run(["/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/faults"],
                       CHRONOS_BINARY=str(build / "chronos"), CHRONOS_SEED=str(seed), CHRONOS_ROUNDS=str(FAULT_ROUNDS))
    return {"seed": seed, "rounds": FAULT_ROUNDS, "again": f"CHRONOS_SEED={seed} CHRONOS_ROUNDS={FAULT_ROUNDS} pytest "
            "tests/faults"}, code, output


def sim(build):
    first = 1 + max((line["last"] for line in past("sim")), default=0)
    last = first + SEEDS - 1
    code, output = run([build / "sim", "--seeds", first, last])
    failed = [line.split()[1].rstrip(":") for line in output.splitlines() if line.endswith("FAILED")]
    return {"first": first, "last": last, "failed": failed, "again": f"make sim SEED={(failed or [first])[0]}"}, code, output


def fuzz(_):
    names = sorted(path.stem.removeprefix("fuzz_") for path in (ROOT / "build" / "fuzz").glob("fuzz_*") if not path.suffix)
    if not names:
        return {"target": None, "again": "cmake --preset fuzz && cmake --build build/fuzz"}, 0, ""
    name = names[len(past("fuzz")) % len(names)]
    code, output = run([ROOT / "tools" / "fuzz.sh", name, FUZZ_SECONDS])
    return {"target": name, "seconds": FUZZ_SECONDS, "again": f"make fuzz T={name}"}, code, output


TURNS = {"crash": crash, "faults": faults, "sim": sim, "fuzz": fuzz}


def turn(what, build):
    began = time.time()
    facts, code, output = TURNS[what](build)
    line = {"at": datetime.datetime.now().isoformat(timespec="seconds"), "what": what, **facts,
            "took": round(time.time() - began), "passed": code == 0}
    with open(LOG, "a", encoding="utf-8") as log:
        log.write(json.dumps(line) + "\n")
    print(json.dumps(line), flush=True)
    if code != 0:
        print(output[-4000:], flush=True)
    return code == 0


def main():
    words = argparse.ArgumentParser(description="Runs the rigs in turns, on and on.")
    words.add_argument("build", type=pathlib.Path)
    words.add_argument("--seconds", type=float, default=float("inf"))
    words.add_argument("--only", default=",".join(TURNS))
    told = words.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    end, fine = time.monotonic() + told.seconds, True
    try:
        while time.monotonic() < end:
            for what in told.only.split(","):
                fine = turn(what, told.build.resolve()) and fine
    except KeyboardInterrupt:
        pass
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
