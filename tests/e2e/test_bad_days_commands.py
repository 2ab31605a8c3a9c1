"""Commands that misbehave: the run says so, nothing of them is left, the server goes on."""
import os
import pathlib
import signal
import time

from chronos_server import BINARY, wait_until


def shell(script, **more):
    return {"kind": "command", "argv": ["sh", "-c", script], **more}


def processes_with(mark):
    """Ids of the processes whose command line has the mark."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as line:
                if mark.encode() in line.read() and int(pid) != os.getpid():
                    found.append(int(pid))
        except OSError:
            pass  # ended meanwhile
    return found


def gone(mark):
    return wait_until(lambda: not processes_with(mark), what=f"no process of {mark}")


def test_missing_program_fails(server):
    run = server.finished(server.submit({"kind": "command", "argv": ["/no/such/program"]}))
    assert run["state"] == "failed" and "/no/such/program" in run["error"], run


def test_program_that_may_not_be_executed_fails(server, tmp_path):
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o644)
    run = server.finished(server.submit({"kind": "command", "argv": [str(program)]}))
    assert run["state"] == "failed" and run["error"], run


def test_missing_directory_fails(server):
    run = server.finished(server.submit(shell("true", cwd="/no/such/directory")))
    assert run["state"] == "failed" and run["error"], run


def test_killed_by_signal_is_recorded(server):
    run = server.finished(server.submit(shell("kill -SEGV $$")))
    assert run["state"] == "failed", run
    assert run["attempts"][0]["signal"] == signal.SIGSEGV, run


def test_command_that_ignores_sigterm_is_killed(server):
    began = time.monotonic()
    job = server.submit(shell("trap '' TERM; while :; do sleep 0.2731; done"), timeout="1s")
    run = server.finished(job, 30)
    assert run["state"] == "timed_out", run
    assert time.monotonic() - began < 15
    assert gone("0.2731")


def test_double_fork_leaves_nothing_alive(server):
    script = "(setsid sh -c 'sleep 98.7611 & sleep 98.7611' >/dev/null 2>&1 &) ; sleep 98.7611"
    job = server.submit(shell(script), timeout="1s")
    wait_until(lambda: len(processes_with("98.7611")) >= 3, what="the tree stands")
    assert server.finished(job, 30)["state"] == "timed_out"
    assert gone("98.7611")


def test_double_fork_of_a_command_that_succeeds_leaves_nothing_alive(server):
    script = "(setsid sleep 98.7622 >/dev/null 2>&1 &); exit 0"
    run = server.finished(server.submit(shell(script)), 30)
    assert run["state"] == "succeeded", run
    assert gone("98.7622")


def peak_kib(process):
    """Of its memory, since the last word to clear_refs."""
    lines = pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def test_1_gb_of_output_is_bounded(server):
    """What is kept, and the memory meanwhile."""
    pathlib.Path(f"/proc/{server.process.pid}/clear_refs").write_text("5")
    before = peak_kib(server.process)
    run = server.finished(server.submit(shell("head -c 1000000000 /dev/zero | tr '\\0' x"), timeout="10m"), 300)
    assert run["state"] == "succeeded", run
    grown = peak_kib(server.process) - before
    # Sanitizers have memory of their own, and keep what is freed for a while.
    assert grown <= 16 * 1024 or (b"__sanitizer_" in BINARY.read_bytes() and grown < 512 * 1024)
    kept = server.output(run["id"])
    dropped = int(kept.headers["Chronos-Output-Dropped"])
    assert 0 < len(kept.body) <= 2 ** 20
    assert len(kept.body) + dropped >= 1_000_000_000


def test_invalid_utf8_output_is_readable(server):
    job = server.submit(shell(r"printf 'before \377\376\303( \355\240\200 after'"))
    kept = server.output(server.finished(job)["id"])
    text = kept.body.decode("utf-8")  # strict
    assert kept.status == 200 and text.startswith("before ") and text.endswith(" after"), text


def test_nul_bytes_in_output_are_kept(server):
    job = server.submit(shell(r"printf 'a\000b'"))
    assert server.output(server.finished(job)["id"]).body in (b"a\0b", "a\ufffdb".encode())


def test_cancel_stops_a_running_command(server):
    job = server.submit(shell("sleep 98.7633; true"), timeout="1h")
    server.running(job)
    wait_until(lambda: processes_with("98.7633"), what="the command runs")
    answer = server.api("DELETE", f"/api/jobs/{job}")
    assert answer.status == 200, answer
    assert server.finished(job)["state"] == "cancelled"
    assert gone("98.7633")
    assert server.api("DELETE", f"/api/jobs/{job}").body["status"] == "cancelled"


def test_stdin_unread_is_no_failure(server):
    run = server.finished(server.submit(shell("exec true"), payload="x" * 200_000))
    assert run["state"] == "succeeded", run
