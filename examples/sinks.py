#!/usr/bin/env python3
"""A web server and a mail server that write down what they get: the other end of quickstart.sh.

usage: sinks.py DIR. Writes DIR/http.port and DIR/smtp.port when both listen; appends one JSON line
per request to DIR/http.log and one per mail to DIR/mail.log. /status/NNN answers with that status.
"""
import http.server
import json
import pathlib
import re
import socket
import sys
import threading
import time

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message


class Web(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        write("http.log", {"at": time.time(), "path": self.path, "body": body.decode(),
                           "run": self.headers.get("Chronos-Run-Id"),
                           "attempt": self.headers.get("Chronos-Attempt")})
        found = re.match(r"/status/(\d+)", self.path)
        self.send_response(int(found.group(1)) if found else 200)
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"ok\n")

    do_GET = do_POST

    def log_message(self, *_):
        pass


class Mail(Message):
    def handle_message(self, message):
        write("mail.log", {"at": time.time(), "to": message["To"], "subject": message["Subject"]})


folder = pathlib.Path(sys.argv[1])
lock = threading.Lock()


def write(name, entry):
    with lock, open(folder / name, "a", encoding="utf-8") as log:
        log.write(json.dumps(entry) + "\n")


web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Web)
with socket.create_server(("127.0.0.1", 0)) as probe:  # aiosmtpd must know its port beforehand
    smtp_port = probe.getsockname()[1]
Controller(Mail(), hostname="127.0.0.1", port=smtp_port).start()
(folder / "smtp.port").write_text(str(smtp_port))
(folder / "http.port").write_text(str(web.server_address[1]))
web.serve_forever()
