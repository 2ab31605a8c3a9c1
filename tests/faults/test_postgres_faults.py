"""The database dies, is promoted, loses its standby: nothing acknowledged is lost while a synchronous standby has
it, and what is lost otherwise is told."""
import os
import signal
import subprocess
import threading
import time

import pytest
from chronos_server import BINARY, wait_until
from evidence import report

IN_SERVICE = 10  # seconds after there is a primary


def goes_on(clients, more):
    before = len(clients.acknowledged)
    wait_until(lambda: len(clients.acknowledged) >= before + more, 60, "submissions go on")


def all_succeeded(books):
    assert {run["state"] for run in books.runs} == {"succeeded"}


def test_an_immediate_restart_loses_nothing_acknowledged(new_postgres, new_node, new_submitters, account, web, rounds,
                                                         chance):
    postgres = new_postgres()
    nodes = [new_node(postgres.url()) for _ in range(2)]
    clients = new_submitters(nodes, web.action("/ok"))
    goes_on(clients, 20)
    took = []
    for _ in rounds(3):
        time.sleep(chance.uniform(0, 0.2))
        postgres.restart("immediate")
        took.append(account.wait_for_service(nodes, IN_SERVICE))
        goes_on(clients, 20)
    acknowledged = clients.stop()
    for node in nodes:
        account.check_works(node)
    all_succeeded(account.audit(nodes[0], acknowledged))
    report("restarts", len(took), in_service=took)


@pytest.fixture
def service(tmp_path):
    """Environments in which a service file tells of servers: service([…], "target_session_attrs=…")."""
    def write(servers, *more):
        hosts, ports = ",".join("127.0.0.1" for _ in servers), ",".join(str(server.port) for server in servers)
        file = tmp_path / "pg_service.conf"
        lines = ["[jobs]", f"host={hosts}", f"port={ports}", "user=postgres", "dbname=postgres", *more]
        file.write_text("\n".join(lines) + "\n")
        return {"PGSERVICEFILE": str(file), "PGSERVICE": "jobs"}

    return write


def test_of_several_servers_the_primary_is_taken(new_postgres, new_node, service, web):
    primary = new_postgres()
    standby = new_postgres(standby_of=primary, name="second")
    for url, env in [(standby.url(primary), {}), ("postgres://", service([standby, primary]))]:
        node = new_node(url, env=env)
        node.finished(node.submit(web.action("/ok"), name="taken"))


def test_a_service_file_may_name_another_kind_of_server(new_postgres, service, tmp_path):
    env = {**os.environ, **service([new_postgres()], "target_session_attrs=standby")}
    told = subprocess.run([BINARY, "serve", "--data-dir", tmp_path / "data", "--listen", "127.0.0.1:0", "--store",
                           "postgres://"], env=env, capture_output=True, text=True, timeout=30, check=False)
    assert told.returncode != 0 and "server is not in hot standby mode" in told.stderr, told


def test_the_promotion_of_a_synchronous_standby_loses_nothing_acknowledged(new_postgres, new_node, new_submitters,
                                                                           account, web, rounds):
    primary = new_postgres()
    standby = new_postgres(standby_of=primary, name="second")
    primary.set("synchronous_standby_names", "*")
    primary.until("SELECT sync_state FROM pg_stat_replication", "sync")
    nodes = [new_node(primary.url(standby)) for _ in range(2)]
    clients = new_submitters(nodes, web.action("/ok"))
    took = []
    for number in rounds(2):
        goes_on(clients, 30)
        primary.stop("immediate")
        standby.promote()
        standby.sql("ALTER SYSTEM RESET synchronous_standby_names")
        standby.sql("SELECT pg_reload_conf()")
        took.append(account.wait_for_service(nodes, IN_SERVICE))
        goes_on(clients, 10)
        # The old one begins anew as the new one's standby.
        primary.name = f"again{number}"
        primary.follow(standby)
        primary.start()
        standby.set("synchronous_standby_names", "*")
        standby.until("SELECT sync_state FROM pg_stat_replication", "sync")
        primary, standby = standby, primary
    all_succeeded(account.audit(nodes[0], clients.stop()))
    report("promotions", len(took), in_service=took)
    assert not any("lost what it had acknowledged" in node.log() for node in nodes)


