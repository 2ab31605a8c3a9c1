"""Requests to one server; each thread keeps a connection of its own alive."""
import http.client
import json
import random
import socket
import threading
import time
import urllib.parse

from .errors import ChronosError, error_of

TRIES = 5


class Transport:
    def __init__(self, url, api_key):
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no http or https address")
        self._parts = parts
        self._key = api_key
        self._local = threading.local()

    def once(self, method, path, body=None, headers=None, timeout=60, on_connection=None):
        """(status, headers, text) of any answer; raises OSError or HTTPException when there is none."""
        connection = self._connection(timeout)
        if on_connection is not None:
            on_connection(connection)
        all_headers = {"Authorization": "Bearer " + self._key, **(headers or {})}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            all_headers["Content-Type"] = "application/json"
        try:
            connection.request(method, self._parts.path.rstrip("/") + path, data, all_headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        except BaseException:
            self.close()
            raise

    def call(self, method, path, body=None, headers=None, timeout=60, stop=None, on_lost=None,
             on_connection=None):
        """The parsed body of a success. Tries again, with growing pauses, when nobody answers or the
        server asks to come again: for requests that may be repeated. `body` may be a function, called for
        each try; `on_lost()` is told of each that had no answer. `stop`, an Event, ends the pauses;
        `on_connection(connection)` is told what each try goes over, for hang_up."""
        for tries in range(1, TRIES + 1):
            pause = 0.05 * 2 ** tries * random.uniform(0.5, 1.5)
            try:
                sent = body() if callable(body) else body
                status, answer_headers, text = self.once(method, path, sent, headers, timeout, on_connection)
                if status < 300:
                    return json.loads(text) if text else None
                problem = error_of(status, text)
                after = answer_headers.get("Retry-After", "")
                pause = float(after) if after.isdigit() else pause
            except (OSError, http.client.HTTPException) as error:
                if on_lost is not None:
                    on_lost()
                problem = ChronosError(f"the server cannot be reached: {error}")
            is_stopped = stop is not None and stop.is_set()
            if not problem.is_temporary or tries == TRIES or is_stopped:
                raise problem
            (stop.wait if stop is not None else time.sleep)(pause)
        raise AssertionError("not reached")

    def close(self):
        """The connection of this thread."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None

    def _connection(self, timeout):
        connection = getattr(self._local, "connection", None)
        if connection is None:
            kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
            connection = self._local.connection = kind(self._parts.hostname, self._parts.port, timeout=timeout)
        connection.timeout = timeout
        if connection.sock is not None:
            connection.sock.settimeout(timeout)
        return connection


def hang_up(connection, how=socket.SHUT_WR):
    """Ends the wait of another thread for an answer. With SHUT_WR that thread still gets what is on its way."""
    try:
        if connection.sock is not None:
            # Not of TLS: that the other thread reads.
            socket.socket.shutdown(connection.sock, how)
    except OSError:
        pass  # it ended by itself
