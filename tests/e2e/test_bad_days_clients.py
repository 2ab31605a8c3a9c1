"""Clients that misbehave: a clear answer, and the server lives."""
import contextlib
import json
import resource
import socket
import threading
import time

import pytest
from chronos_server import BINARY, wait_until

COMMAND = {"kind": "command", "argv": ["true"]}
DRIBBLING, GROWTH_MAX = 5000, 64 << 20
ASK_TO_SUBMIT = b"POST /api/submitJob HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@contextlib.contextmanager
def raw(server, timeout=15):
    link = socket.create_connection(("127.0.0.1", server.port), timeout=timeout)
    with contextlib.closing(link):
        yield link


def authorized(server):
    return ASK_TO_SUBMIT + b"Authorization: Bearer " + server.key.encode() + b"\r\n"


def status_of(link):
    """The status of the answer; 0 if the connection was closed without one."""
    got = b""
    with contextlib.suppress(ConnectionError):
        while b"\r\n" not in got:
            data = link.recv(4096)
            if not data:
                break
            got += data
    return int(got.split()[1]) if got else 0


def send(link, data):
    with contextlib.suppress(ConnectionError):  # it may hang up on us
        link.sendall(data)


def address_space(server):
    """The most bytes of it that the server has ever had."""
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmPeak:"))


def refused(server, spec, status, code):
    answer = server.api("POST", "/api/submitJob", {"name": "t", "action": COMMAND, **spec})
    assert (answer.status, answer.body["code"]) == (status, code), answer
    return answer.body


def test_half_a_body_then_gone(server):
    with raw(server) as link:
        send(link, authorized(server) + b"Content-Length: 1000\r\n\r\n{\"name\": ")
    assert server.works()


def test_half_a_body_then_silence(new_server):
    server = new_server(args=["--set", "server.header_timeout=1s", "--set",
                              "server.idle_timeout=1s"])
    with raw(server, 60) as link:
        send(link, authorized(server) + b"Content-Length: 1000\r\n\r\n{\"name\": ")
        assert status_of(link) in (400, 408)
    assert server.works()


def test_half_a_header_then_silence(new_server):
    server = new_server(args=["--set", "server.header_timeout=1s"])
    with raw(server) as link:
        send(link, ASK_TO_SUBMIT)
        assert status_of(link) in (0, 408)
    assert server.works()


def test_header_flood(server):
    with raw(server) as link:
        send(link, b"GET /livez HTTP/1.1\r\nHost: x\r\n")
        for number in range(100_000):
            try:
                link.sendall(b"X-Flood-%d: %s\r\n" % (number, b"y" * 100))
            except ConnectionError:
                break
        assert number < 99_999, "the whole flood was swallowed"
    assert server.works()


