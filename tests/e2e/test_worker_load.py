"""The load generator of the rows of `make bench` with remote workers, and how these rows are judged. It lies beside
the server."""
import datetime
import json
import re
import subprocess
import sys

import pytest
from chronos_server import BINARY, ROOT

sys.path.append(str(ROOT / "bench"))
import goals  # noqa: E402


def worker_load(server, *words, key=None):
    return subprocess.run([BINARY.parent / "worker_load", str(server.port), key or server.key, *map(str, words)],
                          capture_output=True, text=True, timeout=120, check=False)


def told(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def planned(runs):
    return sorted(datetime.datetime.fromisoformat(run["planned_at"].replace("Z", "+00:00")) for run in runs)


def succeeded(server):
    """All runs there are, of which each is the only attempt of its job."""
    runs = list(server.pages("/api/runs", "runs"))
    assert {run["state"] for run in runs} == {"succeeded"}
    assert len({run["job_id"] for run in runs}) == len(runs)
    return runs


@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_every_lifecycle_is_whole(new_server, batch):
    server = new_server()
    figures = told(worker_load(server, "lifecycles", 3, 2, batch, 100))
    assert (figures["jobs"], figures["settled"], figures["twice"]) == (100, 100, 0)
    assert figures["rate"] > 0
    assert len(succeeded(server)) == 100


@pytest.mark.parametrize("seconds", [0, 1])
def test_no_job_begins_before_its_instant(new_server, seconds):
    server = new_server()
    figures = told(worker_load(server, "lateness", 2, 50, 200, seconds))
    assert (figures["settled"], figures["twice"], figures["early"]) == (200, 0, 0)
    assert 0 <= figures["p50_ms"] <= figures["p99_ms"] <= figures["max_ms"]
    instants = planned(succeeded(server))
    assert len(instants) == 200
    assert (instants[-1] - instants[0]) / datetime.timedelta(seconds=1) == pytest.approx(seconds * 199 / 200)


def test_pickups_are_measured_beside_the_disk(new_server):
    server = new_server()
    before = sorted(server.data_dir.iterdir())
    figures = told(worker_load(server, "pickup", 10, server.data_dir))
    assert (figures["settled"], figures["twice"]) == (10, 0)
    assert 0 < figures["p50_ms"] <= figures["p99_ms"] <= figures["max_ms"]
    assert 0 < figures["fdatasync_p50_ms"] <= figures["fdatasync_p99_ms"]
    assert len(succeeded(server)) == 10
    assert sorted(server.data_dir.iterdir()) == before


def test_a_number_that_comes_twice_is_told(new_server):
    server = new_server()
    server.submit({"kind": "worker"}, payload={"number": 0})
    assert told(worker_load(server, "lifecycles", 1, 1, 10, 10))["twice"] == 1


def test_what_the_server_refuses_ends_it(new_server):
    done = worker_load(new_server(), "lifecycles", 1, 1, 10, 10, key="none")
    assert done.returncode == 1 and "401" in done.stderr, done


@pytest.mark.parametrize("value, sign, limit, verdict", [
    (80, ">=", 80, "holds"), (79, ">=", 80, "missed"), (60, "<=", 60, "holds"), (61, "<=", 60, "missed"),
    (199, "<", 200, "holds"), (200, "<", 200, "missed")])
def test_goals_are_judged(value, sign, limit, verdict):
    assert goals.goal(value, sign, limit, "{} ms", "p99") == f"goal p99 {sign} {limit} ms: {verdict}"
    assert goals.goal(value, sign, limit, word="floor") == f"floor {sign} {limit}: {verdict}"


def test_the_table_judges_its_rows():
    done = subprocess.run([sys.executable, ROOT / "bench" / "run.py", BINARY.parent, "--only", "T3", "--pickups", "10"],
                          capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    row = done.stdout.splitlines()[1]
    assert re.match(r"T3 .* p50 [\d.]+ ms, p99 [\d.]+ ms .*fdatasync p50 [\d.]+, p99 [\d.]+ ms  "
                    r"goal p50 <= [\d.]+ ms: (holds|missed); goal p99 <= [\d.]+ ms: (holds|missed)$", row), row
