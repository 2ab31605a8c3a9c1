"""The workload on which Jepsen broke another Chronos in 2015 (https://aphyr.com/posts/326-jepsen-chronos), on ours:
five nodes, and again and again a random half of them is cut off from the database. Each target, an instant of a
schedule, must be met by a run of its own within its time; targets nobody met are counted, and so are runs that meet
none.

CHRONOS_PARTITION=200 and CHRONOS_ROUNDS=3 are as long as it was then; here it is shorter.
"""
import contextlib
import datetime
import os
import time

import pytest
from chronos_server import wait_until
from link import Link
from partition import Machine, Net, are_there

NODES, JOBS, EVERY = 5, 4, 5
# Healthy: a start is not a second late. Cut off: until the lease has ended and somebody looks.
EPSILON = 20 + 3
SECONDS = int(os.environ.get("CHRONOS_PARTITION", "20"))


class Loopback:
    """Where there are no namespaces: a wire that can be cut between each node and the database."""

    def __init__(self, postgres):
        self.links = [Link(("127.0.0.1", postgres.port)) for _ in range(NODES)]

    def urls(self):
        return [f"postgres://postgres@127.0.0.1:{link.port}/postgres" for link in self.links]

    def cut(self, number):
        self.links[number].cut()

    def heal(self, number):
        self.links[number].heal()

    def close(self):
        for link in self.links:
            link.close()


class Namespaces:
    """A machine for each node; the database is on the bridge."""

    def __init__(self, net, postgres):
        self.net, self.postgres = net, postgres
        self.hosts = [net.add() for _ in range(NODES)]

    def urls(self):
        return [f"postgres://postgres@{self.net.address(254)}:{self.postgres.port}/postgres"] * NODES

    def cut(self, number):
        self.net.cut(self.hosts[number])

    def heal(self, number):
        self.net.heal(self.hosts[number])


@pytest.fixture
def five(new_postgres, new_node, tmp_path):
    """The nodes, and what lies between them and the database."""
    postgres = new_postgres(listen="0.0.0.0")
    with contextlib.ExitStack() as undo:
        if are_there():
            net = Net()
            undo.callback(net.close)
            between, nodes = Namespaces(net, postgres), []
            for host, url in zip(between.hosts, between.urls()):
                folder = tmp_path / f"machine{host}"
                folder.mkdir()
                nodes.append(Machine(net, host, folder, url))
                undo.callback(nodes[-1].close)
                nodes[-1].key = nodes[0].key
                nodes[-1].start()
        else:
            between = Loopback(postgres)
            undo.callback(between.close)
            nodes = [new_node(url) for url in between.urls()]
        yield nodes, between


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def starts(log):
    """(planned instant, when it began, run, attempt), as the jobs wrote it."""
    for line in log.read_text().splitlines():
        planned, began, run, attempt = line.split()
        yield seconds(planned), float(began), run, int(attempt)


def submit(node, name, log, runs):
    script = f'echo "$CHRONOS_PLANNED_AT $(date +%s.%N) $CHRONOS_RUN_ID $CHRONOS_ATTEMPT" >>{log}'
    answer = node.api("POST", "/api/submitJob", {
        "name": name, "every": f"{EVERY}s", "max_runs": runs, "max_attempts": 5, "retry": {"delay": "0s"},
        "overlap": "allow", "action": {"kind": "command", "argv": ["sh", "-c", script]}})
    assert answer.status == 201, answer
    return answer.body["id"]


def test_each_target_is_met_although_random_halves_are_cut_off(five, tmp_path, rounds, chance):
    nodes, between = five
    turns = rounds(1)
    count = (len(turns) * 2 * SECONDS + 10) // EVERY
    logs = [tmp_path / f"job{number}" for number in range(JOBS)]
    for log in logs:
        log.touch()
    jobs = [submit(nodes[number % NODES], f"job {number}", log, count) for number, log in enumerate(logs)]
    for _ in turns:
        time.sleep(SECONDS)
        half = chance.sample(range(NODES), chance.choice([NODES // 2, NODES - NODES // 2]))
        print("cut off:", half)
        for number in half:
            between.cut(number)
        time.sleep(SECONDS)
        for number in half:
            between.heal(number)
    healed_at = time.time()
    for job in jobs:
        wait_until(lambda j=job: nodes[0].api("GET", f"/api/jobs/{j}").body.get("status") in ("succeeded", "failed"),
                   60, "the schedule goes on to its end")
    for node in nodes:
        wait_until(lambda n=node: n.api("GET", "/readyz").status == 200, 30, "full service")
    print(f"full service {time.time() - healed_at:.1f} s after the last was healed")
    for job, log in zip(jobs, logs):
        judge(nodes[0], job, list(starts(log)), count)


def judge(node, job, begun, count):
    runs = {run["id"]: run for run in node.runs(job)}
    targets = sorted(seconds(run["planned_at"]) for run in runs.values())
    assert len(targets) == len(set(targets)) == count, "an instant each, and none left out"
    first = {}
    for planned, began, run, _ in sorted(begun, key=lambda one: one[1]):
        assert run in runs, "a start of no run"
        first.setdefault(run, (planned, began))
    late = [round(began - planned, 1) for planned, began in first.values() if began - planned > EPSILON]
    unmatched = [run for run in runs if run not in first]
    extra = len(begun) - len(first)
    print(f"{count} targets, {len(unmatched)} unmatched, {len(late)} late, {extra} extra starts")
    assert not unmatched and not late, (unmatched, late)
    assert all(began >= planned for planned, began in first.values()), "none is early"
    lost = sum(attempt["state"] == "lost" for run in runs.values() if run["attempts_made"] > 1
               for attempt in node.get(f"/api/runs/{run['id']}")["attempts"])
    assert extra <= lost, "a second start only where a lost attempt is recorded"
