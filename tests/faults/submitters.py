"""Clients that submit all the time, and write down what they were told."""
import itertools
import threading

from chronos_server import LINK_ERRORS


class Submitters:
    """A few threads; each names its jobs and repeats what it has no answer for, at the next node."""

    def __init__(self, nodes, action, count=2):
        self.nodes = list(nodes)
        self.action = action
        self.acknowledged = {}  # name → job id
        self.answers = {}       # status or "link" → how often
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.submit, args=(number,)) for number in range(count)]
        for thread in self.threads:
            thread.start()

    def submit(self, number):
        turns = itertools.cycle(self.nodes)
        for count in itertools.count():
            name = f"client {number} job {count}"
            while name not in self.acknowledged:
                if self.over.is_set():
                    return
                self.ask(next(turns), name)
            self.over.wait(0.1)  # so that what they leave behind can be looked through

    def ask(self, node, name):
        try:
            answer = node.api("POST", "/api/submitJob", {"name": name, "action": self.action},
                              headers={"Idempotency-Key": name.replace(" ", "-")}, timeout=10)
        except LINK_ERRORS:
            self.count("link")
            self.over.wait(0.05)
            return
        self.count(answer.status)
        if answer.status == 201:
            self.acknowledged[name] = answer.body["id"]
        else:
            # 503: not now, or not known; 409: the first of two with one key is still under way.
            assert answer.status in (409, 503), answer
            self.over.wait(0.05)

    def count(self, what):
        self.answers[what] = self.answers.get(what, 0) + 1

    def stop(self):
        """What was acknowledged, when all have ended."""
        self.over.set()
        for thread in self.threads:
            thread.join()
        print("answers:", self.answers)
        return dict(self.acknowledged)
