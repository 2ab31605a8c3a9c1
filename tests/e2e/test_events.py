"""The stream of events of the real server, as a browser reads it."""
import json
import socket

from event_stream import Stream

COMMAND = {"kind": "command", "argv": ["true"]}


def mentions(job):
    return lambda name, data: name == "change" and job in data.get("jobs", [])


def has_ended(job):
    return lambda name, data: name == "change" and any(
        run["job"] == job and run["state"] == "succeeded" for run in data.get("runs", []))


def test_a_run_is_told_as_it_goes(server):
    stream = Stream(server)
    assert stream.response.status == 200
    assert stream.response.headers["Content-Type"] == "text/event-stream"
    assert stream.response.headers["X-Accel-Buffering"] == "no"
    assert stream.line() == "retry: 2000"
    job = server.submit(COMMAND)
    stream.until(has_ended(job))
    stream.close()


def test_who_comes_back_is_told_what_it_missed(server):
    stream = Stream(server)
    job = server.submit(COMMAND)
    stream.until(has_ended(job))
    place = stream.last_id
    stream.close()
    missed = server.submit(COMMAND)
    server.finished(missed)
    back = Stream(server, last_id=place)
    back.until(mentions(missed))
    back.close()


def test_who_comes_back_to_another_start_reads_all_again(new_server):
    server = new_server()
    stream = Stream(server)
    assert stream.next() == ("begin", None)
    place = stream.last_id
    server.restart()
    back = Stream(server, last_id=place)
    assert back.next() == ("resync", {})
    back.close()


def test_another_project_is_not_told_of(new_server):
    server = new_server()
    other = server.api("POST", "/api/projects", {"name": "other"}).body["admin_key"]["secret"]
    stream = Stream(server, Authorization=f"Bearer {other}")
    assert stream.next() == ("begin", None)
    own = server.submit(COMMAND)
    server.finished(own)
    spec = {"name": "theirs", "action": COMMAND}
    theirs = server.api("POST", "/api/submitJob", spec, key=other).body["id"]
    seen = []
    stream.until(lambda name, data: seen.append(json.dumps(data)) or theirs in seen[-1])
    assert own not in "".join(seen)
    stream.close()


def test_a_stop_ends_the_streams_at_once(new_server):
    server = new_server()
    streams = [Stream(server) for _ in range(5)]
    for stream in streams:
        assert stream.next() == ("begin", None)
    server.stop()
    for stream in streams:
        assert stream.next() is None


def test_a_revoked_key_ends_its_stream(new_server):
    server = new_server()
    key = server.api("POST", "/api/keys", {"name": "tv", "role": "viewer"}).body
    stream = Stream(server, Authorization=f"Bearer {key['secret']}")
    assert stream.next() == ("begin", None)
    assert server.api("DELETE", f"/api/keys/{key['id']}").status == 200
    while stream.next() is not None:
        pass


def test_streams_are_limited(new_server):
    server = new_server()
    streams = [Stream(server) for _ in range(50)]
    refused = server.api("GET", "/api/events")
    assert (refused.status, refused.body["code"]) == (429, "too_many_requests")
    for stream in streams:
        stream.close()


def test_a_bad_list_of_runs_is_refused(server):
    answer = server.api("GET", "/api/events?output=run_x")
    assert answer.status == 422
    assert answer.body["errors"][0]["pointer"] == "/output"


def test_who_does_not_read_is_cut_off_and_the_others_are_told(new_server):
    server = new_server()
    lazy = socket.create_connection(("127.0.0.1", server.port))
    lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    lazy.sendall(f"GET /api/events HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {server.key}\r\n\r\n".encode())
    stream = Stream(server)
    for _ in range(20):
        job = server.submit(COMMAND)
        stream.until(has_ended(job))
    stream.close()
    lazy.close()
    assert server.works()
