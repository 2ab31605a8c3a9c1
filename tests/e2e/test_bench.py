"""chronos bench measures a server of its own and leaves nothing behind."""
import json
import subprocess

from chronos_server import BINARY


def bench(folder, *words):
    return subprocess.run([BINARY, "bench", "--dir", folder, *words], capture_output=True, text=True,
                          timeout=120, check=False)


def test_nothing_is_lost_repeated_or_early(tmp_path):
    done = bench(tmp_path, "--duration", "300ms", "--due", "200", "--clients", "8", "--json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["submits"]["per_second"] > 0 and figures["submits"]["refused"] == 0
    assert figures["lifecycles"]["per_second"] > 0
    assert figures["lateness"]["jobs"] == 200 and figures["lateness"]["early"] == 0
    assert sum(row["count"] for row in figures["lateness"]["histogram"]) == 200
    loss = figures["loss"]
    assert loss["acknowledged"] > 200 and loss["lost"] == 0 and loss["repeated"] == 0
    assert not list(tmp_path.iterdir())


def test_people_get_a_table(tmp_path):
    done = bench(tmp_path, "--duration", "100ms", "--due", "50")
    assert done.returncode == 0, done.stderr
    assert "0 lost, 0 repeated" in done.stdout and "lateness" in done.stdout


def test_flags_out_of_range_are_named(tmp_path):
    for words in (["--due", "0"], ["--clients", "1000000"], ["--duration", "1ms"], ["--batch", "1001"]):
        done = bench(tmp_path, *words)
        assert done.returncode == 2, done
        assert words[0] in done.stderr
    assert bench(tmp_path / "nowhere").returncode == 6
