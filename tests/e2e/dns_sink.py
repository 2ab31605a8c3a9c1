"""A name server that answers as badly as its table asks, for processes that are started with `prefix`.

The table has, for each name, a list of answers, one for each time it is asked; the last is kept. An answer is a list of
IPv4 and IPv6 addresses; a name in it is a CNAME, whose own addresses follow.
"""
import ipaddress
import os
import socket
import struct
import threading

PID = os.getpid()
ADDRESS = f"127.{64 + (PID >> 16)}.{PID >> 8 & 255}.{PID & 255}"  # port 53 is taken by another suite beside this one
A, CNAME, AAAA = 1, 5, 28


def encoded(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def asked(query):
    """The name and the type of the first question, and where it ends."""
    at, labels = 12, []
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode("latin-1").lower())
        at += query[at] + 1
    return ".".join(labels), struct.unpack(">H", query[at + 1:at + 3])[0], at + 5


class DnsSink:
    def __init__(self, table, folder):
        self.table, self.count = table, {}
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((ADDRESS, 53))
        self.resolv = folder / "resolv.conf"
        self.resolv.write_text(f"nameserver {ADDRESS}\noptions timeout:1 attempts:1\n")
        threading.Thread(target=self.serve, daemon=True).start()

    def prefix(self):
        """A command line that runs another with this name server, and leaves the machine's as it is."""
        return ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/resolv.conf && exec "$@"', self.resolv]

    def serve(self):
        while True:
            try:
                query, client = self.socket.recvfrom(4096)
            except OSError:
                return
            self.socket.sendto(self.answer(query), client)

    def answer(self, query):
        name, kind, end = asked(query)
        answers = self.table.get(name)
        if answers is None:
            return query[:2] + b"\x81\x83" + query[4:6] + b"\0\0\0\0\0\0" + query[12:end]
        count = self.count[name, kind] = self.count.get((name, kind), -1) + 1
        records = list(self.records(encoded(name), answers[min(count, len(answers) - 1)], kind))
        head = query[:2] + b"\x81\x80" + query[4:6] + struct.pack(">HHH", len(records), 0, 0)
        return head + query[12:end] + b"".join(records)

    def records(self, owner, answer, kind):
        for item in answer:
            try:
                address = ipaddress.ip_address(item)
            except ValueError:
                data, is_kind, owner, before = encoded(item), CNAME, encoded(item), owner
                yield before + struct.pack(">HHIH", is_kind, 1, 0, len(data)) + data
                continue
            if kind == (A if address.version == 4 else AAAA):
                yield owner + struct.pack(">HHIH", kind, 1, 0, len(address.packed)) + address.packed

    def close(self):
        self.socket.close()
