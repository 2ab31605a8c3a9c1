"""Clients that submit all the time, and write down what they were told."""
import collections
import itertools
import threading

from surely import surely

UNKNOWN = {409, 503}  # 503: not now, or not known; 409: the first of two with one key is still under way


class Submitters:
    """A few threads; each names its jobs and repeats what it has no answer for, at the next node."""

    def __init__(self, nodes, action, count=2):
        self.nodes = list(nodes)
        self.action = action
        self.acknowledged = {}  # name → job id
        self.answers = collections.Counter()  # of statuses, and "link"
        self.failures = []  # what a thread has ended of
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(number,), daemon=True) for number in range(count)]
        for thread in self.threads:
            thread.start()

    def run(self, number):
        try:
            self.submit(number)
        except Exception as failure:  # pylint: disable=broad-exception-caught
            self.failures.append(failure)

    def submit(self, number):
        turns = itertools.cycle(self.nodes)
        for count in itertools.count():
            name = f"client {number} job {count}"
            answer, before = surely(turns, "POST", "/api/submitJob", {"name": name, "action": self.action},
                                    name.replace(" ", "-"), UNKNOWN, self.over)
            self.answers.update(before)
            if answer is None:
                return
            self.answers[answer.status] += 1
            assert answer.status == 201, answer
            self.acknowledged[name] = answer.body["id"]
            self.over.wait(0.1)  # so that what they leave behind can be looked through

    def end(self):
        """May be repeated."""
        self.over.set()
        for thread in self.threads:
            thread.join()

    def stop(self):
        """What was acknowledged, when all have ended, and none of an answer that it should not have got."""
        self.end()
        print("answers:", dict(self.answers))
        for failure in self.failures:
            raise failure
        return dict(self.acknowledged)
