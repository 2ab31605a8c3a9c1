"""What the people who run a server rely on: backups that restore, a log that says what failed."""
import json
import pathlib
import shutil
import threading

from chronos_server import LINK_ERRORS, wait_until

TRUE = {"kind": "command", "argv": ["true"]}


def test_backup_under_load_is_a_whole_server(new_server):
    """The copy, opened by another server, has every job acknowledged before it was asked for."""
    server = new_server()
    acknowledged, enough = [], threading.Event()

    def submit():
        while not enough.is_set():
            try:
                acknowledged.append(server.submit(TRUE, name="before or after"))
            except LINK_ERRORS:
                return

    writers = [threading.Thread(target=submit) for _ in range(4)]
    for writer in writers:
        writer.start()
    wait_until(lambda: len(acknowledged) > 200, what="some jobs")
    assert server.finished(acknowledged[0])["state"] == "succeeded"
    sure = list(acknowledged)
    backup = server.api("POST", "/api/backup", timeout=60)
    enough.set()
    for writer in writers:
        writer.join()
    assert backup.status == 201, backup

    copy = pathlib.Path(backup.body["path"])
    assert copy.stat().st_size == backup.body["bytes"]
    data = server.folder / "restored"
    data.mkdir()
    shutil.copy(copy, data / "chronos.db")
    shutil.copy(server.data_dir / "admin.key", data / "admin.key")
    restored = new_server(data_dir=data)
    assert set(sure) <= {job["id"] for job in restored.pages("/api/jobs", "jobs")}
    assert restored.finished(sure[0])["state"] == "succeeded"  # it had ended before the copy
    assert restored.works()
    restored.stop()


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
