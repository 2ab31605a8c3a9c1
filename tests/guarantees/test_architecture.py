"""The files and folders that ARCHITECTURE.md's tables name exist."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATH = re.compile(r"[\w./<>{},…-]*(/|\.(cc|h|\{h,cc\}|py|tsx?|mjs|json|md|txt))[\w./<>{},…-]*")


def rows():
    for line in (ROOT / "ARCHITECTURE.md").read_text().splitlines():
        if line.startswith("| "):
            yield re.findall(r"`([^`]+)`", line)


def found(name, folders):
    """What it names: `<kind>` and … stand for any word, {h,cc} for both."""
    pattern = re.sub(r"<\w+>|…", "*", name).rstrip("/")
    endings = re.search(r"\{(.*)\}", pattern)
    for one in ([pattern] if not endings else [pattern.replace(endings[0], end) for end in endings[1].split(",")]):
        paths = [path for folder in folders for path in folder.glob(one)]
        if not paths:
            return []
    return paths


def missing(names):
    """A name is looked for in src and web/src too, and beside or in what stands before it in its row."""
    folders = [ROOT, ROOT / "src", ROOT / "web" / "src"]
    for name in names:
        paths = found(name, folders)
        if not paths and PATH.fullmatch(name):
            yield name
        folders += {path if path.is_dir() else path.parent for path in paths}


def test_every_path_exists():
    tables = list(rows())
    assert sum(len(names) for names in tables) > 100
    assert not [name for names in tables for name in missing(names)]


def test_a_path_that_does_not_exist_is_found():
    assert list(missing(["store/store.h", "changes.h", "nothing.h", "tests/sim/no_such_file.h", "Scheduler::step()"])) == [
        "nothing.h", "tests/sim/no_such_file.h"]
    assert list(missing(["model/run_state.{h,cc}", "model/run_state.{h,txt}", "cli/<noun>_commands.cc"])) == [
        "model/run_state.{h,txt}"]
