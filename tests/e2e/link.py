"""A wire between two programs that a test can cut: a TCP port that leads to a socket."""
import os
import select
import socket
import threading


class Link:
    def __init__(self, target):
        """`target`: the path of a Unix socket, or (host, port)."""
        self.target = target
        self.whole = threading.Event()
        self.whole.set()
        self.pairs = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.carry, args=(near,), daemon=True).start()

    def carry(self, near):
        self.whole.wait()  # a wire that is cut answers nothing
        family = socket.AF_INET if isinstance(self.target, tuple) else socket.AF_UNIX
        far = socket.socket(family)
        try:
            far.connect(self.target)
        except OSError:
            near.close()
            return
        self.pairs.append((near, far))
        other = {near: far, far: near}
        while True:
            ready, _, _ = select.select(list(other), [], [])
            self.whole.wait()
            try:
                for end in ready:
                    data = end.recv(65536)
                    if not data:
                        raise OSError("closed")
                    other[end].sendall(data)
            except OSError:
                near.close()
                far.close()
                return

    def cut(self):
        """From now on nothing gets through, and nobody is told."""
        self.whole.clear()

    def heal(self):
        self.whole.set()

    def reset(self):
        """Every connection ends at once."""
        pairs, self.pairs = self.pairs, []
        for pair in pairs:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def close(self):
        self.listener.close()
        self.heal()
        self.reset()


def server_socket(env):
    """Where the PostgreSQL server of these PG* variables listens."""
    return os.path.join(env["PGHOST"], f".s.PGSQL.{env['PGPORT']}")
