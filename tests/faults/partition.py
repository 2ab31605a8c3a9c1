"""Machines of a test's own, as network namespaces on one bridge, on which the database is. What is cut off gets no
packet through, and nobody is told."""
import os
import subprocess

from chronos_server import Server

NOBODY = "02:00:00:00:00:01"  # no machine's address


def ip(*words):
    subprocess.run(["ip", *map(str, words)], check=True, capture_output=True)


class Net:
    """10.77.N.0/24, for a number that is free on this machine."""

    def __init__(self):
        self.tag = f"c{os.getpid() % 100000}"
        self.number = 1 + os.getpid() % 250
        self.bridge = f"{self.tag}b"
        self.machines = []
        # With an address of its own: else it takes one of the wires', and another when that is cut.
        ip("link", "add", self.bridge, "address", "02:00:00:00:00:02", "type", "bridge")
        try:
            ip("addr", "add", f"{self.address(254)}/24", "dev", self.bridge)
            ip("link", "set", self.bridge, "up")
        except subprocess.CalledProcessError:
            self.close()
            raise

    def address(self, host):
        return f"10.77.{self.number}.{host}"

    def add(self):
        """A machine; its number."""
        host = len(self.machines) + 1
        name, wire = f"{self.tag}n{host}", f"{self.tag}w{host}"
        ip("netns", "add", name)
        self.machines.append((name, wire))
        ip("link", "add", wire, "type", "veth", "peer", "name", "eth0", "netns", name)
        ip("link", "set", wire, "master", self.bridge, "up")
        ip("-n", name, "addr", "add", f"{self.address(host)}/24", "dev", "eth0")
        ip("-n", name, "link", "set", "eth0", "up")
        ip("-n", name, "link", "set", "lo", "up")
        return host

    def inside(self, host):
        """What begins a command there, on a machine of that name."""
        name = self.machines[host - 1][0]
        return ["ip", "netns", "exec", name, "unshare", "--uts", "sh", "-c",
                f'hostname node{host}; exec "$@"', "sh"]

    def cut(self, host, way="both"):
        """`way`: "both", or only what goes "to" the bridge, or what comes "from" it."""
        name, wire = self.machines[host - 1]
        if way == "both":
            ip("link", "set", wire, "nomaster")
        elif way == "to":
            ip("-n", name, "neigh", "replace", self.address(254), "lladdr", NOBODY, "dev", "eth0", "nud", "permanent")
        else:
            ip("neigh", "replace", self.address(host), "lladdr", NOBODY, "dev", self.bridge, "nud", "permanent")

    def heal(self, host, way="both"):
        name, wire = self.machines[host - 1]
        if way == "both":
            ip("link", "set", wire, "master", self.bridge)
        elif way == "to":
            ip("-n", name, "neigh", "del", self.address(254), "dev", "eth0")
        else:
            ip("neigh", "del", self.address(host), "dev", self.bridge)

    def close(self):
        for name, _ in self.machines:
            subprocess.run(["ip", "netns", "del", name], check=False)
        subprocess.run(["ip", "link", "del", self.bridge], check=False)


def are_there():
    """Whether this machine lets us make some, and run a program there."""
    try:
        net = Net()
    except (OSError, subprocess.CalledProcessError):
        return False
    try:
        subprocess.run([*net.inside(net.add()), "true"], check=True, capture_output=True)
        return True
    except (OSError, subprocess.CalledProcessError):
        return False
    finally:
        net.close()


class Machine(Server):
    """A node in a namespace."""

    def __init__(self, net, host, folder, url):
        super().__init__(folder, args=["--store", url])
        self.prefix = net.inside(host)
        self.address = net.address(host)
