"""Why does it not run? The API, the command line and the metrics of the real server."""

from chronos_server import wait_until

SLEEPER = {"kind": "command", "argv": ["sleep", "60"]}


def test_a_full_queue_names_the_run_that_holds_it(new_server, tmp_path):
    config = tmp_path / "chronos.toml"
    config.write_text("[queues.narrow]\nconcurrency = 1\n")
    server = new_server(args=["--config", str(config)])
    holder = server.running(server.submit(SLEEPER, queue="narrow"))
    job = server.submit(SLEEPER, queue="narrow")
    why = server.get(f"/api/jobs/{job}/why")
    assert why["code"] == "queue_slot", why
    assert why["blocker"]["runs"] == [holder], why
    assert server.get(f"/api/jobs/{job}/status")["waiting_for"] == "queue_slot"
    run = why["runs"][0]["run_id"]
    assert server.get(f"/api/runs/{run}/why")["code"] == "queue_slot"

    told = server.chronos("why", job)
    assert "queue_slot" in told and holder in told, told
    assert server.chronos("why", run, "-q") == "queue_slot\n"
    assert server.api("POST", f"/api/runs/{holder}/cancel").status == 200
    wait_until(lambda: server.get(f"/api/jobs/{job}/why")["code"] == "running", what="its turn")


def test_what_was_not_run_is_counted_by_reason(new_server):
    server = new_server()
    job = server.submit(SLEEPER, cron="* * * * * *")

    def in_state(state):
        return next((run for run in server.runs(job) if run["state"] == state), None)
    running = wait_until(lambda: in_state("running"), what="a run")

    def skipped():
        counts = server.get(f"/api/jobs/{job}/why")["not_run"]
        return counts and counts[0]["count"] >= 2 and counts
    counts = wait_until(skipped, what="two instants skipped")
    assert (counts[0]["state"], counts[0]["reason"]) == ("skipped", "overlap"), counts
    why = server.get(f"/api/runs/{in_state('skipped')['id']}/why")
    assert why["code"] == "overlap" and why["blocker"]["id"] == running["id"], why
    metrics = server.api("GET", "/metrics").body.decode()
    assert 'chronos_instants_total{reason="overlap",state="skipped"}' in metrics, metrics
