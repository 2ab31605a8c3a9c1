"""Targets of http jobs that misbehave: the run says so, the server goes on."""
import time

import pytest
from chronos_server import wait_until

METADATA = "http://169.254.169.254/latest/meta-data/"


def test_hang_times_out(server, web):
    began = time.monotonic()
    run = server.finished(server.submit(web.action("/hang"), timeout="1s"))
    assert run["state"] == "timed_out", run
    assert 1 <= time.monotonic() - began < 10
    assert len(web.about("/hang")) == 1


def test_drip_times_out(server, web):
    run = server.finished(server.submit(web.action("/drip"), timeout="3s"))
    assert run["state"] == "timed_out", run


def test_reset_fails_and_is_retried(server, web):
    retry = {"delay": "10ms", "jitter": "none"}
    run = server.finished(server.submit(web.action("/reset"), max_attempts=3, retry=retry))
    assert run["state"] == "failed" and len(run["attempts"]) == 3, run
    assert [request["attempt"] for request in web.about("/reset")] == ["1", "2", "3"]
    assert {request["run"] for request in web.about("/reset")} == {run["id"]}


@pytest.mark.parametrize("status", [400, 404, 500, 503])
def test_bad_status_fails(server, web, status):
    run = server.finished(server.submit(web.action(f"/status/{status}")))
    assert (run["state"], run["http_status"]) == ("failed", status), run


def test_refused_connection_fails(server, web):
    web.close()
    run = server.finished(server.submit(web.action("/ok")))
    assert run["state"] == "failed" and run["attempts"][0]["reason"] == "connect", run


def test_huge_answer_is_bounded(server, web):
    before = server.memory()
    job = server.submit(web.action("/huge"), timeout="5s")
    wait_until(lambda: web.sent > 2 ** 20, what="the answer flows")
    assert server.works()
    run = server.finished(job)
    kept = server.output(run["id"])
    assert kept.status == 200 and len(kept.body) <= 2 ** 20, len(kept.body)
    assert server.memory() - before < 64 * 2 ** 20


def test_redirect_is_not_followed(server, web):
    run = server.finished(server.submit(web.action("/redirect")))
    assert (run["state"], run["http_status"]) == ("failed", 302), run


def test_redirect_to_metadata_is_refused_even_if_redirects_are_followed(server, web):
    action = {**web.action("/redirect"), "follow_redirects": True}
    run = server.finished(server.submit(action, timeout="5s"))
    assert run["state"] == "failed", run  # timed_out would mean that it tried to connect
    assert "169.254.169.254" in run["error"], run


@pytest.mark.parametrize("url", [METADATA, "http://[::ffff:169.254.169.254]/"])
def test_metadata_address_is_refused(server, url):
    spec = {"name": "test", "max_attempts": 1, "timeout": "5s",
            "action": {"kind": "http", "url": url}}
    answer = server.api("POST", "/api/submitJob", spec)
    if answer.status == 422:  # refused beforehand is as good
        return
    run = server.finished(answer.body["id"])
    assert run["state"] == "failed", run
    assert run["error"] and run["attempts"][0]["reason"] not in ("connect", "timeout"), run


def test_own_address_is_refused(server):
    action = {"kind": "http", "method": "GET", "url": f"http://127.0.0.1:{server.port}/livez"}
    answer = server.api("POST", "/api/submitJob", {"name": "test", "action": action})
    assert answer.status == 422 and answer.body["errors"][0]["code"] == "egress_refused", answer
    # A name tells nothing at submit; the address it stands for decides at the connection.
    action["url"] = f"http://localhost:{server.port}/livez"
    run = server.finished(server.submit(action))
    # Where localhost is ::1 too, its refused connection may be what is told last.
    assert run["state"] == "failed" and run["attempts"][0]["http_status"] is None, run


def test_many_hanging_targets_do_not_hold_others_up(server, web):
    hanging = [server.submit(web.action("/hang"), timeout="4s") for _ in range(50)]
    began = time.monotonic()
    run = server.finished(server.submit(web.action("/ok")))
    assert run["state"] == "succeeded" and time.monotonic() - began < 3, run
    for job in hanging:
        assert server.finished(job)["state"] == "timed_out"
