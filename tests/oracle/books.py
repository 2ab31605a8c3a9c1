"""The audit: what the server says at the end, next to what clients were told and what the targets saw.

A rig gives a Books the jobs and runs as the API lists them, what was acknowledged (name → id), the starts that targets
and commands wrote down themselves (run id → [(time, attempt)]), and, for recurring jobs, what was declared and when they
were cancelled (id → (declaration, cancelled at)), and what the overview tells, if all of it is within its range. Where
nodes take over from each other it gives the attempts of each run that had more than one, and within how many seconds each
instant must have been met. findings() names what does not add up.
"""
import collections
import datetime

import instants

FINAL = {"succeeded", "failed", "timed_out", "lost", "cancelled", "skipped", "missed"}
ROUNDING = 0.001  # the server's times are rounded down to milliseconds


def seconds_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class Books:
    def __init__(self, jobs, runs, acknowledged, starts, recurring=None, overview=None, attempts=None, met_within=None):
        self.jobs, self.runs, self.acknowledged = list(jobs), list(runs), dict(acknowledged)
        self.recurring, self.overview = dict(recurring or {}), overview
        self.attempts, self.met_within = dict(attempts or {}), met_within
        self.starts = collections.defaultdict(list, starts)

    def findings(self):
        checks = (self.lost_jobs, self.duplicates, self.unfinished, self.one_time_jobs_run_again,
                  self.started_after_success, self.succeeded_unseen, self.unexplained_starts, self.early,
                  self.repeated_at_most_once, self.strangers, self.wrong_ledgers, self.wrong_totals,
                  self.wrong_attempts, self.two_at_once, self.unmet)
        found = {check.__name__: check() for check in checks}
        return {check: (len(items), list(items)[:5]) for check, items in found.items() if items}

    def lost_jobs(self):
        known = {job["id"]: job["name"] for job in self.jobs}
        return [name for name, id_ in self.acknowledged.items() if known.get(id_) != name]

    def duplicates(self):
        """Submissions that made more than one job."""
        return [item for item in collections.Counter(job["name"] for job in self.jobs).items() if item[1] > 1]

    def unfinished(self):
        final = {run["job_id"] for run in self.runs if run["state"] in FINAL}
        open_runs = [run["id"] for run in self.runs if run["state"] not in FINAL]
        return open_runs + [job["id"] for job in self.jobs if job["id"] not in final]

    def one_time_jobs_run_again(self):
        once = {job["id"] for job in self.jobs if not job["cron"] and not job["every"]}
        runs = collections.Counter(run["job_id"] for run in self.runs)
        return [item for item in runs.items() if item[0] in once and item[1] > 1]

    def started_after_success(self):
        return [(run["id"], run["ended_at"], self.starts[run["id"]]) for run in self.runs
                if run["state"] == "succeeded" and any(
                    at > seconds_of(run["ended_at"]) + ROUNDING for at, _ in self.starts[run["id"]])]

    def succeeded_unseen(self):
        return [run["id"] for run in self.runs if run["state"] == "succeeded" and not self.starts[run["id"]]]

    def unexplained_starts(self):
        """An attempt that started twice, or a start that is no attempt of the run."""
        return [(run["id"], run["state"], run["attempts_made"], self.starts[run["id"]])
                for run in self.runs if not self.explained(run)]

    def explained(self, run):
        attempts = [attempt for _, attempt in self.starts[run["id"]]]
        return len(attempts) == len(set(attempts)) and all(
            attempt <= run["attempts_made"] for attempt in attempts)

    def early(self):
        return [run["id"] for run in self.runs if any(
            at < seconds_of(run["planned_at"]) for at, _ in self.starts[run["id"]])]

    def repeated_at_most_once(self):
        once = {job["id"] for job in self.jobs if job["on_lost"] == "fail"}
        return [run["id"] for run in self.runs
                if run["job_id"] in once and len(self.starts[run["id"]]) > 1]

    def strangers(self):
        return set(self.starts) - {run["id"] for run in self.runs}

    def wrong_ledgers(self):
        """Recurring jobs whose rows are not the instants of their schedules, one answer each."""
        rows = collections.defaultdict(list)
        for run in self.runs:
            if run["trigger"] == "schedule":
                rows[run["job_id"]].append(run)
        wrong = []
        for job in self.jobs:
            if job["id"] in self.recurring:
                wrong += [(job["id"], fault) for fault in self.ledger_faults(job, rows[job["id"]])]
        return wrong

    def ledger_faults(self, job, rows):
        """The run that waited when the job was cancelled is cancelled with it, and so is what would have followed."""
        schedule, cancelled = self.recurring[job["id"]]
        waited = [seconds_of(row["planned_at"]) for row in rows if row["state"] == "cancelled"]
        end = min([cancelled, *waited])
        expected = instants.instants(schedule, int(seconds_of(job["created_at"])), int(max([end, *waited])) + 1)
        if "max_runs" in schedule:  # it is over when so many ran
            not_run = sum(row["count"] for row in rows if row["state"] in ("skipped", "missed"))
            expected = expected[:schedule["max_runs"] + not_run]
        covered, faults = collections.Counter(), []
        known = set(expected)
        for row in rows:
            first, last = seconds_of(row["planned_at"]), seconds_of(row["planned_until"] or row["planned_at"])
            within = [at for at in expected if first <= at <= last]
            covered.update(within)
            if first <= end and row["count"] != len(within):
                faults.append(f"a row of {row['count']} from {row['planned_at']} on covers {len(within)} instants")
            if first <= end and first not in known:
                faults.append(f"no instant of the schedule: {row['planned_at']}")
        # Whether an instant of the cancel's own second was planned before it is not told.
        faults += [f"{covered[at]} rows for {iso(at)}" for at in expected
                   if covered[at] > 1 or (covered[at] == 0 and at <= end - 1)]
        return faults

    def wrong_totals(self):
        """The overview counts as changes are made: it must come to what the lists have."""
        if self.overview is None:
            return []
        counted = collections.Counter()
        for run in self.runs:
            counted[run["state"]] += run["count"]
        expected = {"jobs": len(self.jobs), "queued": counted["queued"], "running": counted["running"],
                    "retrying": counted["retrying"], **{state: counted[state] for state in FINAL}}
        told = {"jobs": self.overview["jobs"]["total"], **self.overview["last"],
                **{name: self.overview[name] for name in ("queued", "running", "retrying")}}
        return [(name, told[name], number) for name, number in expected.items() if told[name] != number]

    def wrong_attempts(self):
        """One row for each attempt that was made; after one that succeeded comes none."""
        return [(run["id"], attempts) for run in self.runs if (attempts := self.attempts.get(run["id"])) is not None
                and ([attempt["number"] for attempt in attempts] != list(range(1, run["attempts_made"] + 1))
                     or any(attempt["state"] == "succeeded" for attempt in attempts[:-1])
                     or (attempts[-1]["state"] == "succeeded") != (run["state"] == "succeeded"))]

    def two_at_once(self):
        """An attempt that began before the ledger had the end of the one before it: of two nodes both held the run."""
        return [(run, number, at) for run, attempts in self.attempts.items() for at, number in self.starts[run]
                if number > 1 and not any(attempt["number"] == number - 1 and seconds_of(attempt["ended_at"]) <= at
                                          for attempt in attempts)]

    def unmet(self):
        """Instants of schedules that no start met in time."""
        if self.met_within is None:
            return []
        return [run["id"] for run in self.runs if run["trigger"] == "schedule"
                and not any(at <= seconds_of(run["planned_at"]) + self.met_within for at, _ in self.starts[run["id"]])]

    def summary(self):
        again = sum(len(starts) > 1 for starts in self.starts.values())
        starts = sum(map(len, self.starts.values()))
        return (f"{len(self.acknowledged)} jobs acknowledged, {len(self.jobs)} found; runs "
                f"{dict(collections.Counter(run['state'] for run in self.runs))}; "
                f"{starts} starts, {again} runs started more than once")


def iso(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).isoformat()


def read_starts(web_requests, file):
    """What a web sink saw, and the lines "run attempt time" that commands wrote."""
    starts = collections.defaultdict(list)
    for request in web_requests:
        starts[request["run"]].append((request["at"], int(request["attempt"])))
    for line in file.read_text().splitlines():
        run, attempt, at = line.split()
        starts[run].append((float(at), int(attempt)))
    return starts
