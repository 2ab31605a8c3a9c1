"""Requests that a client sends one behind the other on one connection, without waiting for answers."""
import contextlib
import http.client
import json
import socket

NEVER = {"action": {"kind": "worker"}, "scheduled_time": "2199-01-01T00:00:00Z"}


def ask(server, method, path, body=None, **headers):
    text = "" if body is None else json.dumps(body)
    lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {server.key}",
             f"Content-Length: {len(text)}", "Content-Type: application/json",
             *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n" + text).encode()


def submit(server, name, **more):
    return ask(server, "POST", "/api/submitJob", {"name": name, **NEVER}, **more)


def answers(server, requests):
    """(status, headers, body) of each, all of them sent in one write."""
    with contextlib.closing(socket.create_connection(("127.0.0.1", server.port), timeout=20)) as link:
        link.sendall(b"".join(requests))
        read = []
        with link.makefile("rb") as stream:
            for _ in requests:
                status = int(stream.readline().split()[1])
                headers = http.client.parse_headers(stream)
                read.append((status, headers, json.loads(stream.read(int(headers["Content-Length"])))))
        return read


def test_submissions_take_effect_in_their_order(server):
    read = answers(server, [submit(server, f"job {n}") for n in range(50)])
    assert [status for status, *_ in read] == [201] * 50
    ids = [body["id"] for *_, body in read]
    assert ids == sorted(ids)  # an id has its time in front
    for n in (0, 1, 25, 49):
        assert server.api("GET", f"/api/jobs/{ids[n]}").body["name"] == f"job {n}"


def test_the_second_of_a_pair_with_one_key_is_a_replay(server):
    first, again = answers(server, [submit(server, "once", Idempotency_Key="pair")] * 2)
    assert (first[0], first[2]["id"]) == (201, again[2]["id"])
    assert again[1]["Idempotent-Replayed"] == "true" and first[1]["Idempotent-Replayed"] is None


def test_one_that_is_refused_stops_nobody(server):
    bad = ask(server, "POST", "/api/submitJob", {"name": "bad", "cron": "never"})
    good, refused, after = answers(server, [submit(server, "a"), bad, submit(server, "b")])
    assert (good[0], refused[0], after[0]) == (201, 422, 201)


def test_a_read_sees_what_was_submitted_before_it(server):
    declared = ask(server, "POST", "/api/jobs", {"name": "seen", "key": "seen-at-once", **NEVER})
    made, found = answers(server, [declared, ask(server, "GET", "/api/jobs/by-key/seen-at-once")])
    assert (made[0], found[0]) == (201, 200)
    assert found[2]["id"] == made[2]["id"]