def test_what_an_asynchronous_standby_did_not_have_is_told_and_the_old_primary_is_refused(new_postgres, new_node,
                                                                                         account, web):
    primary = new_postgres()
    standby = new_postgres(standby_of=primary, name="second")
    node = new_node(primary.url(standby))
    kept = account.submit(node, web.action("/ok"), "kept")
    node.finished(kept)
    end = primary.sql("SELECT pg_current_wal_lsn()")
    standby.until(f"SELECT pg_last_wal_replay_lsn() >= '{end}'", "t")
    # From here on the standby receives nothing.
    standby.sql("ALTER SYSTEM SET primary_conninfo = 'host=127.0.0.1 port=1'")
    standby.sql("SELECT pg_reload_conf()")
    primary.until("SELECT count(*) FROM pg_stat_replication", "0")
    lost = account.submit(node, web.action("/ok"), "lost")
    lost_run = node.finished(lost)["id"]
    primary.stop("immediate")
    standby.promote()
    took = account.wait_for_service([node], IN_SERVICE)
    after = account.submit(node, web.action("/ok"), "after")
    assert node.api("GET", f"/api/jobs/{lost}").status == 404
    wait_until(lambda: "lost what it had acknowledged" in node.log(), 10, "the loss is told")
    assert '"timeline":"2"' in node.log()
    # The old one comes back, and is the first in the URL; the new one is out of reach.
    primary.start()
    standby.stop("fast")
    jobs = primary.sql("SELECT count(*) FROM chronos.jobs")
    wait_until(lambda: "is on timeline 1, and was replaced" in node.api(
        "POST", "/api/submitJob", {"name": "astray", "action": web.action("/ok")}).body.get("detail", ""), 30,
        "the old one is refused")
    assert primary.sql("SELECT count(*) FROM chronos.jobs") == jobs, "it took nothing"
    primary.stop("fast")
    standby.start()
    account.wait_for_service([node], IN_SERVICE)
    assert node.get(f"/api/jobs/{kept}")["id"] == kept and node.get(f"/api/jobs/{after}")["id"] == after
    books = account.books(node)
    assert "astray" not in [job["name"] for job in books.jobs]
    assert books.findings() == {"lost_jobs": (1, ["lost"]), "strangers": (1, [lost_run])}, "and nothing else"
    report("asynchronous promotions", 1, in_service=[took])


def test_a_wait_for_the_standby_that_somebody_ended_is_unknown(new_postgres, new_node, account, web):
    primary = new_postgres()
    node = new_node(primary.url())
    primary.set("synchronous_standby_names", "nobody")
    answers = []
    ask = {"name": "a job", "action": web.action("/ok")}

    def submit():
        answers.append(node.api("POST", "/api/submitJob", ask, headers={"Idempotency-Key": "one"}))

    thread = threading.Thread(target=submit)
    thread.start()
    # Whatever of the node's waits, until it is the submission's turn.
    while thread.is_alive():
        primary.sql("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
        thread.join(0.02)
    assert answers[0].status == 503, answers
    assert answers[0].body["code"] == "unknown_commit", answers
    primary.sql("ALTER SYSTEM RESET synchronous_standby_names")
    primary.sql("SELECT pg_reload_conf()")
    again = wait_until(lambda: (lambda answer: answer.status == 201 and answer)(
        node.api("POST", "/api/submitJob", ask, headers={"Idempotency-Key": "one"})), 20, "the repetition")
    assert again.headers["Idempotent-Replayed"] == "true", dict(again.headers)
    assert node.finished(again.body["id"])["state"] == "succeeded"
    all_succeeded(account.audit(node, {"a job": again.body["id"]}))


@pytest.mark.parametrize("sign", [signal.SIGTERM])
def test_a_node_ends_in_good_order_although_its_database_is_gone(new_postgres, new_node, account, sign):
    postgres = new_postgres()
    node = new_node(postgres.url())
    account.check_works(node)
    postgres.stop("immediate")
    node.process.send_signal(sign)
    assert node.process.wait(40) == 0, node.log()
    postgres.start()
    all_succeeded(account.audit(new_node(postgres.url())))
