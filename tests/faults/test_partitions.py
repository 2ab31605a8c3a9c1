"""The workload on which Jepsen broke another Chronos in 2015 (https://aphyr.com/posts/326-jepsen-chronos), on ours:
five nodes, and again and again a random half of them is cut off from the database. Each target, an instant of a
schedule, must be met by a run of its own within its time; targets nobody met are counted, and so are runs that meet
none.

CHRONOS_PARTITION=200 and CHRONOS_ROUNDS=3 are as long as it was then; here it is shorter.
"""
import contextlib
import itertools
import os
import time

import pytest
from chronos_server import in_seconds, wait_until
from evidence import report
from link import Link
from partition import Machine, Net, are_there

NODES, JOBS, EVERY = 5, 4, 5
EPSILON = 20  # a run that is taken over begins so late at the latest
FULL_SERVICE = 10  # seconds after healing
SECONDS = int(os.environ.get("CHRONOS_PARTITION", "20"))


class Loopback:
    """Where there are no namespaces: a wire that can be cut between each node and the database."""
    ways = ("both",)

    def __init__(self, postgres):
        self.links = [Link(("127.0.0.1", postgres.port)) for _ in range(NODES)]

    def urls(self):
        return [f"postgres://postgres@127.0.0.1:{link.port}/postgres" for link in self.links]

    def cut(self, number, _):
        self.links[number].cut()

    def heal(self, number, _):
        self.links[number].heal()

    def close(self):
        for link in self.links:
            link.close()


class Namespaces:
    """A machine for each node; the database is on the bridge."""
    ways = ("both", "to", "from")

    def __init__(self, net, postgres):
        self.net, self.postgres = net, postgres
        self.hosts = [net.add() for _ in range(NODES)]

    def urls(self):
        return [f"postgres://postgres@{self.net.address(254)}:{self.postgres.port}/postgres"] * NODES

    def cut(self, number, way):
        self.net.cut(self.hosts[number], way)

    def heal(self, number, way):
        self.net.heal(self.hosts[number], way)


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


def test_each_target_is_met_although_random_halves_are_cut_off(five, account, rounds, chance):
    nodes, between = five
    turns = rounds(1)
    count = (len(turns) * 2 * SECONDS + 10) // EVERY
    jobs = [account.submit(nodes[number % NODES], account.command(), f"job {number}", every=f"{EVERY}s", max_runs=count,
                           start_at=in_seconds(1)[:-5] + "Z", max_attempts=5, retry={"delay": "0s"}, overlap="allow")
            for number in range(JOBS)]
    ways, took = itertools.cycle(between.ways), []
    for _ in turns:
        time.sleep(SECONDS)
        half = dict(zip(chance.sample(range(NODES), chance.choice([NODES // 2, NODES - NODES // 2])), ways))
        print("cut off:", half)
        for number, way in half.items():
            between.cut(number, way)
        time.sleep(SECONDS)
        for number, way in half.items():
            between.heal(number, way)
        took.append(account.wait_for_service([nodes[number] for number in half], FULL_SERVICE))
    for job in jobs:
        wait_until(lambda j=job: nodes[0].api("GET", f"/api/jobs/{j}").body.get("status") in ("succeeded", "failed"),
                   60, "the schedule goes on to its end")
    books = account.audit(nodes[0], met_within=EPSILON)
    runs = [run for run in books.runs if run["job_id"] in jobs]
    extra = sum(len(books.starts[run["id"]]) - 1 for run in runs)
    assert len(runs) == JOBS * count
    report("halves cut off", len(took), in_service=took, seconds=SECONDS)
    report("targets", len(runs), extra_starts=extra)  # each after an attempt that is recorded as lost
