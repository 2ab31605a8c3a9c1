"""Nodes die, or stop for longer than their lease: others take over what they ran, and what a stale one says changes
nothing."""
import json
import signal
import time

from books import seconds_of
from chronos_server import in_seconds, wait_until
from evidence import report

TAKEOVER = 20  # seconds


def attempts_of(node, job):
    run = node.runs(job)[0]["id"]
    return node.get(f"/api/runs/{run}").get("attempts", [])


def is_lost(node, job):
    attempts = attempts_of(node, job)
    return len(attempts) > 0 and attempts[0]["state"] == "lost"


def test_a_killed_nodes_and_a_stopped_nodes_runs_are_taken_over(new_postgres, new_node, account, web, tmp_path):
    postgres = new_postgres()
    killed = new_node(postgres.url())
    go = tmp_path / "go"
    hanging = [account.submit(killed, web.action("/hang"), f"job {i}", timeout="10m") for i in range(500)]
    wait_until(lambda: len(web.about("/hang")) == 500, 90, "hundreds run")
    # What the stopped one runs ends while it is stopped; its outcomes come when others have the runs.
    stopped = new_node(postgres.url())
    wait_for_go = account.command(f"until [ -e {go} ]; do sleep 0.2; done")
    killed.process.send_signal(signal.SIGSTOP)  # so that the other one takes these
    waiting = [account.submit(stopped, wait_for_go, f"wait {i}", max_attempts=2, retry={"delay": "0s"}, timeout="10m")
               for i in range(20)]
    for job in waiting:
        stopped.running(job)
    survivor = new_node(postgres.url())
    often = account.submit(survivor, web.action("/often"), "often", every="1s", start_at=in_seconds(1)[:-5] + "Z",
                           max_runs=30, on_lost="fail")
    wait_until(lambda: web.about("/often"), 20, "a schedule goes on at all of them")
    killed.kill()
    killed_at = time.time()
    stopped.process.send_signal(signal.SIGSTOP)
    for job in hanging + waiting:
        wait_until(lambda j=job: is_lost(survivor, j), 60, "taken over")
    ended = [seconds_of(attempts_of(survivor, job)[0]["ended_at"]) for job in hanging + waiting]
    assert max(ended) - killed_at <= TAKEOVER
    report("taken over", len(ended), within=round(max(ended) - killed_at, 1))
    go.touch()
    done = [survivor.finished(job, 60) for job in waiting]
    before = [(run["state"], [attempt["state"] for attempt in run["attempts"]]) for run in done]
    assert set(map(str, before)) == {str(("succeeded", ["lost", "succeeded"]))}
    # Now it comes back, with outcomes of its own for all that it ran.
    stopped.process.send_signal(signal.SIGCONT)
    wait_until(lambda: {run["id"] for run in done} <= refused(stopped), 30, "all are refused")
    after = [survivor.get(f"/api/runs/{run['id']}") for run in done]
    assert [run["attempts"] for run in after] == [run["attempts"] for run in done]
    assert [run["ended_at"] for run in after] == [run["ended_at"] for run in done]
    account.check_works(stopped)
    account.check_works(survivor)
    wait_until(lambda: survivor.get(f"/api/jobs/{often}")["status"] in ("succeeded", "failed"), 60, "all instants")
    starts = account.audit(survivor).starts
    assert {len(starts[run["id"]]) for run in done} == {2}, "each began once, and once again after it was lost"


def refused(node):
    """The runs whose outcomes came too late, as the node's log has them."""
    lines = map(json.loads, (node.folder / "server.log").read_text(errors="replace").splitlines())
    return {line["run"] for line in lines if "came after its lease was lost" in line["message"]}
