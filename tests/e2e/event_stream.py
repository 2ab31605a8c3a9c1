"""A reader of the server's stream of events."""
import http.client
import json


class Stream:
    """An open GET /api/events; next() is the next event, as (name, data)."""

    def __init__(self, server, query="", last_id=None, **headers):
        headers = headers or {"Authorization": f"Bearer {server.key}"}
        if last_id:
            headers["Last-Event-ID"] = last_id
        self.link = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        self.link.request("GET", f"/api/events{query}", headers=headers)
        self.response = self.link.getresponse()
        self.last_id = None

    def line(self):
        return self.response.readline().decode().rstrip("\n")

    def next(self):
        """None at the end of the stream."""
        name = data = None
        while True:
            raw = self.response.readline()
            if not raw:
                return None
            field, _, value = raw.decode().rstrip("\n").partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                data = json.loads(value)
            elif field == "id":
                self.last_id = value
                if name is None:
                    return "begin", None
            elif field == "" and name:
                return name, data

    def until(self, condition):
        """The first event that meets the condition."""
        while True:
            event = self.next()
            assert event is not None, "the stream ended"
            if condition(*event):
                return event

    def close(self):
        # Not close() alone: the answer holds on to the socket.
        self.response.close()
        self.link.close()
