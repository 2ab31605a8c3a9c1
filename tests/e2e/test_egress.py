"""Where http actions may go, whatever is written: spellings of addresses, names that rebind, redirects.

A listener stands where nobody may come, on every address of this machine. It must be asked nothing; and what is not refused
as it is submitted must have ended for that very reason, for a run that failed for another says nothing.
"""
import os
import socket

import pytest
from chronos_server import Server
from dns_sink import DnsSink
from web_sink import WebSink

GLOBAL = "203.0.114.1"  # of nobody here: a connection to it comes to nothing
# Ways to write 127.0.0.1, ::1 and 0.0.0.0.
LOOPBACK = [
    "127.0.0.1", "127.1", "127.0.1", "127.000.000.001", "2130706433", "0x7f000001", "0x7F.1", "0x7f.0x0.0x0.0x1", "0177.1",
    "0177.0.0.01", "017700000001", "0x7f.0.1", "127.0.0.1.", "127.255.255.254", "127.0.0.2", "0", "0.0.0.0", "0x0", "00",
    "000.000.000.000", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[0000::0001]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
    "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b::127.0.0.1]", "[2002:7f00:1::]", "[::ffff:0:127.0.0.1]", "[::1%25lo]",
    "[::1%lo]", "①②⑦.⓪.⓪.①", "127。0。0。1", "１２７.0.0.1", "%31%32%37.0.0.1", "127%2e0%2e0%2e1", "localhost",
    "LOCALHOST", "localhost.", "LocalHost", "x@127.0.0.1", "example.com@127.0.0.1", "127.0.0.1%00.example.com",
    "example.com%40127.0.0.1", "127.0.0.1#.example.com", "127.0.0.1?.example.com", "127.0.0.1\\.example.com",
    "127.0.0.1 .example.com", "127.0.0.1\t", "\t127.0.0.1", "127.0.0.1\n", "0x7f000001.", "4294967296", "256.0.0.1",
    "127.0.0.1.nip.test", "ip6-localhost", "ip6-loopback", "[::ffff:0x7f.1]", "127.0x1", "0x7f.0.0.0x1", "1.0.0.127.in-addr"]
NAMES = {
    "plain.test": [["127.0.0.1"]],
    "six.test": [["::1"]],
    "zero.test": [["0.0.0.0"]],
    "unspecified.test": [["::"]],
    "mapped.test": [["::ffff:127.0.0.1"]],
    "nat64.test": [["64:ff9b::7f00:1"]],
    "private.test": [["10.0.0.1"]],
    "unique.test": [["fd00::1"]],
    "carrier.test": [["100.64.0.1"]],
    "metadata.test": [["169.254.169.254"]],
    "alias.test": [["plain.test", "127.0.0.1"]],
    "mixed.test": [[GLOBAL, "127.0.0.1"]],
    "mixed6.test": [[GLOBAL, "::1"]],
    "rebinding.test": [[GLOBAL], ["127.0.0.1"]],
    "rebinding6.test": [[GLOBAL], ["::1"]],
    "127.0.0.1.nip.test": [["127.0.0.1"]],
}
# What of the spellings is a name for the resolver: so that there is something to refuse on any machine.
SPELT = {name: [["127.0.0.1"]] for name in ("127.0.0.1", "localhost", "ip6-localhost", "ip6-loopback", "0x7f000001",
                                            "4294967296", "256.0.0.1", "1.0.0.127.in-addr")}
REFUSED = {"egress_refused"}
NOWHERE = {"connect", "timeout"}  # what was allowed has led to nobody


@pytest.fixture
def web():
    sink = WebSink(everywhere=True)
    yield sink
    sink.close()


@pytest.fixture(scope="module")
def dns(tmp_path_factory):
    if os.geteuid() != 0:
        pytest.skip("only root may be a name server")
    sink = DnsSink({**NAMES, **SPELT}, tmp_path_factory.mktemp("dns"))
    yield sink
    sink.close()


def start(folder, dns, mode):
    server = Server(folder, args=["--egress", mode])
    server.prefix = dns.prefix()
    return server.start()