def test_too_many_headers_are_431(server):
    with raw(server) as link:
        send(link, b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Long: " + b"y" * 17_000 + b"\r\n\r\n")
        assert status_of(link) == 431


def test_body_too_large_is_413_before_it_is_sent(server):
    with raw(server) as link:
        send(link, authorized(server) + b"Content-Length: 10000000000\r\n\r\n")
        assert status_of(link) == 413


def test_chunked_body_too_large_is_413(server):
    with raw(server) as link:
        send(link, authorized(server) + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(40):
            send(link, b"10000\r\n" + b" " * 65536 + b"\r\n")
        assert status_of(link) in (0, 413)
    assert server.works()


@pytest.mark.parametrize("text", [
    b"\x00\x01\x02\x03\r\n\r\n", b"GET\r\n\r\n", b"GET /livez HTTP/9.9\r\nHost: x\r\n\r\n",
    ASK_TO_SUBMIT + b"Content-Length: -1\r\n\r\n",
    ASK_TO_SUBMIT + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    ASK_TO_SUBMIT + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"])
def test_nonsense_is_refused(server, text):
    with raw(server) as link:
        send(link, text)
        assert status_of(link) in (400, 501, 505)
    assert server.works()


@pytest.fixture
def many_files():
    """For this process; the server takes as many as it may by itself."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_files")
def test_dribbling_connections_do_not_hold_others_up(new_server):
    server = new_server(args=["--set", "server.header_timeout=10m"])
    before = server.memory()
    with contextlib.ExitStack() as stack:
        links = [stack.enter_context(raw(server)) for _ in range(DRIBBLING)]
        for piece in (b"GET /livez HTTP/1.1\r\nHo", b"s", b"t", b":"):
            for link in links:
                link.sendall(piece)
            assert server.works()
        grown = server.memory() - before
        print(f"{DRIBBLING:,} connections: the server grew by {grown >> 20} MiB")
        # Sanitizers have memory of their own, and keep what is freed for a while.
        assert grown < GROWTH_MAX or (b"__sanitizer_" in BINARY.read_bytes() and grown < 8 * GROWTH_MAX)
        for link in links:  # none was cut off meanwhile
            link.sendall(b" x\r\nConnection: close\r\n\r\n")
        assert {status_of(link) for link in links} == {200}
    assert server.works()


def test_wrong_key_is_401(server):
    for key in ("wrong", "chr_" + "x" * 40, server.key[:-1], server.key + "x"):
        answer = server.api("GET", "/api/jobs", key=key)
        assert (answer.status, answer.body["code"]) == (401, "invalid_key"), answer


def test_wrong_key_is_401_before_the_body_is_looked_at(server):
    answer = server.api("POST", "/api/submitJob", {"nonsense": 1}, key="wrong")
    assert answer.status == 401, answer


def test_job_of_another_project_is_404(server):
    job = server.submit(COMMAND)
    run = server.finished(job)["id"]
    made = server.api("POST", "/api/projects", {"name": "other"})
    assert made.status == 201, made
    other = made.body["admin_key"]["secret"]
    for method, path in (("GET", f"/api/jobs/{job}"), ("GET", f"/api/jobs/{job}/status"),
                         ("GET", f"/api/jobs/{job}/runs"), ("DELETE", f"/api/jobs/{job}"),
                         ("POST", f"/api/jobs/{job}/run"), ("POST", f"/api/jobs/{job}/pause"),
                         ("GET", f"/api/runs/{run}"), ("GET", f"/api/runs/{run}/output"),
                         ("POST", f"/api/runs/{run}/retry"), ("POST", f"/api/runs/{run}/cancel")):
        answer = server.api(method, path, key=other)
        assert (answer.status, answer.body["code"]) == (404, "not_found"), (method, path, answer)
    assert server.api("GET", "/api/jobs", key=other).body["jobs"] == []


@pytest.mark.parametrize("cron, column", [("* * * * FOO", 9), ("99 * * * *", 1), ("0 24 * * *", 3)])
def test_bad_cron_names_the_column(server, cron, column):
    error = refused(server, {"cron": cron}, 422, "invalid_fields")["errors"][0]
    assert (error["pointer"], error["column"]) == ("/cron", column), error


def test_cron_that_never_fires(server):
    refused(server, {"cron": "0 0 30 2 *"}, 422, "schedule_never_fires")


def test_deep_json_is_refused(server):
    payload = json.loads("[" * 100 + "]" * 100)
    refused(server, {"payload": payload}, 400, "too_deep")


AT_ONCE = 1_000


def test_same_idempotency_key_at_the_same_time(server):
    ids, together = [], threading.Barrier(AT_ONCE)

    def submit():
        spec = {"name": "t", "action": COMMAND}
        together.wait()
        while True:
            answer = server.api("POST", "/api/submitJob", spec, headers={"Idempotency-Key": "k1"}, timeout=120)
            if answer.status != 409:
                break
            time.sleep(0.01)
        ids.append(answer.body["id"])
        server.disconnect()

    threads = [threading.Thread(target=submit) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(ids) == AT_ONCE and len(set(ids)) == 1, ids


def test_pause_keeps_the_ledger(server):
    job = server.submit(COMMAND, cron="* * * * * *", misfire={"policy": "skip", "grace": "100ms"})
    wait_until(lambda: len(server.runs(job)) >= 2, what="it runs")
    assert server.api("POST", f"/api/jobs/{job}/pause").status == 200
    # A run that was under way when the pause came is told first.
    wait_until(lambda: server.get(f"/api/jobs/{job}/status")["status"] == "paused")
    status = server.get(f"/api/jobs/{job}/status")
    assert (status["status"], status["waiting_for"]) == ("paused", "resume"), status
    time.sleep(3)
    assert server.api("POST", f"/api/jobs/{job}/resume").body["status"] != "paused"
    missed = wait_until(lambda: [run for run in server.runs(job) if run["reason"] == "paused"])
    assert missed[0]["state"] == "missed" and sum(run["count"] for run in missed) >= 2, missed
    server.api("DELETE", f"/api/jobs/{job}")


def test_same_project_twice_is_a_replay(server):
    answers = [server.api("POST", "/api/projects", {"name": "twice"},
                          headers={"Idempotency-Key": "p1"}) for _ in range(2)]
    assert [answer.status for answer in answers] == [201, 201], answers
    assert answers[1].headers.get("Idempotent-Replayed") == "true"
    assert answers[0].body["project"] == answers[1].body["project"]


def test_same_key_request_twice_is_a_replay(server):
    answers = [server.api("POST", "/api/keys", {"name": "twice", "role": "viewer"},
                          headers={"Idempotency-Key": "k2"}) for _ in range(2)]
    assert [answer.status for answer in answers] == [201, 201], answers
    assert answers[0].body["id"] == answers[1].body["id"]
    assert answers[1].body["secret"] is None


@pytest.mark.parametrize("act", ["run", "pause"])
def test_same_act_twice_is_a_replay(server, act):
    job = server.submit(COMMAND, scheduled_time="2099-01-01T00:00:00Z")
    answers = [server.api("POST", f"/api/jobs/{job}/{act}", headers={"Idempotency-Key": f"{act}1"})
               for _ in range(2)]
    assert answers[0].status == answers[1].status, answers
    assert answers[0].body["id"] == answers[1].body["id"], answers


def test_a_batch_of_faults_asks_for_no_memory_it_does_not_need(server):
    good = {"name": "good", "action": COMMAND, "scheduled_time": "2199-01-01T00:00:00Z"}
    before = address_space(server)
    answer = server.api("POST", "/api/jobs/batch", [{"name": 1}] * 9999 + [good], timeout=120)
    assert answer.status == 200 and (answer.body["created"], answer.body["failed"]) == (1, 9999)
    assert address_space(server) - before < 1 << 30
