"""A remote worker in a few lines: pulls runs and does what their payload says.

Usage: worker.py PORT[,PORT…] KEY NAME QUEUE. Each request goes to the next port. A payload {"log": FILE, "until": FILE, "fail": true} writes to
the log when it begins and ends, goes on until the other file is there, and fails; {"kill": true} kills the worker. SIGTERM: hands back
what it has not begun, ends what it has, and exits.
"""
import http.client
import itertools
import json
import os
import signal
import sys
import threading
import time

PORTS, KEY, NAME, QUEUE = sys.argv[1:]
next_port = itertools.cycle(PORTS.split(","))
cancelled, wants_end = set(), threading.Event()


def post(path, body):
    """One request on a connection of its own; again while the server is away."""
    while True:
        link = http.client.HTTPConnection("127.0.0.1", int(next(next_port)), timeout=60)
        try:
            link.request("POST", f"/api/workers/{path}", json.dumps(body),
                         {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"})
            response = link.getresponse()
            data = json.loads(response.read())
            if response.status == 200:
                return data
            if response.status != 503:
                sys.exit(f"{response.status} {data}")
        except (OSError, http.client.HTTPException):
            if path == "claim" and "worker_id" in body:
                body["holding"] = []  # of what was claimed the worker knows nothing
        finally:
            link.close()
        time.sleep(0.05)


def heartbeats(worker, every):
    while True:
        cancelled.update(post("settle", {"worker_id": worker})["cancel"])
        time.sleep(every)


def work(run):
    todo = run["payload"]

    def say(word):
        with open(todo["log"], "a", encoding="utf-8") as log:
            log.write(f"{NAME} {run['id']} {run['attempt']} {word}\n")
    say("began")
    if todo.get("kill"):
        os.kill(os.getpid(), signal.SIGKILL)
    while "until" in todo and not os.path.exists(todo["until"]):
        if run["id"] in cancelled:
            say("stopped")
            return "cancelled"
        time.sleep(0.02)
    say("ended")
    return "failed" if todo.get("fail") else "succeeded"


def main():
    signal.signal(signal.SIGTERM, lambda *_: wants_end.set())
    me = post("claim", {"worker": NAME, "queues": [QUEUE], "max": 5})
    worker, held = me["worker_id"], me["runs"]
    threading.Thread(target=heartbeats, args=(worker, 0.3), daemon=True).start()
    while True:
        if wants_end.is_set():
            release = [{"run": run["id"], "token": run["token"]} for run in held]
            post("settle", {"worker_id": worker, "release": release})
            return
        if not held:
            held = post("claim", {"worker_id": worker, "max": 5, "wait": "1s"})["runs"]
            continue
        run = held.pop(0)
        told = post("settle", {"worker_id": worker, "outcomes": [
            {"run": run["id"], "token": run["token"], "outcome": work(run)}]})
        print(run["id"], told["outcomes"][0], flush=True)


main()
