"""The rigs share the server and the sinks of tests/e2e, and the books of tests/oracle."""
import pathlib
import sys

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "e2e"), str(TESTS / "oracle")]
