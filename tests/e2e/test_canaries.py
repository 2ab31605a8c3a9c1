"""Secrets are where they were put and nowhere else: each has a value of its own, looked for in all that a server says.

What a job's declaration holds is answered to those who may read the job, and lies in its store; nothing hides it there
yet (docs/guarantees.md, F6).
"""
import base64
import json
import os
import pathlib
import signal
import subprocess

import pytest
from chronos_server import Server, wait_until
from test_login import log_in

NAMES = ["API_TOKEN", "DB_PASSWORD", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "PRIVATE_KEY", "SESSION_SECRET", "AUTH_COOKIE",
         "STRIPE_API_KEY", "SMTP_PASSWORD", "CLIENT_SECRET"]
HEADERS = ["Authorization", "X-Api-Key", "Cookie", "X-Session-Secret", "X-Auth-Token"]


def canary(name):
    return f"canary-{name.lower().replace('_', '-')}-7f3a9c"


SIGNING = base64.b64encode(canary("webhook_signing").encode()).decode()


def canaries():
    return [*(canary(name) for name in [*NAMES, *HEADERS, "mail", "query", "bearer", "stdin"]), SIGNING]


def found(text, where, secrets):
    return [(where, value) for value in secrets if value in text]


def command_lines(process):
    """Of the server and of all that it has started."""
    lines = pathlib.Path(f"/proc/{process.pid}/cmdline").read_text(errors="replace")
    for task in pathlib.Path(f"/proc/{process.pid}/task").glob("*/children"):
        for child in task.read_text().split():
            try:
                lines += pathlib.Path(f"/proc/{child}/cmdline").read_text(errors="replace")
            except OSError:
                pass  # it has ended
    return lines


def whole_log(server):
    return (server.folder / "server.log").read_text(errors="replace")


def dies_with_a_dump(process):
    """Whether the kernel writes a core dump of the process, which is ended by it."""
    process.send_signal(signal.SIGABRT)
    _, status = os.waitpid(process.pid, 0)
    process.returncode = -os.WTERMSIG(status)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGABRT, status
    return os.WCOREDUMP(status)


def test_a_crash_leaves_no_dump_of_its_memory(tmp_path):
    allowed = ["prlimit", "--core=unlimited"]
    with subprocess.Popen([*allowed, "sleep", "1000"], cwd=tmp_path) as other:
        wait_until(lambda: pathlib.Path(f"/proc/{other.pid}/comm").read_text() == "sleep\n", what="it sleeps")
        if not dies_with_a_dump(other):
            pytest.skip("this machine writes no core dumps")
    server = Server(tmp_path)
    server.prefix = allowed
    server.start()
    try:
        assert server.get("/api/jobs")["jobs"] == []
        assert not dies_with_a_dump(server.process)
    finally:
        server.close()


def test_no_secret_is_told(new_server, web, mail, tmp_path):
    secret = tmp_path / "mail-password"
    secret.write_text(canary("mail"))
    mail.refusing, mail.refusal = True, "550 not from you"
    server = new_server(env={**mail.env(), "CHRONOS_SMTP_USER": "u", "CHRONOS_SMTP_PASSWORD_FILE": str(secret),
                             "CHRONOS_LOG_LEVEL": "debug"})
    hook = {"kind": "webhook", "url": web.url + "/status/500", "secret": "whsec_" + SIGNING}
    assert server.api("PUT", "/api/channels/hook", hook).status == 201
    made = [server.api("POST", "/api/keys", {"name": role, "role": role}).body["secret"] for role in ("viewer", "worker")]
    link, cookie = server.api("POST", "/api/login-links").body["token"], log_in(server, key=server.key).partition("=")[2]
    issued = [server.key, *made, link, cookie]
    jobs = [server.submit({"kind": "command", "stdin": canary("stdin"), "env": {name: canary(name) for name in NAMES},
                           "argv": ["sh", "-c", "env; env >&2; exit 1"]}, notify=[{"email": ["b@example.com"]}]),
            server.submit({**web.action("/status/500"), "headers": {name: canary(name) for name in HEADERS}},
                          notify=[{"email": ["b@example.com"]}]),
            server.submit({**web.action("/reset"), "headers": {"Authorization": "Bearer " + canary("bearer")}})]
    runs = [server.finished(job) for job in jobs]
    assert server.api("POST", "/api/notify/test", {"email": "b@example.com"}).status == 202
    assert server.api("POST", "/api/channels/hook/test").body["delivered"] is False
    server.api("GET", f"/api/jobs?api_key={canary('query')}")
    server.api("GET", "/api/me", key=made[0])
    log_in(server, token=link)
    wait_until(lambda: whole_log(server).count("a notification could not be delivered") == 3, what="the mails have failed")
    said = [(json.dumps(run), "a run") for run in runs]
    said += [(server.output(run["id"]).body.decode(), "an output") for run in runs]
    said += [(command_lines(server.process), "a command line"),
             (server.api("GET", "/metrics").body.decode(), "the metrics"),
             (json.dumps(server.get("/api/runs")), "the runs"),
             (json.dumps(server.get("/api/audit")), "the audit log"),
             (json.dumps(server.get("/api/overview")), "the overview"),
             (json.dumps([server.get(f"/api/{name}") for name in ("channels", "keys", "nodes")]), "channels, keys and nodes"),
             (json.dumps([server.get(f"/api/runs/{run['id']}/why") for run in runs]), "why"),
             (server.chronos("config", "show", "--origin"), "the configuration"),
             (server.chronos("runs", jobs[0]), "the command line's list")]
    # They were there to be told.
    assert canary("API_TOKEN") in json.dumps(server.get(f"/api/jobs/{jobs[0]}"))
    server.stop()
    said.append((whole_log(server), "the log, to its end"))
    secrets = [*canaries(), *issued]
    assert not sum((found(text, where, secrets) for text, where in said), [])
    assert len(said) > 13 and len(set(secrets)) == 25
