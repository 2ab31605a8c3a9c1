#!/usr/bin/env python3
"""Tables of a recorded comparison: text for the terminal, Markdown for bench/RESULTS.md.

usage: report.py RECORD.json        prints the Markdown again from what compare.py recorded

Every figure is a median over rounds, and every ratio the median of the ratios of single rounds, in which
both sides ran minutes apart at most.
"""
import json
import statistics
import sys

OURS = "chronos"  # participants whose identity begins so are Chronos; the first is the plain one
ROUNDS_TO_PUBLISH = 5
LOSES = "† can lose a job it has answered for, when the machine or the process dies"

# A row: what it measures, its columns, and by which of them it is compared. For a rate more is better.
ROWS = {
    "S1": ("submit, one job per request, {clients} callers at once, {seconds} s",
           [("rate", "jobs/s"), ("p99_ms", "p99 ms")], [("rate", True)]),
    "L1": ("whole life: {jobs} jobs submitted in batches of {batch}, done by {workers} worker process(es)",
           [("rate", "jobs/s")], [("rate", True)]),
    "L2": ("whole life on PostgreSQL: {jobs} jobs submitted in batches of {batch}, "
           "done by {workers} worker process(es)",
           [("rate", "jobs/s")], [("rate", True)]),
    "L2N": ("L2 by nodes of Chronos on one PostgreSQL server", [("rate", "jobs/s")], [("rate", True)]),
    "T1": ("lateness of {jobs} one-time jobs due at one instant",
           [("p50_ms", "p50 ms"), ("p99_ms", "p99 ms"), ("early", "early")], [("p50_ms", False), ("p99_ms", False)]),
    "T2": ("lateness of {jobs} one-time jobs spread over {spread} s",
           [("p50_ms", "p50 ms"), ("p99_ms", "p99 ms"), ("early", "early")], [("p50_ms", False), ("p99_ms", False)]),
    "T3": ("pickup of an immediate job by a waiting worker, {jobs} one after another",
           [("p50_ms", "p50 ms"), ("p99_ms", "p99 ms")], [("p50_ms", False), ("p99_ms", False)]),
}
AMONG_OURS = {"L2N"}  # no peer is in these: each line is compared with the first


def number(value):
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value == int(value) or value >= 100 else f"{value:.2f}"


def by_round(record, row, participant):
    """The figures of a participant in a row, by round."""
    return {entry["round"]: entry["figures"] for entry in record["runs"]
            if entry["row"] == row and entry["participant"] == participant and "figures" in entry}


def figure(rounds, key):
    values = [figures[key] for figures in rounds.values()]
    if key == "early":
        return number(sum(values))
    middle = statistics.median(values)
    return number(middle) if len(values) == 1 else f"{number(middle)} ({number(min(values))}–{number(max(values))})"


def ratio(ours, theirs, key, more_is_better):
    """How many times Chronos is ahead, as the median over the rounds in which both ran; None without such."""
    ratios = []
    for number_of_round in ours.keys() & theirs.keys():
        our_value, their_value = ours[number_of_round][key], theirs[number_of_round][key]
        above, below = (our_value, their_value) if more_is_better else (their_value, our_value)
        if above > 0 and below > 0:
            ratios.append(above / below)
    return statistics.median(ratios) if ratios else None


def ratios_text(ours, theirs, compared):
    if not ours:
        return "–"
    parts = []
    for key, more_is_better in compared:
        times = ratio(ours, theirs, key, more_is_better)
        name = "" if len(compared) == 1 else key.removesuffix("_ms") + " "
        parts.append(f"{name}{'–' if times is None else f'× {times:.2g}' if times < 10 else f'× {times:.0f}'}")
    return ", ".join(parts)


def ratio_cell(record, row, base, participant, compared):
    ours, theirs = (by_round(record, row, each["id"]) for each in (base, participant))
    if row in AMONG_OURS:
        return "" if participant is base else ratios_text(theirs, ours, compared)
    return "" if participant["id"].startswith(OURS) else ratios_text(ours, theirs, compared)


