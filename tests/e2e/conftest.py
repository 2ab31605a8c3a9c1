"""End-to-end tests: the real binary against sinks on this machine.

CHRONOS_BINARY names the binary (default build/release/chronos).
Run: /usr/bin/python3 -m pytest -q tests/e2e
"""
import chronos_server
import mail_sink
import pytest
import worker_process
from fixtures import pytest_sessionstart, web  # noqa: F401  pylint: disable=unused-import


@pytest.fixture
def new_server(tmp_path):
    """Starts servers of a test's own: new_server(env={…}, args=[…], data_dir=…)."""
    servers = []

    def start(**config):
        folder = tmp_path / f"server{len(servers)}"
        folder.mkdir()
        servers.append(chronos_server.Server(folder, **config))
        return servers[-1].start()

    yield start
    for server in servers:
        server.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One server for the tests of a file; it must outlive them and end with exit code 0."""
    server = chronos_server.Server(tmp_path_factory.mktemp("server")).start()
    yield server
    if server.alive():
        server.stop()
    else:
        pytest.fail(f"the server died: {server.process.returncode}\n{server.log()}")


@pytest.fixture
def new_worker(tmp_path):
    """Starts workers: new_worker(server, "name"); of several servers each request goes to the next."""
    workers = []

    def start(*servers, name="mill", queue="default"):
        workers.append(worker_process.Worker(servers, tmp_path, name, queue))
        return workers[-1]

    yield start
    for worker in workers:
        worker.close()


@pytest.fixture
def mail():
    sink = mail_sink.MailSink()
    yield sink
    sink.close()
