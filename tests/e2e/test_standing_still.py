"""A server that is stopped for a while and goes on, as in a suspended machine: nothing twice, nothing early, no hole.

CHRONOS_STANDSTILL is how many seconds (8).
"""
import os
import signal
import sys
import time

from chronos_server import ROOT, wait_until

sys.path.insert(0, str(ROOT / "tests" / "oracle"))
from books import Books, read_starts  # noqa: E402

STILL = int(os.environ.get("CHRONOS_STANDSTILL", "8"))
SCHEDULES = {
    "run_once": {"cron": "* * * * * *", "misfire": {"policy": "run_once", "grace": "1s"}, "overlap": "allow"},
    "run_all": {"cron": "*/2 * * * * *", "misfire": {"policy": "run_all", "grace": "1s"}, "overlap": "allow"},
    "skip": {"cron": "* * * * * *", "misfire": {"policy": "skip", "grace": "1s"}, "overlap": "allow"},
}


def test_every_instant_of_a_standstill_has_one_answer(new_server, web, tmp_path):
    server = new_server()
    jobs = {name: server.submit(web.action("/ok"), name=name, max_attempts=5, retry={"delay": "100ms"}, **schedule)
            for name, schedule in SCHEDULES.items()}
    wait_until(lambda: len(web.requests) > 6, what="they run")
    server.process.send_signal(signal.SIGSTOP)
    time.sleep(STILL)
    server.process.send_signal(signal.SIGCONT)
    server.disconnect()  # the server keeps no connection for as long as it may stand still
    seen = len(web.requests)
    wait_until(lambda: len(web.requests) > seen + 6, what="they run again")
    recurring = {}
    for name, job in jobs.items():
        recurring[job] = SCHEDULES[name], time.time()
        assert server.api("DELETE", f"/api/jobs/{job}?running=keep").status == 200
    wait_until(lambda: not any(server.get(f"/api/runs?state={state}")["runs"] for state in ("queued", "running", "retrying")),
               what="all runs have ended")
    (tmp_path / "starts").touch()
    runs = list(server.pages("/api/runs", "runs"))
    books = Books(server.pages("/api/jobs", "jobs"), runs, {name: job for name, job in jobs.items()},
                  read_starts(list(web.requests), tmp_path / "starts"), recurring)
    assert not books.findings()
    missed = {name: sum(run["count"] for run in runs if run["job_id"] == job and run["state"] == "missed")
              for name, job in jobs.items()}
    assert missed["run_all"] == 0 and missed["run_once"] >= STILL - 3 and missed["skip"] >= STILL - 3, missed
    server.stop()
