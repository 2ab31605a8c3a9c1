"""Nodes die, or stop for longer than their lease: others take over what they ran, and what a stale one says changes
nothing."""
import datetime
import json
import signal
import time

from chronos_server import wait_until

# The lease, the interval between two looks at it, and what it takes a busy machine to settle hundreds of runs.
TAKEOVER = 15 + 5 + 3


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def attempts_of(node, job):
    run = node.runs(job)[0]["id"]
    return node.get(f"/api/runs/{run}").get("attempts", [])


def is_lost(node, job):
    attempts = attempts_of(node, job)
    return len(attempts) > 0 and attempts[0]["state"] == "lost"


def test_a_killed_nodes_and_a_stopped_nodes_runs_are_taken_over(new_postgres, new_node, web, tmp_path):
    postgres = new_postgres()
    killed = new_node(postgres.url())
    go = tmp_path / "go"
    hanging = [killed.submit(web.action("/hang"), name=f"job {i}", timeout="10m", max_attempts=1)
               for i in range(500)]
    wait_until(lambda: len(web.about("/hang")) == 500, 90, "hundreds run")
    # What the stopped one runs ends while it is stopped; its outcomes come when others have the runs.
    stopped = new_node(postgres.url())
    script = f'echo "$CHRONOS_RUN_ID $CHRONOS_ATTEMPT" >>{tmp_path}/began; until [ -e {go} ]; do sleep 0.2; done'
    killed.process.send_signal(signal.SIGSTOP)  # so that the other one takes these
    waiting = [stopped.submit({"kind": "command", "argv": ["sh", "-c", script]}, name=f"wait {i}", max_attempts=2,
                              retry={"delay": "0s"}, timeout="10m") for i in range(20)]
    for job in waiting:
        stopped.running(job)
    survivor = new_node(postgres.url())
    often = survivor.submit(web.action("/often"), name="often", every="1s", max_runs=30, on_lost="fail")
    wait_until(lambda: web.about("/often"), 20, "a schedule goes on at all of them")
    killed.kill()
    killed_at = time.time()
    stopped.process.send_signal(signal.SIGSTOP)
    for job in hanging + waiting:
        wait_until(lambda j=job: is_lost(survivor, j), 60, "taken over")
    ended = [seconds(attempts_of(survivor, job)[0]["ended_at"]) for job in hanging + waiting]
    print(f"taken over within {max(ended) - killed_at:.1f} s")
    assert max(ended) - killed_at < TAKEOVER
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
    began = (tmp_path / "began").read_text().split("\n")
    assert len(began) - 1 == 40, "each began once, and once again after it was lost"
    assert stopped.works() and survivor.works()
    wait_until(lambda: survivor.get(f"/api/jobs/{often}")["status"] in ("succeeded", "failed"), 60, "all instants")
    planned = [run["planned_at"] for run in survivor.runs(often)]
    assert len(planned) == len(set(planned)) >= 30
    called = [request["run"] for request in web.about("/often")]
    assert len(called) == len(set(called)), "no instant was started twice"


def refused(node):
    """The runs whose outcomes came too late, as the node's log has them."""
    lines = map(json.loads, (node.folder / "server.log").read_text(errors="replace").splitlines())
    return {line["run"] for line in lines if "came after its lease was lost" in line["message"]}
