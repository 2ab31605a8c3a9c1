"""What clients were told and what targets saw, kept outside the servers: tests/oracle/books.py holds the ledger against
it."""
import itertools
import json
import os
import time

from books import Books, read_starts
from chronos_server import LINK_ERRORS, wait_until

REPORT = os.environ.get("CHRONOS_REPORT")


def report(what, count, **facts):
    """What was tried how often, and what came of it: for who reads the output, and as a line of the file CHRONOS_REPORT."""
    line = json.dumps({"what": what, "n": count, **facts})
    print(line)
    if REPORT:
        with open(REPORT, "a", encoding="utf-8") as file:
            file.write(line + "\n")


class Account:
    def __init__(self, web, file):
        self.web, self.file = web, file
        self.file.touch()
        self.acknowledged = {}  # name → job id
        self.recurring = {}  # job id → declaration
        self.numbers = itertools.count()

    def command(self, then="true"):
        script = f'echo "$CHRONOS_RUN_ID $CHRONOS_ATTEMPT $(date +%s.%N)" >>{self.file}; {then}'
        return {"kind": "command", "argv": ["sh", "-c", script]}

    def submit(self, node, action, name, **fields):
        self.acknowledged[name] = job = node.submit(action, name=name, **fields)
        if "every" in fields:
            self.recurring[job] = fields
        return job

    def check_works(self, node):
        """Proof of life: a command is taken, run and recorded."""
        run = node.finished(self.submit(node, self.command(), f"proof of life {next(self.numbers)}"))
        assert run["state"] == "succeeded", run

    def is_in_service(self, node):
        """Whether it takes and tells, and is heard of by the others' clock."""
        name = f"service {next(self.numbers)}"
        try:
            nodes = node.api("GET", "/api/nodes", timeout=5)
            if nodes.status != 200 or not any(one["is_this"] and one["alive"] for one in nodes.body["nodes"]):
                return False
            # One attempt: what had no answer may have been taken, and is nothing that was acknowledged.
            answer = node.api("POST", "/api/submitJob", {"name": name, "action": self.command()}, timeout=5)
        except LINK_ERRORS:
            return False
        if answer.status == 201:
            self.acknowledged[name] = answer.body["id"]
        return answer.status == 201 and node.api("GET", "/readyz").status == 200

    def wait_for_service(self, nodes, seconds):
        """Until all of them are in service, and no longer than that; how long it took."""
        began = time.monotonic()
        for node in nodes:
            wait_until(lambda n=node: self.is_in_service(n), began + seconds - time.monotonic(), f"service of {node.folder}")
        return round(time.monotonic() - began, 1)

    def books(self, node, acknowledged=(), met_within=None):
        """Of all that was ever submitted; when nothing is left to do."""
        def is_done():
            return not any(node.get(f"/api/runs?state={state}&limit=1")["runs"]
                           for state in ("planned", "queued", "running", "retrying"))
        wait_until(is_done, 90, "all runs are final")
        runs = list(node.pages("/api/runs", "runs"))
        several = [run["id"] for run in runs if run["attempts_made"] > 1]
        attempts = {run: node.get(f"/api/runs/{run}")["attempts"] for run in several}
        recurring = {job: (declared, time.time()) for job, declared in self.recurring.items()}
        return Books(node.pages("/api/jobs", "jobs"), runs, {**self.acknowledged, **dict(acknowledged)},
                     read_starts(list(self.web.requests), self.file), recurring, node.get("/api/overview"), attempts,
                     met_within)

    def audit(self, node, acknowledged=(), met_within=None):
        books = self.books(node, acknowledged, met_within)
        print("audit:", books.summary())
        findings = books.findings()
        assert not findings, findings
        report("acknowledged", len(books.acknowledged))
        return books