@pytest.fixture(scope="module")
def closed(dns, tmp_path_factory):
    """A server that may reach nothing but the public Internet."""
    server = start(tmp_path_factory.mktemp("closed"), dns, "public")
    yield server
    server.stop()


def attempt(server, url, **action):
    """The job of one attempt at a URL, or nothing when it is refused as it is."""
    spec = {"name": "t", "max_attempts": 1, "timeout": "3s",
            "action": {"kind": "http", "method": "GET", "url": url, **action}}
    answer = server.api("POST", "/api/submitJob", spec)
    if answer.status == 201:
        return answer.body["id"]
    assert answer.status == 422, answer
    assert {error["pointer"] for error in answer.body["errors"]} == {"/action/url"}, answer
    return None


def reason_of(server, job):
    run = server.finished(job, 60)
    assert run["state"] in ("failed", "timed_out"), run
    return run["attempts"][0]["reason"]


def ended_otherwise(server, expected, **action):
    """What is accepted of {url: reasons}, and has ended for none of its reasons."""
    jobs = {url: attempt(server, url, **action) for url in expected}
    reasons = {url: reason_of(server, job) for url, job in jobs.items() if job}
    return {url: reason for url, reason in reasons.items() if reason not in expected[url]}


def port_of(web):
    return web.url.rsplit(":", 1)[1]


def test_no_spelling_of_this_machine_gets_through(closed, web):
    assert len(LOOPBACK) > 60
    assert not ended_otherwise(closed, {f"http://{host}:{port_of(web)}/ok": REFUSED for host in LOOPBACK})
    assert not web.requests


def test_no_name_gets_through_whatever_it_stands_for(closed, web, dns):
    def expected(number):
        """For each name by what it stands for at that time."""
        now = {name: answers[min(number, len(answers) - 1)] for name, answers in NAMES.items()}
        return {f"http://{name}:{port_of(web)}/ok": NOWHERE if GLOBAL in answer else REFUSED for name, answer in now.items()}

    assert not ended_otherwise(closed, expected(0))
    assert expected(1) != expected(0)
    closed.restart()  # it keeps an answer for a while; now those that rebind have done so
    assert not ended_otherwise(closed, expected(1))
    assert not web.requests
    asked_twice = {name for (name, _), last in dns.count.items() if last >= 1}
    assert {"rebinding.test", "rebinding6.test", "mixed.test", "alias.test"} <= asked_twice  # the rig is not blind


def test_the_listener_can_be_reached_where_that_is_allowed(dns, web, tmp_path):
    server = start(tmp_path, dns, "internal")
    hosts = ["127.0.0.1", "127.0.0.2", "plain.test", "alias.test"]
    if socket.has_dualstack_ipv6():
        hosts += ["[::1]", "six.test"]
    for host in hosts:
        run = server.finished(attempt(server, f"http://{host}:{port_of(web)}/ok"), 60)
        assert run["state"] == "succeeded", (host, run)
    assert len(web.requests) == len(hosts)
    assert reason_of(server, attempt(server, "http://metadata.test/latest/meta-data/")) == "egress_refused"
    server.stop()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_leads_where_a_url_may_not(dns, web, tmp_path, status):
    server = start(tmp_path, dns, "internal")
    targets = {"http://169.254.169.254/": REFUSED, "http://metadata.test/": REFUSED,
               f"http://127.0.0.1:{server.port}/livez": REFUSED, f"http://plain.test:{server.port}/livez": REFUSED,
               "file:///etc/passwd": {"redirect"}, "gopher://127.0.0.1/": {"redirect"}}
    expected = {f"{web.url}/to/{status}/{target}": reasons for target, reasons in targets.items()}
    assert not ended_otherwise(server, expected, follow_redirects=True)
    assert sorted(request["path"] for request in web.requests) == sorted(f"/to/{status}/{target}" for target in targets)
    server.stop()


def test_a_proxy_of_the_environment_is_not_asked(dns, web, tmp_path):
    server = Server(tmp_path, args=["--egress", "public"],
                    env={name: web.url for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY")})
    server.prefix = dns.prefix()
    server.start()
    assert not ended_otherwise(server, {"http://plain.test/": REFUSED, f"http://{GLOBAL}:{port_of(web)}/": NOWHERE})
    assert not web.requests
    server.stop()
