"""The plans PostgreSQL makes: whatever the conformance suite asks for goes along a key, from row to row.

Usage: with_postgres.sh plans.py STORE_CONFORMANCE (CTest sets what else it needs).
The tables are nearly empty in these tests, which is when the planner is most tempted to read them whole
and to keep that plan while they grow.
"""
import collections
import os
import pathlib
import re
import subprocess
import sys

SUITES = ("Audit", "Batches", "Bulks", "Channels", "Claims", "Deliveries", "Held", "Jobs", "Limits", "Lists", "Overview",
          "Planning", "Prune", "Resume", "Runs", "Settle", "Standing", "Workers")
# A row for each attempt under way, holder, opening, count, project or queue: read whole.
SMALL = {"leases", "holders", "commits", "meta", "virtual_time", "job_totals", "run_totals"}
# Sorted because there are few: the runs of a job, what runs now, the users of a calendar, the reasons of a
# job; and deliveries of every kind at once, which nobody asks for but tests.
FEW = ("WHERE l.job = $1 ORDER BY l.run", "ORDER BY token", "ORDER BY e.token", "FROM job_calendars c",
       "FROM runs WHERE job = $1 AND state IN", "WHERE state = 'waiting' AND next_attempt_at <=")

# So many rows and no more, whichever they are.
BOUNDED = {"ready": "FROM ready LIMIT $3)"}


def problems_of(statement, plan):
    if statement.startswith("--"):  # a file of the schema: run once, over whatever there is
        return
    for table in re.findall(r"Seq Scan on (\w+)", plan):
        if table not in SMALL and BOUNDED.get(table, "\0") not in statement:
            yield f"reads all of {table}"
    if re.search(r"Index Cond: \(is_held = 0\)\n", plan):
        yield "reads all live runs that are not held"
    for node in re.findall(r"\b(Hash Join|Merge Join|Materialize|Memoize|Bitmap Heap Scan)\b", plan):
        yield f"has a {node}"
    if re.search(r"\bSort\b", plan) and not any(words in statement for words in FEW):
        yield "sorts"


def main():
    pattern = ":".join(f"*{suite}Test.*" for suite in SUITES)
    subprocess.run([sys.argv[1], "--gtest_brief=1", f"--gtest_filter={pattern}"], check=True)
    log = pathlib.Path(os.environ["PGHOST"], "server.log").read_text(errors="replace")
    plans = re.findall(r"LOG:  duration: [^\n]*plan:\n\tQuery Text: ([^\n]*)\n(.*?)(?=\n\d{4}-|\Z)", log, re.S)
    statements = {statement for statement, _ in plans}
    assert len(statements) > 100, f"only {len(statements)} statements were seen"
    found = collections.defaultdict(str)
    for statement, plan in plans:
        for problem in problems_of(statement, plan + "\n"):
            found[problem, statement] = plan
    for (problem, statement), plan in found.items():
        print(f"{problem}: {statement}\n{plan}\n")
    print(f"{len(statements)} statements, {len(found)} with a plan they should not have")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
