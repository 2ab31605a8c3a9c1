"""The clients of the rigs: what they should not have been told is not lost with their threads."""
import pytest
from chronos_server import Answer, wait_until
from submitters import Submitters


class Node:
    """Answers with each status in turn, and with the last from then on."""

    def __init__(self, *statuses):
        self.statuses = list(statuses)

    def api(self, *_, **__):
        return Answer(self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0], {}, {"id": "a job"})


def test_what_is_not_known_is_asked_again():
    clients = Submitters([Node(503, 409, 201)], {}, count=1)
    wait_until(lambda: len(clients.acknowledged) > 1, what="two jobs are taken")
    acknowledged = clients.stop()
    assert list(acknowledged)[:2] == ["client 0 job 0", "client 0 job 1"]
    assert (clients.answers[503], clients.answers[409]) == (1, 1)


@pytest.mark.parametrize("status", [422, 500, 507])
def test_a_wrong_answer_reaches_who_stops_them(status):
    clients = Submitters([Node(201, status)], {}, count=1)
    clients.threads[0].join(20)
    with pytest.raises(AssertionError, match=f"status={status}"):
        clients.stop()
