"""The oracle of the rigs and the engine agree; so neither is wrong by itself.

CHRONOS_INSTANTS is the number of random schedules (400), CHRONOS_SEED repeats them.
"""
import datetime
import json
import os
import pathlib
import random
import subprocess
import time

import instants

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = (ROOT / os.environ.get("CHRONOS_BINARY", "build/release/chronos")).resolve()
CASES = int(os.environ.get("CHRONOS_INSTANTS", "400"))
SEED = int(os.environ.get("CHRONOS_SEED", time.time_ns() % 10 ** 9))
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Cairo",
         "America/Sao_Paulo", "Asia/Tehran", "America/St_Johns", "Africa/Casablanca"]
SPAN, COUNT = 3 * 86400, 40


def field(dice, low, high, wild):
    """A random one; `wild` is how often it is left open, or a step."""
    if dice.random() < wild:
        return dice.choice(["*", "*", f"*/{dice.randint(2, 20)}"])
    items = []
    for _ in range(dice.randint(1, 2)):
        begin = dice.randint(low, high)
        items.append(dice.choice([str(begin), f"{begin}-{dice.randint(begin, high)}"]))
    return ",".join(items)


def case(dice):
    parts = [field(dice, 0, 59, 0.3), field(dice, 0, 3, 0.4), field(dice, 1, 31, 0.8),
             field(dice, 1, 12, 0.9), field(dice, 0, 6, 0.8)]
    if dice.random() < 0.3:
        parts.insert(0, field(dice, 0, 59, 0.1))
    zone = dice.choice(ZONES)
    begin = change_near(zone, dice) - SPAN // 2
    return {"expr": " ".join(parts), "tz": zone, "from": begin}


def change_near(zone, dice):
    """A change of the zone's clock, if it has any in a year; else some instant of the year."""
    year = dice.randint(1980, 2036)
    start = int(datetime.datetime(year, 1, 1, tzinfo=datetime.timezone.utc).timestamp())
    where = instants.zone_of(zone)
    offsets = [(at, datetime.datetime.fromtimestamp(at, where).utcoffset())
               for at in range(start, start + 366 * 86400, 86400)]
    changes = [at for (_, before), (at, after) in zip(offsets, offsets[1:]) if before != after]
    return dice.choice(changes or [at for at, _ in offsets])


def iso(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def engine(cases):
    lines = "\n".join(json.dumps({**one, "from": iso(one["from"]), "count": COUNT}) for one in cases) + "\n"
    done = subprocess.run([BINARY, "cron", "--batch"], input=lines, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def seconds_of(text):
    return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


def test_the_engine_agrees():
    dice = random.Random(SEED)
    cases = [case(dice) for _ in range(CASES)]
    compared = 0
    for one, told in zip(cases, engine(cases), strict=True):
        if "error" in told:  # a date that no year has
            continue
        until = one["from"] + SPAN
        theirs = [at for at in map(seconds_of, told["next"]) if at <= until]
        ours = instants.cron_instants(one["expr"], one["from"], until, one["tz"])[:COUNT]
        assert theirs == ours, (SEED, one, told)
        compared += len(ours)
    assert compared > CASES


def test_a_fixed_time_in_a_gap_comes_at_its_end():
    begin = seconds_of("2026-03-29T00:00:00Z")
    assert instants.cron_instants("30 2 * * *", begin, begin + 7200, "Europe/Berlin") == [
        seconds_of("2026-03-29T01:00:00Z")]
    assert instants.cron_instants("30 2 * * *", begin, begin + 7200, "Europe/Berlin", skips=True) == []


def test_an_interval_has_both_passes_of_an_overlap():
    begin = seconds_of("2026-10-25T00:00:00Z") - 1
    assert len(instants.cron_instants("*/30 2 * * *", begin, begin + 7200, "Europe/Berlin")) == 4
    assert len(instants.cron_instants("0,30 2 * * *", begin, begin + 7200, "Europe/Berlin")) == 2


def test_every_counts_from_its_anchor():
    assert instants.every_instants(7, 100, 90, 121) == [100, 107, 114, 121]
    assert instants.every_instants(7, 100, 107, 121) == [114, 121]
