"""Changes as people make them: who made which, back to what was, many at once, and telling others."""
import json

import pytest
from chronos_server import wait_until
from event_stream import Stream

WEEKLY = "0 3 * * SUN"


@pytest.fixture
def job(server):
    return server.submit({"kind": "command", "argv": ["true"]}, cron=WEEKLY, note="first")


def tagged(server, count, tag):
    """Jobs with this tag, which nobody works on; their ids."""
    spec = {"name": "many", "action": {"kind": "worker"}, "cron": WEEKLY, "tags": [tag]}
    answer = server.api("POST", "/api/jobs/batch", [spec] * count)
    assert answer.status == 200, answer
    return [item["job"]["id"] for item in answer.body["results"]]


def over(server, bulk, seconds=40):
    def state():
        body = server.get(f"/api/bulk/{bulk}")
        return body if body["status"] in ("done", "cancelled") else None
    return wait_until(state, seconds, f"{bulk} over")


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


# -- Bulk ----------------------------------------------------------------------------------------

def test_many_at_once(server):
    tagged(server, 60, "many")
    body = {"action": "pause", "jobs": {"tag": "many"}}
    preview = server.api("POST", "/api/bulk", {**body, "dry_run": True})
    assert preview.status == 200 and preview.body["matches"] == 60
    made = server.api("POST", "/api/bulk", body)
    assert made.status == 202 and made.body["status"] == "waiting"
    assert over(server, made.body["id"])["done"] == 60
    assert len(list(server.pages("/api/jobs?status=paused&tag=many", "jobs"))) == 60


def test_undone_in_time(server):
    tagged(server, 3, "undo")
    out = server.chronos("bulk", "start", "cancel", "--jobs", "tag=undo")
    bulk = out.split()[0]
    assert "cancelled" in server.chronos("bulk", "undo", bulk)
    assert server.get(f"/api/bulk/{bulk}")["done"] == 0
    assert not list(server.pages("/api/jobs?status=cancelled&tag=undo", "jobs"))
    assert bulk in server.chronos("bulk", "list")


def test_goes_on_after_kill_9(new_server):
    """Killed on its way, it ends up with one run for each job and not two."""
    server = new_server()
    jobs = set(tagged(server, 2000, "big"))
    bulk = server.api("POST", "/api/bulk", {"action": "run", "jobs": {"tag": "big"}}).body["id"]

    def begun():
        body = server.get(f"/api/bulk/{bulk}")
        assert body["status"] in ("waiting", "running"), "too quick to be killed"
        return body["done"] > 0

    wait_until(begun, 40, "the first step")
    server.kill()
    server.restart()
    ended = over(server, bulk, 60)
    assert (ended["done"], ended["failed_count"]) == (2000, 0)
    runs = [run["job_id"] for run in server.pages("/api/runs", "runs") if run["trigger"] == "manual"]
    assert len(runs) == 2000 and set(runs) == jobs


def test_submissions_are_answered_while_it_runs(server):
    """While it works through its things others' runs start and end."""
    tagged(server, 1000, "busy")
    bulk = server.api("POST", "/api/bulk", {"action": "pause", "jobs": {"tag": "busy"}}).body["id"]
    wait_until(lambda: server.get(f"/api/bulk/{bulk}")["status"] != "waiting", 40, "its start")
    assert server.works()
    assert over(server, bulk)["done"] == 1000


def test_who_watches_is_told_how_far_it_came(server):
    tagged(server, 60, "watched")
    stream = Stream(server)
    try:
        bulk = server.api("POST", "/api/bulk", {"action": "pause", "jobs": {"tag": "watched"}}).body["id"]
        _, begun = stream.until(lambda name, data: name == "bulk" and data["id"] == bulk)
        assert begun == {"id": bulk, "done": 0, "failed_count": 0, "total": 60, "status": "waiting"}
        _, ended = stream.until(lambda name, data: name == "bulk" and data["status"] == "done")
        assert ended["id"] == bulk and ended["done"] == 60
    finally:
        stream.close()


# -- Channels ------------------------------------------------------------------------------------

