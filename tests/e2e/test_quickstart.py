"""The tour of examples/quickstart.sh works."""
import subprocess

from chronos_server import BINARY, ROOT


def test_quickstart():
    done = subprocess.run([ROOT / "examples/quickstart.sh", BINARY], capture_output=True,
                          text=True, timeout=300, check=False)
    told = done.stdout + done.stderr
    assert done.returncode == 0, told
    assert done.stdout.strip().splitlines()[-1] == "quickstart: all steps passed", told
