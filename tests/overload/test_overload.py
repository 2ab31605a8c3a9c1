"""Ten times more than the server can take, for twenty seconds, whatever it answers.

CHRONOS_BINARY names the server; the load generator lies beside it. The machine is shared with other tests: what
others take while one round runs lowers its figures, and may get a connection cut for being slow, so the best of three
rounds counts for those. What is promised of every job holds in each round.

The goal for the goodput is 90 % of a closed loop's. It is not held here: on two cores the generator, which sends 100 MB
a second of what is refused, takes them from the server (docs/benchmarks.md, O1). What is held is that overload does not
halve it, as it did before refusals came first.
"""
import pathlib
import shutil
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests" / "e2e")]

import chronos_server  # noqa: E402
import overload  # noqa: E402
import web_sink  # noqa: E402

SECONDS, ROUNDS, MEMORY_MAX_MB, SHARE_MIN = 20, 3, 300, 0.7


class Under:
    """A server as bench/overload.py has it; what it stored is forgotten with it, for it is much."""

    def __init__(self, folder):
        self.server = chronos_server.Server(folder).start()
        self.port, self.key, self.process = self.server.port, self.server.key, self.server.process

    def data(self, name):
        return str(self.server.data_dir / name)

    def end(self):
        self.server.stop()

    def stop(self):
        if self.server.alive():
            self.end()
        shutil.rmtree(self.server.folder)


def test_overload(tmp_path):
    sink, count = web_sink.WebSink(), iter(range(1000))

    def new_server():
        folder = tmp_path / f"server{next(count)}"
        folder.mkdir()
        return Under(folder)

    rounds = []
    for _ in range(ROUNDS):
        told = overload.measure(chronos_server.BINARY.parent, new_server, overload.Batches, sink.url, SECONDS)
        print(told)
        assert set(told["statuses"]) == {"200", "503"}, told
        assert told["without_retry_after"] == told["unanswered"] == 0, told
        assert told["missing"] == told["not_told"] == 0 and told["stored"] > 0, told
        assert told["rss_mb"] < MEMORY_MAX_MB, told
        rounds.append(told)
        if (told["share"] >= SHARE_MIN and told["refused_latency"]["p99_ms"] <= 50 and told["late_p99_ms"] <= 1000
                and told["lost"] == 0):
            break
    sink.close()
    assert max(told["share"] for told in rounds) >= SHARE_MIN, rounds
    assert min(told["lost"] for told in rounds) == 0, rounds
    assert min(told["refused_latency"]["p99_ms"] for told in rounds) <= 50, rounds
    assert min(told["late_p99_ms"] for told in rounds) <= 1000, rounds
