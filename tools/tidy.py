#!/usr/bin/env python3
"""House rules that no compiler checks; runs as a test (ctest: house_rules).

Layering: which module may include which, and which files may include which library.
Sizes: 100 columns, headers of 250 lines, sources of 600, functions of 70.
Words: no names that say nothing, no unfinished marks.
Page: the dashboard makes no markup and no script of text.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SRC = ROOT / "src"

# Who may include whom (ARCHITECTURE.md, "Layers"). A value naming a file allows only that header.
LAYERS = {
    "base": set(),
    "schedule": {"base"},
    "net": {"base"},
    "model": {"schedule", "base"},
    "store": {"model", "schedule", "base"},
    "executor": {"model", "net", "base"},
    "scheduler": {"store", "executor", "model", "schedule", "base"},
    "notify": {"store", "net", "model", "base"},
    "service": {"store", "model", "schedule", "base", "executor/executors.h", "notify/channels.h"},
    "http": {"service", "model", "schedule", "base"},
    "app": {"http", "service", "notify", "scheduler", "executor", "store", "model", "net", "schedule", "base"},
    "cli": {"app", "net", "model", "schedule", "base"},
}

# Third-party headers and the only files that may see them.
CONFINED = {
    r"sqlite3\.h": r"src/store/sql/sqlite[a-z_]*\.cc",
    r"libpq-fe\.h": r"src/store/sql/postgres([a-z_]*\.cc|_handles\.h)",
    r"curl/": r"src/net/([a-z_]+\.cc|curl_options\.h)",
    r"boost/": r"src/http/[a-z_]+\.(cc|h)",
    r"absl/": r"src/schedule/timezone\.cc",
    r"simdjson\.h": r"src/base/json\.cc",
    r"spdlog/": r"src/base/log\.cc",
    r"CLI/": r"src/cli/[a-z_]+\.(cc|h)",
    r"toml\+\+": r"src/app/config[a-z_]*\.cc",
    r"openssl/": r"src/(base/crypto|http/[a-z_]+|store/[a-z_/]+)\.cc",
}

COLUMNS, HEADER_LINES, SOURCE_LINES, FUNCTION_LINES = 100, 250, 600, 70

# file: reason. Each is a debt to be argued for.
LONGER_FILES: dict[str, str] = {
    "src/store/sql/connection.h": "the whole private seam to a database, with its templates",
    "src/store/changes.h": "the one list of changes, read from top to bottom",
    "src/store/memory_tables.h": "the reference's tables and all that may be done to them",
}
LONGER_FUNCTIONS: dict[str, str] = {}

EMPTY_NAMES = re.compile(r"(^|[_/])(util|utils|common|helper|helpers|manager|misc|impl)([_./]|$)")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")

# Takes a text for markup or script (promises: XSS).
MARKUP_OF_TEXT = re.compile(r"\b(inner|outer)HTML\b|dangerouslySetInnerHTML|insertAdjacentHTML|document\.write|srcdoc|"
                            r"createContextualFragment|DOMParser|\beval\(|new Function\(")

problems: list[str] = []


def say(path: pathlib.Path, line: int, text: str) -> None:
    problems.append(f"{path.relative_to(ROOT)}:{line}: {text}")


def check_includes(path: pathlib.Path, lines: list[str]) -> None:
    relative = path.relative_to(ROOT).as_posix()
    module = path.relative_to(SRC).parts[0] if path.is_relative_to(SRC) else None
    is_test = path.stem.endswith("_test")
    for number, line in enumerate(lines, 1):
        found = re.match(r'\s*#include\s+["<]([^">]+)[">]', line)
        if not found:
            continue
        header = found.group(1)
        for pattern, allowed in CONFINED.items():
            if module and not is_test and re.match(pattern, header) and not re.fullmatch(allowed, relative):
                say(path, number, f"only {allowed} may include {header}")
        target = header.split("/")[0]
        if module is None or target not in LAYERS or target == module or is_test:
            continue
        if target not in LAYERS[module] and header not in LAYERS[module]:
            say(path, number, f"{module} may not include {header}")
        composers = ("src/cli/serve_command.cc", "src/cli/doctor_command.cc", "src/cli/demo_command.cc")
        if target == "app" and relative not in composers and header != "app/config.h":
            say(path, number, "only cli/'s serve, doctor and demo commands may include app/")


def check_sizes(path: pathlib.Path, lines: list[str]) -> None:
    relative = path.relative_to(ROOT).as_posix()
    limit = HEADER_LINES if path.suffix == ".h" else SOURCE_LINES
    if len(lines) > limit and relative not in LONGER_FILES:
        say(path, len(lines), f"{len(lines)} lines, at most {limit}")
    for number, line in enumerate(lines, 1):
        # A raw string or a table row that cannot be broken may be longer.
        if len(line) > COLUMNS and 'R"' not in line and "http" not in line:
            say(path, number, f"{len(line)} columns, at most {COLUMNS}")
    check_functions(path, relative, lines)


def check_functions(path: pathlib.Path, relative: str, lines: list[str]) -> None:
    """A function of this style opens with a line ending in '{' at column 0-2 and closes with '}' there."""
    opened = None
    for number, line in enumerate(lines, 1):
        indent = len(line) - len(line.lstrip())
        if opened is None:
            opens = re.match(r"^( {0,2})\S.*\)( const)?( noexcept)?( override)?( &&)? \{$", line)
            if opens and not re.match(r"^\s*(namespace|struct|class|enum|if|for|while|switch|else)\b", line):
                opened = (number, indent)
        elif line.strip() in ("}", "};", "});") and indent <= opened[1]:
            length = number - opened[0] + 1
            name = f"{relative}:{lines[opened[0] - 1].strip()[:60]}"
            if length > FUNCTION_LINES and not any(name.startswith(k) for k in LONGER_FUNCTIONS):
                say(path, opened[0], f"function of {length} lines, at most {FUNCTION_LINES}")
            opened = None


def check_page() -> int:
    sources = [p for p in sorted((ROOT / "web").rglob("*"))
               if p.suffix in (".ts", ".tsx", ".html") and "node_modules" not in p.parts]
    for path in sources:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if MARKUP_OF_TEXT.search(line):
                say(path, number, "text may not become markup or script")
    return len(sources)


def main() -> int:
    folders = [SRC, ROOT / "tests", ROOT / "bench"]
    files = [p for folder in folders for p in sorted(folder.rglob("*"))
             if p.suffix in (".h", ".cc") and "node_modules" not in p.parts]
    for path in files:
        lines = path.read_text(encoding="utf-8").splitlines()
        check_includes(path, lines)
        check_sizes(path, lines)
        if EMPTY_NAMES.search(path.relative_to(ROOT).as_posix()):
            say(path, 1, "a name that says nothing")
        for number, line in enumerate(lines, 1):
            if UNFINISHED.search(line):
                say(path, number, "unfinished")
        if path.suffix == ".h" and not any(line.startswith("#pragma once") for line in lines):
            say(path, 1, "no #pragma once")
        if path.suffix == ".h" and not lines[0].startswith("//"):
            say(path, 1, "the first line must say what this file is for")
    count = len(files) + check_page()
    print("\n".join(problems) if problems else f"house rules hold in {count} files")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
