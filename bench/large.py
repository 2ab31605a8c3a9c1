"""M1 and Q1: what Chronos costs when much lies in it. Each size has a server of its own.

Called by run.py, which brings the server under test, the sink of http actions and the table.
"""
import base64
import json
import pathlib
import sqlite3
import statistics
import subprocess
import time

from goals import goal

BASE32 = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's, as in ids


def id_text(prefix, uuid):
    """An id as the API writes it, of its sixteen bytes."""
    number, text = int.from_bytes(uuid, "big"), ""
    for _ in range(26):
        number, digit = divmod(number, 32)
        text = BASE32[digit] + text
    return prefix + text


def p95(values):
    return sorted(values)[round(.95 * (len(values) - 1))]


class Future:
    """M1: N jobs lie ahead. Inserted in batches of 1000 over HTTP by one caller."""

    ACTION = '{"kind":"http","url":"http://127.0.0.1:9/"}'

    def __init__(self, bench, count):
        self.bench, self.server, self.count = bench, bench.Server(), count
        begun, spent = time.time(), 0.0
        for start in range(0, count, 1000):
            lines = self.lines(start, min(1000, count - start))
            sent = time.time()
            self.server.submit_lines_unread(lines)
            spent += time.time() - sent
        self.rate = count / spent  # making the lines aside
        self.seconds = time.time() - begun

    def lines(self, start, count):
        payload = '"payload":{"text":"' + "x" * 180 + '"}'
        second = lambda i: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(4_102_444_800 + i))
        return "\n".join(f'{{"name":"future {i}","action":{self.ACTION},"scheduled_time":"{second(i)}",{payload}}}'
                         for i in range(start, start + count))

    def bytes_per_job(self):
        files = pathlib.Path(self.server.folder.name, "data").glob("chronos.db*")
        return sum(file.stat().st_size for file in files) / self.count

    def claim_ms(self):
        """At the store, of the stopped server's file: claims of 1000 ready runs, each with its commit."""
        done = subprocess.run([self.bench.BUILD / "store_bench", "--claims", self.server.data("chronos.db")],
                              capture_output=True, text=True, check=True)
        return json.loads(done.stdout)


def m1(bench, sizes):
    for count in sizes:
        future = Future(bench, count)
        server, row = future.server, bench.row
        size = future.bytes_per_job()
        server.restart("kill")
        killed, rss = server.ready_seconds, server.rss_mb()
        late = bench.spread_of(bench.lateness_of(server, bench.due_over(10)))
        rss = max(rss, server.rss_mb())
        server.restart("terminate")
        row("M1", f"{count:,} future jobs: inserted", f"{future.rate:,.0f} jobs/s, {size:.0f} B each",
            "batches of 1000 over HTTP, one caller")
        row("", "  ready after kill -9 / after a stop", f"{killed:.2f} / {server.ready_seconds:.2f} s", "",
            goal(max(killed, server.ready_seconds), "<=", 2, "{} s"))
        row("", "  memory, jobs running", f"{rss:.0f} MB", "", goal(rss, "<=", 300, "{} MB"))
        row("", "  T2: 5,000 jobs over 10 s meanwhile", f"p50 {late['p50_ms']:.1f} ms, p99 {late['p99_ms']:.1f} ms",
            "none early", *bench.t2_goals(late))
        server.end()
        claim = future.claim_ms()
        row("", "  claim of 1000 at the store", f"{claim['claim_ms']:.2f} ms, worst {claim['worst_ms']:.1f} ms",
            bench.told_sync(bench.fdatasync_ms(server.folder.name)), goal(claim["claim_ms"], "<=", 3, "{} ms"))
        server.stop()


class Finished:
    """Q1: N runs have ended, one job each; a tenth as many jobs lie ahead. Made through the store."""

    PAGES = 40

    def __init__(self, bench, count):
        self.server = bench.Server()
        self.server.end()
        path = self.server.data("chronos.db")
        done = subprocess.run([bench.BUILD / "store_bench", "--fill", path, str(count), str(count // 10)],
                              capture_output=True, text=True, check=True)
        self.seconds = json.loads(done.stdout)["seconds"]
        self.middle = self.find_middle(path)
        self.server.start()

    @staticmethod
    def find_middle(path):
        """Ids halfway through the jobs and the runs that have ended, and one job that has run."""
        with sqlite3.connect(path) as db:
            def middle(table):
                first, last = (db.execute(f"SELECT id FROM {table} ORDER BY id {order} LIMIT 1").fetchone()[0]
                               for order in ("ASC", "DESC"))
                half = (int.from_bytes(first, "big") + int.from_bytes(last, "big")) // 2
                return half.to_bytes(16, "big")
            job = db.execute("SELECT job FROM runs WHERE id > ? LIMIT 1", (middle("runs"),)).fetchone()[0]
            return {"jobs": id_text("job_", middle("jobs")), "runs": id_text("run_", middle("runs")),
                    "job": id_text("job_", job)}

    def questions(self):
        """What people ask, with the path that asks it."""
        cursor = lambda kind: "cursor=" + base64.b64encode(self.middle[kind].encode()).decode().replace("=", "%3D")
        jobs = {"all": "", "in the middle": cursor("jobs"), "a tag of one in ten": "tag=common",
                "a tag of one in a thousand": "tag=rare", "a name many have": "name=no-op",
                "a name few have": "name=no-op+77", "a name nobody has": "name=nowhere",
                "created before all": "created_before=2000-01-01T00:00:00Z",
                "created after all": "created_after=2198-01-01T00:00:00Z",
                "a tag, and a name nobody has": "tag=common&name=nowhere"}
        for status in "scheduled running retrying paused succeeded failed cancelled".split():
            jobs[status] = "status=" + status
        runs = {"all": "", "in the middle": cursor("runs"),
                "planned before all": "planned_before=2000-01-01T00:00:00Z",
                "planned after all": "planned_after=2198-01-01T00:00:00Z"}
        for state in ("planned queued running retrying succeeded failed timed_out lost cancelled skipped"
                      " missed").split():
            runs[state] = "state=" + state
        paths = {"jobs, " + what: "/api/jobs?" + query for what, query in jobs.items()}
        paths |= {"runs, " + what: "/api/runs?" + query for what, query in runs.items()}
        paths["runs of a job"] = f"/api/jobs/{self.middle['job']}/runs"
        return paths

    def ask(self, path):
        """Milliseconds of each of PAGES answers, and whether a page was less than full."""
        times = []
        for _ in range(self.PAGES):
            begun = time.time()
            page = self.server.api("GET", path)
            times.append((time.time() - begun) * 1000)
        entries = page.get("jobs") or page.get("runs") or []
        return times, page["next"] is not None and len(entries) < 50


def q1(bench, sizes):
    for count in sizes:
        finished = Finished(bench, count)
        asked = {what: finished.ask(path) for what, path in finished.questions().items()}
        worst = max(asked, key=lambda what: p95(asked[what][0]))
        slowest = p95(asked[worst][0])
        bench.row("Q1", f"{count:,} runs: the slowest list", f"p95 {slowest:.1f} ms", worst,
                  goal(slowest, "<=", 150, "{} ms", "p95"))
        for what, (times, is_short) in sorted(asked.items(), key=lambda each: -p95(each[1][0])):
            bench.row("", "  " + what, f"p50 {statistics.median(times):.1f}, p95 {p95(times):.1f} ms",
                      "goes on in the next page" if is_short else "")
        finished.server.stop()
