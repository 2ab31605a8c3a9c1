"""What a command prints is there to read while it runs, and outlives a kill of the server."""
import subprocess

import chronos_server
from chronos_server import wait_until
from event_stream import Stream


def command(folder, before="one", after="two"):
    """Prints, waits for the file `go`, prints again."""
    script = f"echo {before}; while [ ! -e {folder}/go ]; do sleep 0.05; done; echo {after}"
    return {"kind": "command", "argv": [script], "shell": True}


def output(server, run, query=""):
    answer = server.api("GET", f"/api/runs/{run}/output{query}")
    assert answer.status == 200, answer
    return answer


def test_it_is_read_from_an_offset_while_the_run_goes_on(server, tmp_path):
    run = server.running(server.submit(command(tmp_path)))
    wait_until(lambda: output(server, run).body == b"one\n", what="the first line")
    first = output(server, run)
    assert first.headers["Chronos-Output-Running"] == "true"
    (tmp_path / "go").touch()
    offset = first.headers["Chronos-Output-Next"]
    wait_until(lambda: output(server, run, f"?offset={offset}").body == b"two\n", what="the rest")
    wait_until(lambda: output(server, run).headers["Chronos-Output-Running"] == "false", what="the end")
    assert output(server, run).body == b"one\ntwo\n"


def test_it_is_announced_to_who_follows_it(server, tmp_path):
    script = f"while [ ! -e {tmp_path}/go ]; do sleep 0.05; done; echo hello; sleep 1000"
    run = server.running(server.submit({"kind": "command", "argv": [script], "shell": True}))
    stream = Stream(server, f"?output={run}")
    assert stream.next() == ("begin", None)
    (tmp_path / "go").touch()
    _, data = stream.until(lambda name, data: name == "output")
    assert data == {"run": run, "attempt": 1, "size": 6}
    assert output(server, run).body == b"hello\n"
    stream.close()
    server.api("POST", f"/api/runs/{run}/cancel")


def test_it_outlives_a_kill(new_server, tmp_path):
    server = new_server()
    job = server.submit(command(tmp_path), on_lost="fail")
    run = server.running(job)
    wait_until(lambda: output(server, run).body == b"one\n", what="the first line")
    server.kill()
    server.start()
    assert server.finished(job)["state"] == "lost"
    assert output(server, run).body == b"one\n"


def test_logs_follow_it(server, tmp_path):
    run = server.running(server.submit(command(tmp_path)))
    env = {**server.env, "CHRONOS_URL": f"http://127.0.0.1:{server.port}", "CHRONOS_API_KEY": server.key}
    with subprocess.Popen([chronos_server.BINARY, "logs", "-f", run], env=env,
                          stdout=subprocess.PIPE, text=True) as logs:
        assert logs.stdout.readline() == "one\n"
        assert server.get(f"/api/runs/{run}")["state"] == "running"
        (tmp_path / "go").touch()
        assert logs.stdout.read() == "two\n"
    assert logs.returncode == 0


def test_a_secret_in_two_pieces_is_not_shown(server, tmp_path):
    script = f"printf hun; while [ ! -e {tmp_path}/go ]; do sleep 0.05; done; echo ter22; sleep 1000"
    run = server.running(server.submit({"kind": "command", "argv": [script], "shell": True,
                                        "env": {"PASSWORD": "hunter22"}}))
    (tmp_path / "go").touch()
    shown = wait_until(lambda: output(server, run).body, what="output")
    assert shown == b"***\n", shown
    server.api("POST", f"/api/runs/{run}/cancel")


def test_a_workers_lines_are_there_at_once(server):
    job = server.submit({"kind": "worker"}, queue="lines")
    claimed = server.api("POST", "/api/workers/claim", {"worker": "mill", "queues": ["lines"]}).body
    leased = claimed["runs"][0]
    progress = {"worker_id": claimed["worker_id"],
                "progress": [{"run": leased["id"], "token": leased["token"], "output": "one\n"}]}
    assert server.api("POST", "/api/workers/settle", progress).status == 200
    wait_until(lambda: output(server, leased["id"]).body == b"one\n", what="the line")
    end = {"worker_id": claimed["worker_id"],
           "outcomes": [{"run": leased["id"], "token": leased["token"], "outcome": "succeeded",
                         "output": "two\n"}]}
    assert server.api("POST", "/api/workers/settle", end).status == 200
    assert server.finished(job)["state"] == "succeeded"
    assert output(server, leased["id"]).body == b"one\ntwo\n"


def test_a_workers_lines_outlive_a_kill(new_server):
    server = new_server()
    server.submit({"kind": "worker"}, queue="lines")
    claimed = server.api("POST", "/api/workers/claim", {"worker": "mill", "queues": ["lines"]}).body
    leased = claimed["runs"][0]
    turn = {"worker_id": claimed["worker_id"],
            "progress": [{"run": leased["id"], "token": leased["token"], "output": "one\n"}]}
    assert server.api("POST", "/api/workers/settle", turn).status == 200
    wait_until(lambda: output(server, leased["id"]).body == b"one\n", what="the line")
    server.kill()
    server.start()
    turn["progress"][0]["output"] = "two\n"
    assert server.api("POST", "/api/workers/settle", turn).status == 200
    wait_until(lambda: output(server, leased["id"]).body == b"one\ntwo\n", what="both lines")
