"""Requests that are repeated until there is an answer: the same Idempotency-Key makes the repetition harmless."""
import threading
import time

from chronos_server import LINK_ERRORS

UNKNOWN = {409, 503, 507}  # the fate is unknown, the first is still under way, or nothing was stored


def surely(turns, method, path, body, key, unknown=UNKNOWN, over=None, patience=120):
    """The first answer that is one, and what came instead before it: statuses, or "link" where nothing came.

    Each request goes to the next server of `turns`. When the event `over` is set, it gives up: the answer is None.
    """
    before, deadline = [], time.monotonic() + patience
    over = over or threading.Event()
    while not over.is_set():
        try:
            answer = next(turns).api(method, path, body, headers={"Idempotency-Key": key}, timeout=10)
        except LINK_ERRORS:
            answer = None
        if answer and answer.status not in unknown:
            return answer, before
        assert time.monotonic() < deadline, f"no answer about {key}"
        before.append(answer.status if answer else "link")
        over.wait(0.01)
    return None, before
