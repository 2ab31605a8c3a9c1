"""A backlog in one queue does not hold up another: queues of equal priority take turns, and one that is full is passed over.

CHRONOS_BACKLOG is how many jobs wait in the one queue (10,000), CHRONOS_FEW how many come to the other (10), one after
the other, CHRONOS_PAUSE seconds apart (0).
"""
import os
import time

import pytest

BACKLOG = int(os.environ.get("CHRONOS_BACKLOG", "10000"))
FEW = int(os.environ.get("CHRONOS_FEW", "10"))
PAUSE = float(os.environ.get("CHRONOS_PAUSE", "0"))
BATCH_MAX = 10_000

# In the one the node's slots are what both wait for, in the other the queue has a limit of its own.
SETTINGS = {"turns": "[http]\nconcurrency = 4\n", "limit": "[queues.crowd]\nconcurrency = 2\n"}


@pytest.fixture(params=SETTINGS)
def crowded(request, new_server, tmp_path, web):
    config = tmp_path / "chronos.toml"
    config.write_text(SETTINGS[request.param])
    server = new_server(args=["--config", str(config)])
    job = {"name": "one of many", "action": web.action("/ok"), "queue": "crowd", "max_attempts": 1}
    for first in range(0, BACKLOG, BATCH_MAX):
        answer = server.api("POST", "/api/jobs/batch", [job] * min(BATCH_MAX, BACKLOG - first), timeout=120)
        assert {result["status"] for result in answer.body["results"]} == {201}, answer.status
    return server


def waiting(server, name):
    return next((queue["ready"] for queue in server.get("/api/queues")["queues"] if queue["name"] == name), 0)


def test_jobs_of_another_queue_overtake_a_backlog(crowded, web):
    late = []
    for _ in range(FEW):
        run = crowded.finished(crowded.submit(web.action("/ok"), queue="few"))
        assert run["state"] == "succeeded"
        late.append(run["lateness_ms"])
        assert waiting(crowded, "crowd") > 0, "it waited for all of them"
        time.sleep(PAUSE)
    begun = BACKLOG - waiting(crowded, "crowd")
    late.sort()
    print(f"{len(late)} jobs started {late[len(late) * 99 // 100]} ms late (p99), {late[-1]} ms at most, beside {BACKLOG:,}, "
          f"of which {begun:,} had begun by then")
    assert begun > 0, "they go on meanwhile"
