"""A backlog in one queue does not hold up another: where the queue has a limit, who comes later elsewhere goes first.

CHRONOS_BACKLOG is how many jobs wait in the one queue (10,000).
"""
import os

import pytest

BACKLOG = int(os.environ.get("CHRONOS_BACKLOG", "10000"))
BATCH_MAX = 10_000


@pytest.fixture
def crowded(new_server, tmp_path, web):
    config = tmp_path / "chronos.toml"
    config.write_text("[queues.crowd]\nconcurrency = 2\n")
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
    for _ in range(10):
        run = crowded.finished(crowded.submit(web.action("/ok"), queue="few"))
        assert run["state"] == "succeeded"
        late.append(run["lateness_ms"])
        assert waiting(crowded, "crowd") > 0, "it waited for all of them"
    begun = BACKLOG - waiting(crowded, "crowd")
    print(f"{len(late)} jobs started {max(late)} ms late at most beside {BACKLOG:,}, of which {begun:,} had begun by then")
    assert begun > 0, "they go on meanwhile"
