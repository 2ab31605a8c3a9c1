"""The time zone database of the machine changes: what waits moves."""
import os
import shutil

from chronos_server import wait_until

ZONES = "/usr/share/zoneinfo"


def install(folder, name, installed):
    """As an upgrade would: a new file in the place of the old one."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(f"{ZONES}/{installed}", folder / "new")
    os.replace(folder / "new", folder / name)


def test_a_zone_that_changes_while_no_server_runs_moves_its_jobs(new_server, tmp_path):
    zones = tmp_path / "zones"
    install(zones, "Test/Zone", "Asia/Tokyo")
    server = new_server(env={"TZDIR": str(zones)})
    action = {"kind": "command", "argv": ["true"]}
    job = server.submit(action, cron="0 21 1 1 *", timezone="Test/Zone")
    other = server.submit(action, cron="0 21 1 1 *", timezone="+09:00")
    before = server.get(f"/api/jobs/{job}")["next_run_at"]
    assert before.endswith("-01-01T12:00:00.000Z"), before

    server.stop()
    install(zones, "Test/Zone", "Asia/Kathmandu")
    server.start()
    moved = before.replace("T12:00", "T15:15")
    wait_until(lambda: server.get(f"/api/jobs/{job}")["next_run_at"] == moved, what=moved)
    assert server.get(f"/api/jobs/{other}")["next_run_at"] == before
    metrics = server.api("GET", "/metrics").body.decode()
    assert "chronos_replanned_runs_total 1" in metrics, metrics
