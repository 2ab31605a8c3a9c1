"""The table writer on a recorded comparison: no peer, no server, no Node."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import report  # noqa: E402


def recorded(runs, **more):
    participants = [{"id": name, "title": name.title(), "version": "1.0", "durable": True,
                     "durability": "on the disk", "rows": rows, "documented": "its page",
                     "settings": {"S1": "sixty-four callers", "T1": "as it comes"}, **extra}
                    for name, rows, extra in (("chronos", ["S1", "T1"], {"cannot": {"L1": "not yet"}}),
                                              ("peer", ["S1", "T1", "L1"], {}),
                                              ("timers", ["T1"], {"durable": False}))]
    return {"date": "2026-01-02", "rounds": 5, "quick": False, "command": "make bench-peers", "busy": [0.01] * 5,
            "fdatasync_p50_ms": [0.25, 0.5], "participants": participants, "runs": runs,
            "machine": {"processor": "a processor", "cores": 2, "memory_gb": 24, "system": "a system", "kernel": "6",
                        "node": "v24", "filesystem": "ext4"},
            "sizes": {"S1": {"clients": 64, "seconds": 3}, "T1": {"jobs": 5000},
                      "L1": {"jobs": 20000, "batch": 1000, "workers": 1}}, **more}


def ran(row, participant, figures):
    return [{"row": row, "round": number, "participant": participant, "figures": each}
            for number, each in enumerate(figures)]


def rates(*values):
    return [{"rate": value, "p99_ms": 2.0} for value in values]


def late(*values, early=0):
    return [{"p50_ms": value, "p99_ms": 3 * value, "early": early} for value in values]


def line_of(record, row, title):
    _, lines = report.table(record, row)
    return next(line for line in lines if line[0] == title)


def test_a_rate_is_a_median_and_its_ratio_is_that_of_single_rounds():
    record = recorded(ran("S1", "chronos", rates(1000, 9000, 3000)) + ran("S1", "peer", rates(500, 1000, 3000)))
    assert line_of(record, "S1", "Chronos") == ["Chronos", "3,000 (1,000–9,000)", "2 (2–2)", ""]
    # 2, 9 and 1 times ahead; the ratio of the medians would be 3.
    assert line_of(record, "S1", "Peer")[-1] == "× 2"


def test_less_lateness_is_ahead_and_early_starts_are_added_up():
    record = recorded(ran("T1", "chronos", late(10, 10)) + ran("T1", "timers", late(40, 40, early=3)))
    assert line_of(record, "T1", "Timers †") == ["Timers †", "40 (40–40)", "120 (120–120)", "6", "p50 × 4, p99 × 4"]


def test_a_peer_that_is_ahead_is_shown_below_one():
    record = recorded(ran("S1", "chronos", rates(1000)) + ran("S1", "peer", rates(4000)))
    assert line_of(record, "S1", "Peer")[-1] == "× 0.25"


def test_chronos_in_another_way_has_ratios_of_its_own():
    record = recorded(ran("S1", "chronos", rates(1000)) + ran("S1", "chronos-again", rates(2000)) +
                      ran("S1", "peer", rates(500)) + ran("T1", "chronos", late(1)) + ran("T1", "peer", late(2)))
    record["participants"].insert(1, {**record["participants"][0], "id": "chronos-again", "title": "Again"})
    assert report.table(record, "S1")[0] == ["", "jobs/s", "p99 ms", "Chronos is ahead", "Again is ahead"]
    assert line_of(record, "S1", "Again") == ["Again", "2,000", "2", "", ""]
    assert line_of(record, "S1", "Peer")[-2:] == ["× 2", "× 4"]
    assert report.table(record, "T1")[0][-1] == "Chronos is ahead", "it did not run in this row"


def test_what_was_not_measured_has_no_figure():
    failure = {"row": "L1", "round": 0, "participant": "peer", "error": "no jobs ended"}
    record = recorded([failure])
    assert line_of(record, "L1", "Chronos") == ["Chronos", "not yet", ""]
    assert line_of(record, "L1", "Peer") == ["Peer", "failed", ""]
    assert "L1, round 1, Peer: no jobs ended" in report.markdown(record)
    assert "failed: L1, round 1, Peer: no jobs ended" in report.text(record)
    assert [line[0] for line in report.table(record, "L1")[1]] == ["Chronos", "Peer"]


def test_without_a_figure_of_chronos_there_is_no_ratio():
    record = recorded(ran("L1", "peer", [{"rate": 20.0}]))
    assert line_of(record, "L1", "Peer") == ["Peer", "20", "–"]


def test_a_round_that_failed_is_told_beside_the_others():
    record = recorded(ran("S1", "chronos", rates(100)) + ran("S1", "peer", rates(100)) +
                      [{"row": "S1", "round": 1, "participant": "peer", "error": "lost"}])
    assert line_of(record, "S1", "Peer")[1] == "100 [1 of 2 rounds failed]"


def test_the_page_says_where_how_and_what_must_not_be_published():
    runs = ran("S1", "chronos", rates(2000)) + ran("S1", "peer", rates(1000))
    page = report.markdown(recorded(runs))
    for part in ("a processor, 2 cores", "kernel 6", "fdatasync of 4 KiB in this run: p50 0.38 ms (0.25–0.50",
                 "## S1: submit, one job per request, 64 callers at once, 3 s", "| Peer | 1,000 | 2 | × 2 |",
                 "- S1: sixty-four callers", "on the disk", "† can lose", "make bench-peers"):
        assert part in page, part
    assert "Not for publication" not in page
    assert "T1" not in page, "a row that did not run"
    doubtful = report.markdown(recorded(runs, rounds=2, quick=True, busy=[0.8, 0.9]))
    assert "only 2 rounds" in doubtful and "85%" in doubtful and "--quick" in doubtful


def test_the_terminal_has_every_row_that_ran():
    shown = report.text(recorded(ran("S1", "chronos", rates(1000)) + ran("T1", "chronos", late(1))))
    assert shown.index("S1  submit") < shown.index("T1  lateness of 5000")


def with_nodes(runs):
    record = recorded(runs, sizes={"L2N": {}})
    one = {**record["participants"][0], "rows": ["L2", "L2N"], "cannot": {}}
    record["participants"][1:1] = [{**one, "id": f"chronos-pg{nodes}", "title": f"{nodes} nodes"} for nodes in (1, 3)]
    record["participants"][3]["rows"] = ["L2"]
    return record


def test_nodes_of_chronos_are_compared_with_the_first_line_by_rounds():
    record = with_nodes(ran("L2N", "chronos-pg1", rates(100, 400, 100)) +
                        ran("L2N", "chronos-pg3", rates(50, 800, 400)))
    assert report.table(record, "L2N") == (["", "jobs/s", "times 1 nodes"],
                                           [["1 nodes", "100 (100–400)", ""], ["3 nodes", "400 (50–800)", "× 2"]])
    assert "## L2N: L2 by nodes" in report.markdown(record)


def test_a_row_that_plain_chronos_does_not_do_has_the_ratios_of_those_that_do():
    record = with_nodes(ran("L2", "chronos-pg1", rates(100)) + ran("L2", "chronos-pg3", rates(300)) +
                        ran("L2", "peer", rates(200)))
    assert report.table(record, "L2")[0] == ["", "jobs/s", "1 nodes is ahead", "3 nodes is ahead"]
    assert line_of(record, "L2", "Peer") == ["Peer", "200", "× 0.5", "× 1.5"]
    assert line_of(record, "L2", "3 nodes") == ["3 nodes", "300", "", ""]
