"""What a server refused, or that it could not be reached."""
import json


class ChronosError(Exception):
    """`status` of the answer, 0 when there was none; `code` of the closed list in docs/errors.md, or
    "unreachable"; `errors` of bad input; `hint`."""

    def __init__(self, message, status=0, code="unreachable", errors=(), hint=""):
        super().__init__(message)
        self.status = status
        self.code = code
        self.errors = list(errors)
        self.hint = hint

    @property
    def is_temporary(self):
        """Whether the same request may succeed later."""
        return self.status in (0, 429, 503)


class RetryLater(Exception):
    """Raised by a handler: the attempt failed, and the next may start after `seconds`."""

    def __init__(self, seconds, message="to be tried again later"):
        super().__init__(message)
        self.seconds = seconds


def error_of(status, body):
    """The error in an answer that is no success (RFC 9457)."""
    try:
        problem = json.loads(body)
    except ValueError:
        problem = {}  # not from Chronos: a proxy, perhaps
    text = problem.get("detail") or problem.get("title") or f"the server answered {status}"
    errors = problem.get("errors") or []
    if errors:
        text += f" ({errors[0].get('pointer')}: {errors[0].get('detail')})"
    return ChronosError(text, status, problem.get("code", "bad_answer"), errors, problem.get("hint") or "")
