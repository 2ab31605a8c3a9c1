"""Sessions of browsers against the real server: they go on over a restart and on another node, and end
when they should."""
import http.client
import json
import pathlib


def ask(server, method, path, body=None, **headers):
    """A request without a key."""
    link = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if body is not None:
        body = json.dumps(body)
        named["Content-Type"] = "application/json"
    link.request(method, path, body=body, headers=named)
    response = link.getresponse()
    data = response.read()
    link.close()
    return response.status, response.headers, json.loads(data) if data else None


def log_in(server, **secret):
    status, headers, body = ask(server, "POST", "/api/login", secret)
    assert status == 200, body
    return headers["Set-Cookie"].partition(";")[0]


def role_of(server, cookie):
    status, _, body = ask(server, "GET", "/api/me", Cookie=cookie)
    return body["key"]["role"] if status == 200 else body["code"]


def test_a_session_goes_on_over_restarts(new_server):
    server = new_server()
    cookie = log_in(server, key=server.key)
    token = server.api("POST", "/api/login-links").body["token"]
    server.restart()
    assert role_of(server, cookie) == "admin"
    other = log_in(server, token=token)
    server.kill()
    server.start()
    assert role_of(server, other) == "admin"
    assert ask(server, "POST", "/api/login", {"token": token})[0] == 401
    assert ask(server, "POST", "/api/logout", Cookie=cookie, Sec_Fetch_Site="same-origin")[0] == 204
    server.restart()
    assert role_of(server, cookie) == "invalid_key"
    assert role_of(server, other) == "admin"


def test_a_printed_link_logs_in_once(new_server):
    server = new_server()
    url = server.chronos("login-link").strip()
    address, _, token = url.partition("/login#token=")
    assert address == f"http://127.0.0.1:{server.port}"
    assert role_of(server, log_in(server, token=token)) == "admin"
    assert ask(server, "POST", "/api/login", {"token": token})[0] == 401


def test_a_session_dies_with_its_key(new_server):
    server = new_server()
    key = server.api("POST", "/api/keys", {"name": "phone", "role": "viewer"}).body
    cookie = log_in(server, key=key["secret"])
    assert role_of(server, cookie) == "viewer"
    assert server.api("DELETE", f"/api/keys/{key['id']}").status == 200
    assert role_of(server, cookie) == "revoked_key"


def test_another_site_changes_nothing(new_server):
    server = new_server()
    cookie = log_in(server, key=server.key)
    job = {"name": "x", "action": {"kind": "command", "argv": ["true"]}}
    for page in ({"Sec_Fetch_Site": "cross-site"}, {"Origin": "http://evil.example"}, {}):
        status, _, body = ask(server, "POST", "/api/submitJob", job, Cookie=cookie, **page)
        assert (status, body["code"]) == (403, "cross_site"), page
    assert server.get("/api/jobs")["jobs"] == []
    own = {"Origin": f"http://127.0.0.1:{server.port}"}
    assert ask(server, "POST", "/api/submitJob", job, Cookie=cookie, **own)[0] == 201


def test_guessing_is_slowed_down(new_server):
    server = new_server()
    answers = [ask(server, "POST", "/api/login", {"key": f"guess {i}"})[0] for i in range(12)]
    assert answers == [401] * 10 + [429] * 2
    assert ask(server, "POST", "/api/login", {"key": server.key})[0] == 429
    assert server.get("/api/me")["key"]["role"] == "admin"


def test_the_first_start_prints_a_link_to_the_dashboard(new_server):
    server = new_server()
    said = (server.folder / "server.out").read_text()
    link = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    link.request("GET", "/login", headers={"Accept": "text/html"})
    page = link.getresponse()
    text = page.read()
    link.close()
    assert page.status == 200
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    if b"CHRONOS_DASHBOARD=OFF" in text:  # as the builds with sanitizers are
        assert "/login#token=" not in said
        return
    assert b"<script" in text
    address, _, token = said.partition("/login#token=")
    assert address.endswith(f"http://127.0.0.1:{server.port}")
    assert role_of(server, log_in(server, token=token.split()[0])) == "admin"
    server.restart()
    assert "token=" not in (server.folder / "server.out").read_text()


def test_no_secret_lies_on_the_disk(new_server):
    """Neither in the data directory nor in a backup: of keys, links and sessions only hashes are kept."""
    server = new_server()
    roles = ["viewer", "submitter", "operator", "admin", "worker"]
    secrets = [server.key, *(server.api("POST", "/api/keys", {"name": role, "role": role}).body["secret"] for role in roles)]
    secrets += [server.api("POST", "/api/login-links").body["token"], log_in(server, key=server.key).partition("=")[2]]
    # The part that nobody can guess: what stands before it may be an id.
    hidden = [secret[-24:].encode() for secret in secrets]
    backup = server.api("POST", "/api/backup", timeout=60)
    assert backup.status == 201, backup
    files = [path for path in server.data_dir.rglob("*") if path.is_file() and path.name != "admin.key"]
    files.append(pathlib.Path(backup.body["path"]))
    assert {path.suffix for path in files} >= {".db", ".db-wal"} and len(set(hidden)) == 8
    assert not [(path, secret) for path in files for secret in hidden if secret in path.read_bytes()]
    assert hidden[0] in (server.data_dir / "admin.key").read_bytes()  # it would be found