def test_a_rule_tells_through_a_channel_of_the_project(server, web):
    made = server.api("POST", "/api/channels", {"name": "ops", "kind": "slack", "url": web.url + "/ok"})
    assert made.status == 201, made
    tested = server.api("POST", "/api/channels/ops/test")
    assert tested.body["delivered"] is True, tested
    assert "text" in web.payloads()[0]
    server.submit({"kind": "command", "argv": ["false"]}, name="breaks",
                  notify=[{"on": "failure", "channel": "ops"}])
    wait_until(lambda: any("breaks" in body["text"] for body in web.payloads()), what="the message")
    refused = server.api("POST", "/api/submitJob", {
        "name": "x", "action": {"kind": "command", "argv": ["true"]},
        "notify": [{"on": "failure", "channel": "nobody"}]})
    assert refused.status == 422 and refused.body["errors"][0]["pointer"] == "/notify/0/channel"


def test_a_webhook_is_signed_and_its_secret_stays_unseen(server, web):
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = {"kind": "webhook", "url": web.url + "/ok", "secret": secret}
    made = server.api("PUT", "/api/channels/signed", body)
    assert made.status == 201 and made.body["has_secret"] is True
    assert "delivered" in server.chronos("channels", "test", "signed")
    assert "webhook-signature" in {name.lower() for name in web.requests[-1]["headers"]}
    everything = json.dumps([server.get("/api/channels"), server.get("/api/audit")])
    assert secret not in everything and secret[6:] not in everything


def test_an_email_channel_writes_to_all(new_server, mail):
    server = new_server(env=mail.env())
    server.chronos("channels", "put", "team", "--email", "a@example.com", "--email", "b@example.com")
    assert server.api("POST", "/api/channels/team/test").body["delivered"] is True
    assert "a@example.com" in mail.mails[0] and "b@example.com" in mail.mails[0]


def test_a_test_that_fails_says_why(server):
    body = {"name": "gone", "kind": "slack", "url": "http://127.0.0.1:1/"}
    assert server.api("POST", "/api/channels", body).status == 201
    answer = server.api("POST", "/api/channels/gone/test")
    assert answer.status == 200 and answer.body["delivered"] is False and answer.body["error"]


def test_a_channel_whose_receiver_is_gone_is_switched_off(server, web):
    gone, here = ({"kind": "webhook", "url": f"{web.url}/{path}"} for path in ("status/410", "ok"))
    assert server.api("PUT", "/api/channels/left", gone).body["disabled_at"] is None
    fail = {"kind": "command", "argv": ["false"]}
    notify = [{"on": "failure", "channel": "left"}]
    server.submit(fail, name="met the 410", notify=notify)
    wait_until(lambda: server.get("/api/channels/left")["disabled_at"], what="the channel to be switched off")
    assert "a channel is switched off: its receiver answered 410 Gone" in server.log()
    assert "\toff\t" in server.chronos("channels", "list")

    asked = len(web.requests)
    server.finished(server.submit(fail, name="came later", notify=notify))
    assert server.api("POST", "/api/channels/left/test").body["delivered"] is False
    assert server.get("/api/channels/left")["disabled_at"] and len(web.requests) == asked + 1  # the test's

    assert server.api("PUT", "/api/channels/left", here).body["disabled_at"] is None
    wait_until(lambda: any("came later" in json.dumps(body) for body in web.payloads()), 30, what="what waited")
    assert server.get("/api/channels/left")["disabled_at"] is None


def test_a_test_that_is_taken_switches_a_channel_on(server, web):
    web.status = 410
    assert server.api("PUT", "/api/channels/back", {"kind": "webhook", "url": web.url + "/set"}).status == 201
    server.submit({"kind": "command", "argv": ["false"]}, name="breaks", notify=[{"on": "failure", "channel": "back"}])
    wait_until(lambda: server.get("/api/channels/back")["disabled_at"], what="the channel to be switched off")
    web.status = 200
    assert server.api("POST", "/api/channels/back/test").body["delivered"] is True
    assert server.get("/api/channels/back")["disabled_at"] is None
