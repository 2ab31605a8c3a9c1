"""`chronos doctor` on real faults; what it says of all others is tested in src/app/doctor_test.cc."""
import json
import os
import subprocess

import pytest
from chronos_server import BINARY, wait_until
from postgres_process import Postgres


def doctor(*words, env=None):
    """Its exit code and {check: [finding, …]} of what is not well."""
    done = subprocess.run([BINARY, "doctor", "--json", *words], capture_output=True, text=True,
                          env={"PATH": os.environ["PATH"], **(env or {})}, timeout=60, check=False)
    faults = {}
    for finding in json.loads(done.stdout):
        if finding["verdict"] != "ok":
            assert finding["fix"], finding
            faults.setdefault(finding["check"], []).append(finding)
    return done.returncode, faults


@pytest.fixture(scope="module")
def database():
    server = Postgres()
    yield server
    server.close()


def test_a_new_place_is_well(tmp_path):
    code, faults = doctor("--data-dir", tmp_path / "data")
    assert code == 0
    assert not {"store", "schema", "zones"} & set(faults)
    assert not (tmp_path / "data").exists(), "nothing was made"


def test_the_disk_is_that_of_the_database(tmp_path):
    in_memory = "sqlite:/dev/shm/chronos-doctor/chronos.db"  # it is not made
    faults = doctor("--data-dir", tmp_path, "--store", in_memory)[1]
    assert any("/dev/shm lies in memory" in each["message"] for each in faults["disk"]), faults


def test_a_server_at_work_is_well(server):
    code, faults = doctor("--data-dir", server.data_dir)
    assert code == 0
    assert not {"store", "schema", "zones"} & set(faults)


def test_time_zones_that_are_not_there(tmp_path):
    code, faults = doctor("--data-dir", tmp_path, env={"TZDIR": str(tmp_path)})
    assert code == 1
    assert "tzdata" in faults["zones"][0]["fix"]


def test_a_database_that_is_not_there(tmp_path):
    code, faults = doctor("--data-dir", tmp_path, "--store", "postgres://127.0.0.1:1/none")
    assert code == 1
    assert "refused" in faults["store"][0]["message"]


def test_a_mail_server_that_is_not_there(tmp_path, mail):
    settings = ["--data-dir", tmp_path, "--set", "smtp.host=127.0.0.1", "--set", "smtp.tls=none",
                "--set", "smtp.from=chronos@example.com"]
    assert "smtp" not in doctor(*settings, "--set", f"smtp.port={mail.port}")[1]
    code, faults = doctor(*settings, "--set", "smtp.port=1")
    assert code == 1
    assert "smtp" in faults


def test_a_database_of_a_newer_program(tmp_path, new_server):
    server = new_server()
    server.stop()
    subprocess.run([
        "/usr/bin/python3", "-c", "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]);"
        "db.execute(\"UPDATE meta SET value = 999 WHERE name = 'schema_version'\"); db.commit()",
        server.data_dir / "chronos.db"], check=True)
    code, faults = doctor("--data-dir", server.data_dir)
    assert code == 1
    assert "999" in faults["schema"][0]["message"]


def test_settings_of_postgres_and_an_asynchronous_standby(tmp_path, database):
    where = ["--data-dir", tmp_path, "--store", "postgres:///postgres"]
    code, faults = doctor(*where, env=database.env)
    assert code == 1
    assert ["fsync" in each["message"] for each in faults["settings"]].count(True) == 1  # of the tests' server
    assert "standbys" not in faults
    slots = tmp_path / "received"
    slots.mkdir()
    standby = subprocess.Popen(["pg_receivewal", "-D", slots, "--no-sync"],
                               env={**os.environ, **database.env, "PGAPPNAME": "second"})
    try:
        wait_until(lambda: standby.poll() is not None or
                   database.sql("SELECT 1 FROM pg_stat_replication WHERE state = 'streaming'"), what="it is followed")
        assert standby.poll() is None
        faults = doctor(*where, env=database.env)[1]
        assert "'second' is asynchronous" in faults["standbys"][0]["message"]
        database.sql("ALTER SYSTEM SET synchronous_standby_names = 'third'")
        database.sql("SELECT pg_reload_conf()")
        wait_until(lambda: database.sql("SHOW synchronous_standby_names") == "third", what="the setting holds")
        faults = doctor(*where, env=database.env)[1]
        assert "'third'" in faults["standbys"][0]["message"]
    finally:
        standby.terminate()
        standby.wait()
