"""A web server that writes down its requests and answers as badly as its path asks."""
import http.server
import json
import os
import re
import socket
import struct
import threading
import time

HUGE = 10 * 1024 ** 3


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.sink.record(self, body)
        mode = re.match(r"/(\w*)", self.path).group(1)
        getattr(self, f"answer_{mode}", self.answer_ok)()

    do_GET = do_POST

    def answer_ok(self, status=200):
        self.send_response(status)
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"ok\n")

    def answer_status(self):
        self.answer_ok(int(self.path.split("/")[2]))

    def answer_set(self):
        """/set: with WebSink.status."""
        self.answer_ok(self.server.sink.status)

    def answer_hang(self):
        self.server.sink.closing.wait()
        self.close_connection = True

    def answer_reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())  # with SO_LINGER 0 this sends RST
        self.close_connection = True

    def answer_drip(self):
        self.begin(1000)
        while not self.server.sink.closing.wait(1):
            self.wfile.write(b".")

    def answer_huge(self):
        self.begin(HUGE)
        chunk = b"x" * 65536
        for _ in range(HUGE // len(chunk)):
            self.wfile.write(chunk)
            self.server.sink.sent += len(chunk)

    def answer_redirect(self):
        self.send_response(302)
        self.send_header("Location", "http://169.254.169.254/latest/meta-data/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def answer_to(self):
        """/to/STATUS/URL: redirects there."""
        _, _, status, target = self.path.split("/", 3)
        self.send_response(int(status))
        self.send_header("Location", target)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def begin(self, length):
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *_):
        pass


class Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 512

    def handle_error(self, *_):
        pass  # the other end went away: that is what the tests do


class DualStackListener(Listener):
    address_family = socket.AF_INET6

    def server_bind(self):
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


class WebSink:
    """On 127.0.0.1, or on every address of this machine: of IPv6 too, if it has that."""

    def __init__(self, everywhere=False):
        self.requests = []
        self.sent = 0  # by /huge
        self.status = 200  # of /set
        self.closing = threading.Event()
        if everywhere and socket.has_dualstack_ipv6():
            self.listener = DualStackListener(("::", 0), Handler)
        else:
            self.listener = Listener(("0.0.0.0" if everywhere else "127.0.0.1", 0), Handler)
        self.listener.sink = self
        self.url = f"http://127.0.0.1:{self.listener.server_address[1]}"
        threading.Thread(target=self.listener.serve_forever, daemon=True).start()

    def record(self, request, body):
        self.requests.append({
            "at": time.time(), "path": request.path, "body": body, "headers": dict(request.headers),
            "run": request.headers.get("Chronos-Run-Id"),
            "attempt": request.headers.get("Chronos-Attempt")})

    def action(self, path):
        return {"kind": "http", "url": self.url + path}

    def about(self, path):
        return [request for request in list(self.requests) if request["path"] == path]

    def payloads(self):
        return [json.loads(request["body"]) for request in list(self.requests)]

    def close(self):
        self.closing.set()
        self.listener.shutdown()
        self.listener.server_close()
