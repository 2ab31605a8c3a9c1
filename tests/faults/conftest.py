"""Faults of machines: nodes, the wires between them, database servers. What happened is judged by what the
clients and the jobs themselves wrote down: the ledger, as a node that is left tells it, is held against it.

Each rig runs a few rounds; CHRONOS_ROUNDS=50 makes them many (`make soak`), CHRONOS_SEED another choice of
what fails when. Run: CHRONOS_BINARY=… /usr/bin/python3 -m pytest -q tests/faults
"""
import contextlib
import os
import pathlib
import random
import sys
import tempfile

import pytest

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "e2e"), str(TESTS / "oracle")]

# pylint: disable=wrong-import-position
import chronos_server  # noqa: E402
import evidence  # noqa: E402
import postgres_server  # noqa: E402
import submitters  # noqa: E402
from fixtures import pytest_sessionstart, web  # noqa: E402,F401  pylint: disable=unused-import


@pytest.fixture
def rounds():
    """rounds(3): that many in CI, CHRONOS_ROUNDS when it is set."""
    return lambda few: range(int(os.environ.get("CHRONOS_ROUNDS", few)))


@pytest.fixture
def chance():
    seed = os.environ.get("CHRONOS_SEED", "1")
    print(f"CHRONOS_SEED={seed}")
    return random.Random(seed)


@pytest.fixture
def account(web, tmp_path):
    return evidence.Account(web, tmp_path / "starts")


@pytest.fixture
def new_postgres():
    """Makes database servers of the test's own: new_postgres(), new_postgres(standby_of=first)."""
    with contextlib.ExitStack() as undo:
        def make(**options):
            # Not in pytest's folders: those are for its own user.
            folder = undo.enter_context(tempfile.TemporaryDirectory(prefix="chronos-faults-", ignore_cleanup_errors=True))
            server = postgres_server.PostgresServer(folder, **options)
            undo.callback(server.stop, "immediate")
            return server.start()

        yield make


@pytest.fixture
def new_node(tmp_path):
    """Starts nodes on one database: new_node(url, args=[…]); all have the key that the first one made."""
    nodes = []

    def start(url, args=(), env=None):
        folder = tmp_path / f"node{len(nodes)}"
        folder.mkdir()
        node = chronos_server.Server(folder, args=["--store", url, *args], env=env)
        node.key = nodes[0].key if nodes else None
        nodes.append(node)
        return node.start()

    yield start
    for node in nodes:
        node.close()


@pytest.fixture
def new_submitters(new_node):  # which ends after them
    """Starts clients that submit all the time: new_submitters(nodes, action)."""
    started = []

    def start(*told):
        started.append(submitters.Submitters(*told))
        return started[-1]

    yield start
    for clients in started:
        clients.end()
