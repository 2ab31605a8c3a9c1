"""Changes as people make them: who made which, back to what was, many at once, and telling others."""
import json

import pytest

WEEKLY = "0 3 * * SUN"


@pytest.fixture
def job(server):
    return server.submit({"kind": "command", "argv": ["true"]}, cron=WEEKLY, note="first")


# -- Audit and versions --------------------------------------------------------------------------

def test_the_log_says_who_changed_what(server, job):
    key = server.api("POST", "/api/keys", {"name": "ci", "role": "operator"}).body
    paused = server.api("POST", f"/api/jobs/{job}/pause", {"note": "freeze"}, key=key["secret"])
    assert paused.status == 200
    entries = list(server.pages(f"/api/audit?resource={job}", "entries"))
    assert [entry["action"] for entry in entries] == ["job.pause", "job.submit"]
    assert entries[0]["actor"] == {"key": key["id"], "name": "ci", "role": "operator"}
    assert entries[0]["before"] == {"paused": False, "note": "first"}
    assert entries[0]["after"] == {"paused": True, "note": "freeze"}
    assert key["secret"][8:] not in json.dumps(list(server.pages("/api/audit", "entries")))
    assert server.api("GET", "/api/audit", key=key["secret"]).status == 403


def test_the_log_outlives_a_crash(new_server):
    server = new_server()
    job = server.submit({"kind": "command", "argv": ["true"]}, cron=WEEKLY)
    server.api("DELETE", f"/api/jobs/{job}")
    server.kill()
    server.restart()
    actions = [entry["action"] for entry in server.get(f"/api/audit?resource={job}")["entries"]]
    assert actions == ["job.cancel", "job.submit"]


def test_what_was_declared_comes_back(server, job):
    server.api("PUT", f"/api/jobs/{job}", {"cron": "0 4 * * *", "note": "second"})
    versions = server.get(f"/api/jobs/{job}/versions")["versions"]
    assert [version["declaration"]["note"] for version in versions] == ["second", "first"]
    out = server.chronos("restore", job, "1")
    assert "restored from version 1" in out
    assert server.get(f"/api/jobs/{job}")["cron"] == WEEKLY
    lines = server.chronos("versions", job).splitlines()
    assert len(lines) == 3 and lines[0].split("\t")[0] == "3"
    assert "cron" in lines[0].split("\t")[3]
    assert json.loads(server.chronos("versions", job, "2"))["declaration"]["note"] == "second"
    log = server.chronos("audit", "--resource", job)
    assert "job.restore" in log and '"second" -> "first"' in log
