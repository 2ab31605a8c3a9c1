"""docs/guarantees.md holds what it says: every promise has its row, every test it names exists, every result its date."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROMISES = {"A": 10, "B": 6, "C": 8, "D": 9, "E": 6, "F": 12}
COLUMNS = ["#", "Promise", "Test", "N", "Result", "Seen", "Again"]
# Files that hold tests, by how a test is named in them.
GTEST = re.compile(r"^TEST(?:_F|_P)?\((\w+), *\n? *(\w+)\)", re.MULTILINE)
PYTEST = re.compile(r"^def (test_\w+)", re.MULTILINE)
NODE = re.compile(r'^test\("([^"]+)"', re.MULTILINE)
CTEST = re.compile(r"add_test\(\s*NAME (\w+)")


def files(*patterns):
    for folder in ("src", "tests", "bench"):
        for pattern in patterns:
            yield from (ROOT / folder).rglob(pattern)


def known_tests():
    names = {"fuzz_" + path.stem.removeprefix("fuzz_") for path in files("fuzz_*.cc")}
    for path in files("*_test.cc"):
        names.update(f"{suite}.{name}" for suite, name in GTEST.findall(path.read_text()))
    for path in files("test_*.py"):
        names.update(f"{path.name}::{name}" for name in PYTEST.findall(path.read_text()))
    for path in files("dashboard/*.test.mjs", "webhooks/*.test.mjs"):
        names.update(f"{path.name}::{name}" for name in NODE.findall(path.read_text()))
    for path in files("CMakeLists.txt"):
        names.update(CTEST.findall(path.read_text()))
    return names


def rows():
    for line in (ROOT / "docs" / "guarantees.md").read_text().splitlines():
        if re.match(r"\| [A-F]\d+ \|", line):
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            assert len(cells) == len(COLUMNS), line
            yield dict(zip(COLUMNS, cells))


def test_every_promise_has_its_row():
    wanted = [f"{group}{number}" for group, size in PROMISES.items() for number in range(1, size + 1)]
    assert [row["#"] for row in rows()] == wanted


def test_every_test_exists():
    known = known_tests()
    missing = [(row["#"], name) for row in rows() for name in re.findall(r"`([^`]+)`", row["Test"]) if name not in known]
    assert not missing


def test_every_result_is_told_with_test_and_date_or_with_its_obstacle():
    for row in rows():
        verdict = re.match(r"(reached|not reached: .+|later: .+)", row["Result"])
        assert verdict, row
        if not verdict[0].startswith("reached"):
            continue
        assert "`" in row["Test"] and "`" in row["Again"] and re.search(r"\d", row["N"]), row
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", row["Seen"]), row
