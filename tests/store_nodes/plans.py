"""The plans PostgreSQL makes: whatever the conformance suite asks for goes along a key, from row to row.

Usage: with_postgres.sh plans.py STORE_CONFORMANCE (CTest sets what else it needs).
Twice: while the tables are nearly empty, when the planner is most tempted to read them whole and to keep that
plan while they grow; and with the rows of large.sql, a million runs ahead and as many that have ended, where it
also has to expect few rows of every index it looks into, or stop after some. There once as the tables are
without anybody's doing, and once after ANALYZE of all.
"""
import collections
import json
import os
import pathlib
import re
import subprocess
import sys

SUITES = ("Audit", "Batches", "Bulks", "Channels", "Claims", "Deliveries", "Held", "Jobs", "Limits", "Lists",
          "Overview", "Planning", "Prune", "Resume", "Runs", "Settle", "Standing", "Workers")
# A row for each attempt under way, holder, opening, count, project or queue: read whole.
SMALL = {"leases", "holders", "commits", "meta", "virtual_time", "job_totals", "run_totals"}
# Sorted because there are few: the runs of a job, what runs now, what is queued when that is little, the users of a
# calendar, the reasons of a job; and deliveries of every kind at once, which nobody asks for but tests.
FEW = ("WHERE l.job = $1 ORDER BY l.run", "ORDER BY token", "ORDER BY e.token", "FROM leases e JOIN jobs j",
       "UNION ALL SELECT job, run FROM limit_lines", "FROM job_calendars c", "FROM runs WHERE job = $1 AND state IN",
       "WHERE state = 'waiting' AND next_attempt_at <=")
# So many rows and no more, whichever they are; as many as were found before; and an index of nothing else.
BOUNDED = {"ready": "FROM ready LIMIT $3)", "due": "run) < ($1, $2)",
           "deliveries": "count(*) FROM deliveries WHERE state = 'waiting'"}

NEVER = {"Hash Join", "Merge Join", "Materialize", "Memoize", "Bitmap Heap Scan", "Gather", "Gather Merge"}
# What hands on row after row, and so stops when what is above it has enough.
STREAMS = {"Nested Loop", "Subquery Scan", "Append", "Merge Append", "Result", "LockRows", "ProjectSet"}
MANY = 10_000
# Not a file of the schema, nor a piece of a procedure in one.
IS_ONE = re.compile(r"(SELECT|INSERT|UPDATE|DELETE|WITH)\b")


def nodes_of(plan, above=()):
    """Every node, with those above it, the nearest first."""
    yield plan, above
    for child in plan.get("Plans", ()):
        yield from nodes_of(child, (plan, *above))


def is_stopped(node, above):
    """Whether a LIMIT ends this scan before the rows do."""
    for parent in above:
        if node.get("Parent Relationship") not in ("Outer", "Subquery", "Member"):
            return False
        if parent["Node Type"] == "Limit":
            return True
        if parent["Node Type"] not in STREAMS:
            return False
        node = parent
    return False


def problems_of(statement, plan, is_large):
    if statement.startswith("--"):  # a file of the schema: run once, over whatever there is
        return
    for node, above in nodes_of(plan):
        kind, table = node["Node Type"], node.get("Relation Name")
        is_short = table in SMALL or BOUNDED.get(table, "\0") in statement
        if kind == "Seq Scan" and not is_short:
            yield f"reads all of {table}"
        if node.get("Index Cond") == "(is_held = 0)":
            yield "reads all live runs that are not held"
        if kind in NEVER:
            yield f"has a {kind}"
        if kind in ("Sort", "Incremental Sort") and not any(words in statement for words in FEW):
            yield "sorts"
        is_long = node["Plan Rows"] > MANY or "Index Cond" not in node
        if is_large and kind in ("Index Scan", "Index Only Scan") and is_long and not is_short and \
                not is_stopped(node, above):
            yield f"expects {node['Plan Rows']} rows of {table}"


def psql(database, script):
    return subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database], input=script, check=True,
                          stdout=subprocess.PIPE, text=True).stdout


def explained(database, settings, statements):
    """The plans of statements as a session of the store has them, which does not look at their parameters."""
    script = [settings + ";", "SET auto_explain.log_min_duration = -1;"]
    for number, statement in enumerate(statements):
        count = max(map(int, re.findall(r"\$(\d+)", statement)), default=0)
        nulls = f"({', '.join(['NULL'] * count)})" if count else ""
        script += [f"PREPARE s{number} AS {statement};", "\\echo =",
                   f"EXPLAIN (FORMAT JSON) EXECUTE s{number}{nulls};"]
    answers = psql(database, "\n".join(script)).split("\n=\n")[1:]
    return [(statement, json.loads(answer)[0]["Plan"]) for statement, answer in zip(statements, answers, strict=True)]


def logged():
    """The plans auto_explain has told of."""
    log = pathlib.Path(os.environ["PGHOST"], "server.log").read_text(errors="replace")
    for told in re.findall(r"LOG:  duration: [^\n]*plan:\n((?:\t[^\n]*\n)+)", log):
        plan = json.loads(told.replace("\n\t", "\n"))
        yield plan["Query Text"], plan["Plan"]


def run_suites(binary):
    """A share of them on each processor: most of their time is making databases."""
    command = [binary, "--gtest_brief=1", "--gtest_filter=" + ":".join(f"*{suite}Test.*" for suite in SUITES)]
    count = os.cpu_count() or 1
    shards = [subprocess.Popen(command, env={**os.environ, "GTEST_TOTAL_SHARDS": str(count),
                                             "GTEST_SHARD_INDEX": str(number)}) for number in range(count)]
    assert not any([shard.wait() for shard in shards]), "the suites fail"


def main():
    run_suites(sys.argv[1])
    small = list(logged())
    statements = sorted({statement for statement, _ in small})
    assert len(statements) > 100, f"only {len(statements)} statements were seen"
    found = collections.defaultdict(str)

    def judge(plans, size, is_large):
        for statement, plan in plans:
            for problem in problems_of(statement, plan, is_large):
                found[f"{size}: {problem}", statement] = json.dumps(plan, indent=1)

    judge(small, "small", False)
    settings = next(statement for statement in statements if statement.startswith("SELECT set_config('search_path'"))
    single = [statement for statement in statements if IS_ONE.match(statement)]
    # What the suite made its databases of: the schema, and no rows.
    database = psql("postgres", "SELECT min(datname) FROM pg_database WHERE datname LIKE 'chronos_original%'").strip()
    psql(database, pathlib.Path(__file__).with_name("large.sql").read_text())
    judge(explained(database, settings, single), "large", True)
    psql(database, "ANALYZE")
    judge(explained(database, settings, single), "large, analyzed", True)

    for (problem, statement), plan in found.items():
        print(f"{problem}: {statement}\n{plan}\n")
    print(f"{len(statements)} statements, {len(found)} with a plan they should not have")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
