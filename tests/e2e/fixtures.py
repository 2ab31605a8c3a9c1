"""What the conftest.py of every suite with a real server begins with."""
import chronos_server
import pytest
import web_sink


def pytest_sessionstart(session):
    if not chronos_server.BINARY.exists():
        pytest.exit(f"no binary at {chronos_server.BINARY}; set CHRONOS_BINARY", returncode=4)


@pytest.fixture
def web():
    sink = web_sink.WebSink()
    yield sink
    sink.close()
