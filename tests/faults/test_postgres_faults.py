"""The database dies, is promoted, loses its standby: nothing acknowledged is lost while a synchronous standby has
it, and what is lost otherwise is told."""
import signal
import threading
import time

import pytest
from chronos_server import wait_until


def all_ran(node, acknowledged, web):
    """Each acknowledged job is there, has succeeded, and was called once for each attempt."""
    for name, job in acknowledged.items():
        wait_until(lambda j=job: node.get(f"/api/jobs/{j}")["status"] == "succeeded", 60, f"{name} has run")
    calls = {}
    for request in web.requests:
        calls.setdefault(request["run"], []).append(request["attempt"])
    twice = {run: attempts for run, attempts in calls.items() if len(attempts) != len(set(attempts))}
    assert not twice, "an attempt was made twice"


def test_an_immediate_restart_loses_nothing_acknowledged(new_postgres, new_node, new_submitters, web, rounds, chance):
    postgres = new_postgres()
    nodes = [new_node(postgres.url()) for _ in range(2)]
    clients = new_submitters(nodes, web.action("/ok"))
    for _ in rounds(3):
        before = len(clients.acknowledged)
        wait_until(lambda n=before: len(clients.acknowledged) >= n + 20, 60, "submissions go on")
        time.sleep(chance.uniform(0, 0.2))
        postgres.restart("immediate")
    before = len(clients.acknowledged)
    wait_until(lambda: len(clients.acknowledged) >= before + 20, 60, "submissions go on")
    acknowledged = clients.stop()
    all_ran(nodes[0], acknowledged, web)
    assert all(node.works() for node in nodes)


def test_of_several_servers_the_primary_is_taken(new_postgres, new_node, web):
    primary = new_postgres()
    standby = new_postgres(standby_of=primary, name="second")
    node = new_node(standby.url(primary))
    node.finished(node.submit(web.action("/ok"), name="taken"))


def test_the_promotion_of_a_synchronous_standby_loses_nothing_acknowledged(new_postgres, new_node, new_submitters,
                                                                           web, rounds):
    primary = new_postgres()
    standby = new_postgres(standby_of=primary, name="second")
    primary.set("synchronous_standby_names", "*")
    primary.until("SELECT sync_state FROM pg_stat_replication", "sync")
    nodes = [new_node(primary.url(standby)) for _ in range(2)]
    clients = new_submitters(nodes, web.action("/ok"))
    for number in rounds(2):
        before = len(clients.acknowledged)
        wait_until(lambda n=before: len(clients.acknowledged) >= n + 30, 60, "submissions go on")
        primary.stop("immediate")
        standby.promote()
        standby.sql("ALTER SYSTEM RESET synchronous_standby_names")
        standby.sql("SELECT pg_reload_conf()")
        wait_until(lambda n=len(clients.acknowledged): len(clients.acknowledged) >= n + 10, 60,
                   "the standby takes over")
        # The old one begins anew as the new one's standby.
        primary.name = f"again{number}"
        primary.follow(standby)
        primary.start()
        standby.set("synchronous_standby_names", "*")
        standby.until("SELECT sync_state FROM pg_stat_replication", "sync")
        primary, standby = standby, primary
    acknowledged = clients.stop()
    all_ran(nodes[0], acknowledged, web)
    assert not any("lost what it had acknowledged" in node.log() for node in nodes)


def test_what_an_asynchronous_standby_did_not_have_is_told_and_the_old_primary_is_refused(new_postgres, new_node,
                                                                                         web):
    primary = new_postgres()
    standby = new_postgres(standby_of=primary, name="second")
    node = new_node(primary.url(standby))
    kept = node.submit(web.action("/ok"), name="kept")
    node.finished(kept)
    end = primary.sql("SELECT pg_current_wal_lsn()")
    standby.until(f"SELECT pg_last_wal_replay_lsn() >= '{end}'", "t")
    # From here on the standby receives nothing.
    standby.sql("ALTER SYSTEM SET primary_conninfo = 'host=127.0.0.1 port=1'")
    standby.sql("SELECT pg_reload_conf()")
    primary.until("SELECT count(*) FROM pg_stat_replication", "0")
    lost = node.submit(web.action("/ok"), name="lost")
    node.finished(lost)
    primary.stop("immediate")
    standby.promote()
    wait_until(lambda: node.api("GET", f"/api/jobs/{kept}").status == 200, 30, "the standby takes over")
    after = wait_until(lambda: submitted(node, web, "after"), 30, "it takes submissions")
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
    wait_until(lambda: node.api("GET", f"/api/jobs/{after}").status == 200, 30, "the new one is back")
    assert node.works()


def submitted(node, web, name):
    answer = node.api("POST", "/api/submitJob", {"name": name, "action": web.action("/ok")})
    return answer.status == 201 and answer.body["id"]


def test_a_wait_for_the_standby_that_somebody_ended_is_unknown(new_postgres, new_node, web):
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
    assert node.alive()


@pytest.mark.parametrize("sign", [signal.SIGTERM])
def test_a_node_ends_in_good_order_although_its_database_is_gone(new_postgres, new_node, sign):
    postgres = new_postgres()
    node = new_node(postgres.url())
    assert node.works()
    postgres.stop("immediate")
    node.process.send_signal(sign)
    assert node.process.wait(40) == 0, node.log()
