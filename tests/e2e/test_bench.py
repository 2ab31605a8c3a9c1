"""chronos bench measures a server of its own and leaves nothing behind."""
import json
import os
import signal
import subprocess

import pytest
from chronos_server import BINARY, wait_until


def bench(folder, *words, **options):
    return subprocess.run([BINARY, "bench", "--dir", folder, *words], capture_output=True, text=True,
                          timeout=120, check=False, **options)


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


def test_what_configures_another_server_is_not_its_own(tmp_path):
    """Neither the variables nor the chronos.toml of the place may lead it to a store that is in use."""
    place, folder = tmp_path / "place", tmp_path / "folder"
    place.mkdir()
    folder.mkdir()
    (place / "chronos.toml").write_text(f'[store]\nurl = "sqlite:{tmp_path}/filed.db"\n')
    named = place / "named.toml"
    named.write_text(f'[store]\nurl = "sqlite:{tmp_path}/named.db"\n')
    short = ["--duration", "100ms", "--due", "10", "--json"]
    for variables in ({}, {"CHRONOS_STORE_URL": f"sqlite:{tmp_path}/given.db"}, {"CHRONOS_CONFIG": str(named)},
                      {"CHRONOS_SERVER_LISTEN": "not an address"}):
        done = bench(folder, *short, cwd=place, env={**os.environ, **variables})
        assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "place"]
    assert not list(folder.iterdir())


def test_what_its_server_says_is_told(tmp_path):
    """Longer than SQLite takes a path."""
    deep = tmp_path / ("d" * 200) / ("e" * 200) / ("f" * 200)
    deep.mkdir(parents=True)
    done = bench(deep)
    assert done.returncode == 6, done
    assert "chronos.db" in done.stderr, done.stderr
    assert not list(deep.iterdir())


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_nothing_stays_behind_when_it_is_stopped(tmp_path, sent):
    going = subprocess.Popen([BINARY, "bench", "--dir", tmp_path, "--duration", "60s"],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert "submitting" in going.stderr.readline()
    going.send_signal(sent)
    assert going.wait(30) == 128 + sent
    going.communicate()
    assert not list(tmp_path.iterdir())
