"""Every route of api/openapi.json, with every kind of credential and many spellings of its path: only the right key
on the right spelling gets in."""
import json
import socket

import pytest
from chronos_server import ROOT

DOCUMENT = json.loads((ROOT / "api" / "openapi.json").read_text())
METHODS = ("get", "post", "put", "patch", "delete")
OPEN = {"/livez", "/readyz", "/api/login", "/docs/errors"}
ROLES = ["viewer", "submitter", "operator", "admin"]  # each may what those before it may; worker stands apart
IDS = {"job_id": "job_00000000000000000000000000", "run_id": "run_00000000000000000000000000",
       "key_id": "key_00000000000000000000000000", "key": "some-key", "calendar": "closed",
       "bulk_id": "bulk_00000000000000000000000000", "channel": "ops", "version": "1"}


def routes():
    for pattern, methods in DOCUMENT["paths"].items():
        for method in METHODS:
            if method in methods and pattern not in OPEN:
                yield method.upper(), pattern.format(**IDS), methods[method]["x-role"]


def spellings(path):
    """Other ways to write it that a careless server takes for the same."""
    head, _, tail = path.rpartition("/")
    return [path.upper() if path != path.upper() else path + "X", path + "/", "/" + path, path.replace("/", "//"),
            head + "/./" + tail, head + "/x/../" + tail, path + "/.", path + "/..", path + ";a=b",
            head + ";/" + tail, head + "%2f" + tail, head + "%2F" + tail, head + "\\" + tail, head + "%5c" + tail,
            f"{head}/%{ord(tail[0]):02x}{tail[1:]}" if "_0" not in tail and tail not in IDS.values() else path + "%00",
            path + "%00", path + "%20", path + "%0a", path + "%3f", path + "#", "/%2e" + path,
            "/..;" + path, path[0] + path[1:].capitalize(), path + "%c0%af", "/livez/.." + path, "/livez;" + path,
            "/livez%2f.." + path]


def status_of(server, method, path, key=None, headers=""):
    """Sent as it is: no library tidies it up."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as link:
        held = f"Authorization: Bearer {key}\r\n" if key else ""
        body = "" if method in ("GET", "DELETE") else "{}"
        kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
        link.sendall(f"{method} {path} HTTP/1.1\r\nHost: a\r\n{held}{kind}{headers}Connection: close\r\n\r\n{body}".encode())
        return int(link.makefile("rb").readline().split()[1])


@pytest.fixture(scope="module")
def keys(server):
    made = {}
    for role in [*ROLES, "worker"]:
        answer = server.api("POST", "/api/keys", {"name": role, "role": role})
        assert answer.status == 201, answer
        made[role] = answer.body["secret"]
    return made


def stored(server):
    """What is told of all that is stored, without what the time does to it."""
    overview = server.get("/api/overview")
    lists = ["jobs", "runs", "calendars", "channels", "projects", "bulk"]
    keys = [{**key, "last_used_at": None} for key in server.get("/api/keys")["keys"]]
    return (keys, [server.get(f"/api/{name}") for name in lists], server.get("/api/audit"),
            {name: overview[name] for name in ("jobs", "last", "running", "queued", "retrying", "recent_failures")})


@pytest.fixture(scope="module")
def revoked(server):
    answer = server.api("POST", "/api/keys", {"name": "gone", "role": "admin"})
    assert server.api("DELETE", f"/api/keys/{answer.body['id']}").status == 200
    return answer.body["secret"]


def test_no_get_changes_anything(server, keys):
    """Not by a path, nor by words that change something where they belong."""
    job = server.submit({"kind": "command", "argv": ["true"]}, key="some-key")
    ids = {**IDS, "job_id": job, "run_id": server.finished(job)["id"]}
    closed = {"kind": "blackout", "weekly": [{"from": "01:00", "to": "02:00"}]}
    assert server.api("PUT", "/api/calendars/closed", closed).status == 201
    assert server.api("PUT", "/api/channels/ops", {"kind": "webhook", "url": "http://127.0.0.1:1/"}).status == 201
    ids["key_id"] = server.get("/api/keys")["keys"][0]["id"]
    before, asked = stored(server), 0
    for pattern in DOCUMENT["paths"]:  # those that nobody may GET too
        for words in ("", "?force=true&paused=true&method=DELETE&_method=DELETE"):
            status_of(server, "GET", pattern.format(**ids) + words, keys["admin"])
            asked += 1
    assert stored(server) == before
    assert asked >= 2 * len({path for _, path, _ in routes()})


def test_without_a_good_key_every_route_is_shut(server, revoked):
    forged = server.key[:-9] + ("0" if server.key[-9] != "0" else "1") + server.key[-8:]
    bad = [None, "x", "chr_key_", forged, server.key[:-1], server.key + "0", server.key.upper(), revoked, "null", "*"]
    wrong = [(method, path, key, status) for method, path, _ in routes() for key in bad
             if (status := status_of(server, method, path, key)) != 401]
    assert not wrong, wrong[:5]


def test_a_role_gets_what_is_its_own(server, keys):
    wrong = []
    for method, path, needed in routes():
        for role, key in keys.items():
            stands_apart = "worker" in (role, needed)
            may = role in (needed, "admin") if stands_apart else ROLES.index(role) >= ROLES.index(needed)
            if path in ("/api/backup", "/api/notify/test") and may:
                continue  # they would do it
            status = status_of(server, method, path, key)
            if (status in (401, 403)) == may:
                wrong.append((method, path, needed, role, status))
    assert not wrong, wrong[:5]


@pytest.mark.parametrize("who", ["nobody", "viewer", "admin"])
def test_no_other_spelling_is_a_route(server, keys, who):
    """Not for somebody who may, either: what has two spellings is checked once and reached twice."""
    wrong, tried = [], 0
    for method, path, _ in routes():
        for spelling in spellings(path):
            status = status_of(server, method, spelling, keys.get(who))
            tried += 1
            if 200 <= status < 400 or status >= 500:
                wrong.append((method, spelling, status))
    assert not wrong, (len(wrong), wrong[:8])
    assert tried > 1000


def test_no_header_is_another_way_in(server):
    """Proxies' headers and overrides of the method move nothing."""
    ways = ["X-Original-URL: /livez", "X-Rewrite-URL: /livez", "X-Forwarded-For: 127.0.0.1", "X-HTTP-Method-Override: GET",
            "X-Method-Override: GET", "X-Forwarded-User: admin", "X-Forwarded-Prefix: /livez", "Authorization: Basic Og==",
            "Cookie: session=admin", "X-Api-Key: ", "X-Real-IP: ::1", "Forwarded: for=127.0.0.1"]
    wrong = [(method, path, way) for method, path, _ in routes() for way in ways
             if status_of(server, method, path, None, way + "\r\n") != 401]
    assert not wrong, wrong[:5]
