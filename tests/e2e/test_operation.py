"""What the people who run a server rely on: backups that restore, a log that says what failed.

CHRONOS_RESTORES is how many backups are made and restored (3).
"""
import json
import os
import pathlib
import shutil
import threading

import pytest
from chronos_server import wait_until

RESTORES = int(os.environ.get("CHRONOS_RESTORES", "3"))
TRUE = {"kind": "command", "argv": ["true"]}


class Writers:
    """Submit one job after the other, each of its own thread."""

    def __init__(self, server):
        self.server, self.acknowledged, self.over = server, [], threading.Event()
        self.threads = [threading.Thread(target=self.submit) for _ in range(4)]
        for thread in self.threads:
            thread.start()

    def submit(self):
        # Each waits for its last job: no backlog grows, however slow the machine.
        while not self.over.wait(0.1):
            self.acknowledged.append(self.server.submit(TRUE, name="before or after"))
            self.server.finished(self.acknowledged[-1], 60)

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join()


@pytest.fixture
def writers(new_server):
    writers = Writers(new_server())
    yield writers
    writers.stop()


def restore(server, backup, folder):
    """Another server's data directory, of nothing but the copy and the key."""
    copy, data = pathlib.Path(backup["path"]), folder / "restored"
    assert copy.stat().st_size == backup["bytes"]
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir()
    shutil.move(copy, data / "chronos.db")
    shutil.copy(server.data_dir / "admin.key", data / "admin.key")
    return data


def ended(server):
    return {run["id"] for run in server.pages("/api/runs?state=succeeded", "runs")}


def test_backup_under_load_is_a_whole_server(new_server, writers, tmp_path):
    """The copy, opened by another server, has every job acknowledged before it was asked for, and what had ended."""
    server = writers.server
    for _ in range(RESTORES):
        before = len(writers.acknowledged)
        wait_until(lambda before=before: len(writers.acknowledged) > before + 20, what="some jobs")
        sure = list(writers.acknowledged)
        assert server.finished(sure[-1], 60)["state"] == "succeeded"
        done = ended(server)
        backup = server.api("POST", "/api/backup", timeout=60)
        assert backup.status == 201, backup
        restored = new_server(data_dir=restore(server, backup.body, tmp_path))
        assert set(sure) <= {job["id"] for job in restored.pages("/api/jobs", "jobs")}
        assert done <= ended(restored)
        assert restored.works()
        restored.stop()
    assert server.alive()


def test_every_failed_attempt_is_logged(new_server):
    server = new_server(args=["--log-format", "json"])
    job = server.submit({"kind": "command", "argv": ["sh", "-c", "exit 3"]}, max_attempts=2,
                        retry={"delay": "10ms", "jitter": "none"})
    run = server.finished(job)
    lines = [json.loads(line) for line in server.log().splitlines() if line.startswith("{")]
    failed = [line for line in lines if line.get("run") == run["id"]]
    assert [line["attempt"] for line in failed] == ["1", "2"]
    assert [line["run_state"] for line in failed] == ["retrying", "failed"]
    for line in failed:
        assert (line["job"], line["outcome"], line["reason"], line["error"]) == (
            job, "failed", "exit_code", "exit code 3")


def test_secrets_of_a_job_are_not_in_its_output_nor_in_the_log(new_server):
    server = new_server()
    run = server.finished(server.submit(
        {"kind": "command", "argv": ["sh", "-c", "echo $API_TOKEN; cat; exit 1"],
         "env": {"API_TOKEN": "hunter2-hunter2"}, "stdin": f"my key is {server.key}\n"}))
    assert server.output(run["id"]).body.decode() == "***\nmy key is chr_key_***\n"
    assert "hunter2" not in server.log() and server.key not in server.log()
