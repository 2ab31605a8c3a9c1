"""Where http actions may go, whatever is written: spellings of addresses, names that rebind, redirects.

A listener stands where nobody may come; that it is asked nothing is what counts, and a run that succeeds is a breach.
"""
import os

import pytest
from chronos_server import Server
from dns_sink import DnsSink

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


@pytest.fixture(scope="module")
def dns(tmp_path_factory):
    if os.geteuid() != 0:
        pytest.skip("only root may be a name server")
    sink = DnsSink(NAMES, tmp_path_factory.mktemp("dns"))
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
    assert answer.status in (201, 422), answer
    return answer.body["id"] if answer.status == 201 else None


def breaches(server, urls, **action):
    jobs = {url: attempt(server, url, **action) for url in urls}
    return [url for url, job in jobs.items() if job and server.finished(job, 60)["state"] == "succeeded"]


def port_of(web):
    return web.url.rsplit(":", 1)[1]


def test_no_spelling_of_this_machine_gets_through(closed, web):
    assert len(LOOPBACK) > 60
    assert not breaches(closed, [f"http://{host}:{port_of(web)}/ok" for host in LOOPBACK])
    assert not web.requests


def test_no_name_gets_through_whatever_it_stands_for(closed, web, dns):
    urls = [f"http://{name}:{port_of(web)}/ok" for name in NAMES]
    for _ in range(2):  # by the second time those that rebind have done so
        assert not breaches(closed, urls)
    assert not web.requests
    asked_for = {name for name, _ in dns.count}
    assert {"rebinding.test", "mixed.test", "alias.test"} <= asked_for  # the rig is not blind


def test_the_listener_can_be_reached_where_that_is_allowed(dns, web, tmp_path):
    server = start(tmp_path, dns, "internal")
    for host in ("127.0.0.1", "plain.test", "alias.test"):
        assert server.finished(attempt(server, f"http://{host}:{port_of(web)}/ok"), 60)["state"] == "succeeded"
    assert len(web.requests) == 3
    refused = attempt(server, "http://metadata.test/latest/meta-data/")
    run = server.finished(refused, 60)
    assert (run["state"], run["attempts"][0]["reason"]) == ("failed", "egress_refused"), run
    server.stop()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_leads_where_a_url_may_not(dns, web, tmp_path, status):
    server = start(tmp_path, dns, "internal")
    targets = ["http://169.254.169.254/", "http://metadata.test/", f"http://127.0.0.1:{server.port}/livez",
               f"http://plain.test:{server.port}/livez", "file:///etc/passwd", "gopher://127.0.0.1/"]
    urls = [f"{web.url}/to/{status}/{target}" for target in targets]
    assert not breaches(server, urls, follow_redirects=True)
    assert len(web.about(f"/to/{status}/{targets[0]}")) == 1
    server.stop()


def test_a_proxy_of_the_environment_is_not_asked(dns, web, tmp_path):
    server = Server(tmp_path, args=["--egress", "public"],
                    env={name: web.url for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY")})
    server.prefix = dns.prefix()
    server.start()
    assert not breaches(server, ["http://rebinding.test/", f"http://{GLOBAL}/"])
    assert not web.requests
    server.stop()