def table(record, row):
    """The head and the lines of a row's table. Who cannot do the row, or failed, says so in its line."""
    _, columns, compared = ROWS[row]
    ours = [participant for participant in record["participants"] if participant["id"].startswith(OURS)]
    bases = [participant for participant in ours if by_round(record, row, participant["id"])] or ours[:1]
    if row in AMONG_OURS:
        bases = bases[:1]
    head = ["", *(title for _, title in columns),
            *(f"times {base['title']}" if row in AMONG_OURS else f"{base['title']} is ahead" for base in bases)]
    blank = [""] * (len(columns) - 1 + len(bases))
    lines = []
    for participant in record["participants"]:
        rounds = by_round(record, row, participant["id"])
        errors = [entry["error"] for entry in record["runs"]
                  if entry["row"] == row and entry["participant"] == participant["id"] and "error" in entry]
        if row not in participant["rows"]:
            reason = participant.get("cannot", {}).get(row)
            if reason is None:
                continue
            cells = [reason, *blank]
        elif not rounds:
            cells = ["failed" if errors else "not run", *blank]
        else:
            cells = [figure(rounds, key) for key, _ in columns]
            cells += [ratio_cell(record, row, base, participant, compared) for base in bases]
            if errors:
                cells[0] += f" [{len(errors)} of {len(errors) + len(rounds)} rounds failed]"
        lines.append([participant["title"] + ("" if participant["durable"] else " †"), *cells])
    return head, lines


def failures(record):
    """One line for each measurement that failed."""
    titles = {participant["id"]: participant["title"] for participant in record["participants"]}
    return [f"{entry['row']}, round {entry['round'] + 1}, {titles[entry['participant']]}: {entry['error']}"
            for entry in record["runs"] if "error" in entry]


def rows_of(record):
    return [row for row in ROWS if any(entry["row"] == row for entry in record["runs"])]


def what(record, row):
    return ROWS[row][0].format(**record["sizes"][row])


def text(record):
    out = []
    for row in rows_of(record):
        head, lines = table(record, row)
        widths = [max(len(line[i]) for line in [head, *lines]) for i in range(len(head))]
        out.append(f"{row}  {what(record, row)}")
        for line in [head, *lines]:
            out.append("  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())
        out.append("")
    return "\n".join(out + [LOSES] + [f"failed: {failure}" for failure in failures(record)])


def markdown_table(head, lines):
    cells = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in cells)


def warnings(record):
    said = []
    if record["rounds"] < ROUNDS_TO_PUBLISH:
        said.append(f"only {record['rounds']} rounds; medians of at least {ROUNDS_TO_PUBLISH} are published")
    busy = statistics.median(record["busy"])
    if busy > 0.1:
        said.append(f"other programs used {busy:.0%} of the processors just before the rounds")
    if record["quick"]:
        said.append("small sizes (--quick)")
    return said


def markdown(record):
    machine = record["machine"]
    syncs = record["fdatasync_p50_ms"]
    said = warnings(record)
    out = ["# Chronos beside its peers", "",
           f"{record['date']}, `{record['command']}`. Written by `bench/peers/compare.py`; docs/benchmarks.md says "
           "what is measured and how to read it.", ""]
    if said:
        out += ["**Not for publication: " + "; ".join(said) + ".**", ""]
    out += [markdown_table(["Machine", ""], [
        ["processor", f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB"],
        ["system", f"{machine['system']}, kernel {machine['kernel']}"],
        ["disk", f"{machine['filesystem']}; fdatasync of 4 KiB in this run: p50 {number(statistics.median(syncs))} ms "
                 f"({number(min(syncs))}–{number(max(syncs))} over the measurements)"],
        ["Node of the drivers", machine["node"]],
        ["used by others", f"{statistics.median(record['busy']):.0%} of the processors, median before rounds"],
        ["rounds", f"{record['rounds']}; all take turns in each round of each row"],
    ]), "",
        "Figures are medians (least–most) over the rounds. \"Is ahead\" is the median of the rounds' own "
        "ratios: above 1 Chronos is faster, or less late, below 1 the peer is. `early` counts jobs that began "
        "before they were due, over all rounds.", "", f"{LOSES}.", ""]
    for row in rows_of(record):
        out += [f"## {row}: {what(record, row)}", "", markdown_table(*table(record, row)), ""]
    if failed := failures(record):
        out += ["## What failed", "", *(f"- {failure}" for failure in failed), ""]
    out += ["## What each ran with", "",
            markdown_table(["", "Version", "An answered job is"],
                           [[p["title"], p["version"], p["durability"]] for p in record["participants"]]), ""]
    for participant in record["participants"]:
        out += [f"**{participant['title']}** (documented in {participant['documented']})", ""]
        out += [f"- {row}: {setting}" for row, setting in participant["settings"].items() if row in rows_of(record)]
        out += [""]
    out += ["## How to repeat", "", "```sh", record["command"], "```", "",
            "On a machine with nothing else to do. It installs the Debian packages of `tools/packages.sh peers` and "
            "the npm packages of `bench/peers/package-lock.json`, and starts and stops every server itself.", ""]
    return "\n".join(out)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        print(markdown(json.load(file)))
