"""House rules as tests: a rule that is not checked is deleted."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("app", "telephony", "routing", "workforce")
LINES_MAX = 400
BANNED_STEMS = {"utils", "util", "helpers", "helper", "common", "manager", "handler", "base", "misc"}
# Folders of app/ that are no subjects: what drives the engine, keeps the data or composes the rest.
NO_SUBJECTS = {"live", "db", "pbx", "demo", "assets"}
# Modules that other subjects may use as they use a rules.py: pure, and named for what they hold.
SHARED_RULES = {
    "app.calendars.public_holidays",
    "app.centre.document",
    "app.customers.identify_rules",
    "app.customers.number_plans",
    "app.customers.numbers",
    "app.customers.search",
    "app.floor.topic_values",
    "app.jobs.stage",  # what the function of any subject's job computes in
    "app.jobs.work",  # what the function of any subject's job is given
}
PURE_CALLS = {"now", "utcnow", "today", "open", "input", "__import__", "eval", "exec"}
UNITS = re.compile(r"_(ms|s|ns|us|min|days|count|max|min|ratio|id|at|path|laps)$")
# p_wait is a probability, not a length of time.
DURATIONS = re.compile(r"(^|(?<!^p)_)(timeout|delay|duration|elapsed|latency|ttl|wait|hold_time|ring_time)$")
_HOSTS = re.compile(r"(deb\.debian|pypi|pythonhosted|npmjs|yarnpkg)\.(org|com)")
_UNFINISHED = re.compile(
    r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b|raise NotImplemented" + r"Error|mark\.(skip|xfail)"
)
_PATHS = re.compile(r"/(root|home)/[a-z]|/tmp/[a-z]|" + re.escape(f"{ROOT.parent}/"))


def _files() -> list[Path]:
    """Files that are, or are about to be, in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    return sorted(ROOT / name for name in listed if name and (ROOT / name).is_file())


FILES = _files()
SOURCES = [path for path in FILES if path.suffix == ".py"]
TEXTS = [path for path in FILES if path.suffix not in {".gz", ".png", ".wav", ".gsm", ".ico", ".woff2"}]


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=_name(path))


def _in(path: Path, *folders: str) -> bool:
    return _name(path).startswith(tuple(f"{folder}/" for folder in folders))


def _is_pure(path: Path) -> bool:
    name = _name(path)
    return (
        _in(path, "routing")
        or name in {"telephony/translate.py", "app/live/recorder.py", "workforce/measures.py"}
        or (_in(path, *PACKAGES) and path.name in {"codec.py", "rules.py"})
    )


def _defined_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.arg(arg=name):
                yield node.lineno, name
            case ast.Name(id=name, ctx=ast.Store()):
                yield node.lineno, name
            case _:
                pass


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    long = {
        _name(path): count for path in SOURCES if (count := len(path.read_text().splitlines())) > LINES_MAX
    }
    assert not long, "cut by subject"


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert not [
        _name(path) for path in SOURCES if path.stem in BANNED_STEMS or path.parent.name in BANNED_STEMS
    ]


def test_every_module_says_its_law_first() -> None:
    silent = [
        _name(path) for path in SOURCES if _in(path, *PACKAGES) and ast.get_docstring(_tree(path)) is None
    ]
    assert not silent, "a module begins with a docstring"


def test_nothing_prints_but_the_command_line() -> None:
    printing = [
        f"{_name(path)}:{node.lineno}"
        for path in SOURCES
        if _in(path, *PACKAGES) and path.stem != "cli"
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert not printing


def test_pure_modules_neither_wait_nor_read_the_clock() -> None:
    impure = []
    for path in filter(_is_pure, SOURCES):
        for node in ast.walk(_tree(path)):
            match node:
                case ast.AsyncFunctionDef() | ast.Await() | ast.AsyncFor() | ast.AsyncWith():
                    impure.append(f"{_name(path)}:{node.lineno} waits")
                case ast.Call(func=ast.Attribute(attr=called) | ast.Name(id=called)) if called in PURE_CALLS:
                    impure.append(f"{_name(path)}:{node.lineno} calls {called}")
                case _:
                    pass
    assert not impure


def test_every_pure_module_is_under_the_purity_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    patterns = next(c for c in contracts if c["id"] == "purity")["source_modules"]
    expressions = [re.compile(p.replace(".", r"\.").replace("*", r"[^.]+") + r"(\..+)?") for p in patterns]
    for path in filter(_is_pure, SOURCES):
        module = _name(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        assert any(expression.fullmatch(module) for expression in expressions), f"{module} is not listed"


def test_words_of_the_glossary_keep_their_meaning() -> None:
    wrong = []
    for path in SOURCES:
        if not _in(path, "routing", "workforce", "app"):
            continue
        for line, name in _defined_names(_tree(path)):
            words = set(re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower().split("_"))
            asterisk_words = {"penalty", "linkedid"} | ({"member", "members"} if len(words) > 1 else set())
            if words & asterisk_words:
                wrong.append(f"{_name(path)}:{line} {name}: agent, skill level and interaction are our words")
            is_of_the_pbx = "pbx_channel" in name.lower() or name.lower() == "unknown_channel"
            if words & {"channel", "channels"} and not is_of_the_pbx:
                wrong.append(f"{_name(path)}:{line} {name}: a medium, or a pbx_channel?")
    assert not wrong


def test_durations_end_in_their_unit() -> None:
    bare = []
    for path in SOURCES:
        if not _in(path, *PACKAGES):
            continue
        for node in ast.walk(_tree(path)):
            match node:
                case (
                    ast.AnnAssign(target=ast.Name(id=name), annotation=kind)
                    | ast.arg(arg=name, annotation=kind)
                ):
                    is_number = kind is not None and re.search(r"\b(int|float)\b", ast.unparse(kind))
                    if is_number and DURATIONS.search(name) and not UNITS.search(name):
                        bare.append(f"{_name(path)}:{node.lineno} {name}")
                case _:
                    pass
    assert not bare, "name the unit: _ms, _s"


def test_subjects_meet_only_in_queries_and_rules() -> None:
    subjects = _subjects()
    wrong = []
    for path in SOURCES:
        if not _in(path, *(f"app/{subject}" for subject in subjects)):
            continue
        own = _name(path).split("/")[1]
        for line, module in _imported_modules(_tree(path)):
            parts = module.split(".")
            if parts[0] != "app" or len(parts) < 3 or parts[1] not in subjects - {own, "http", "auth"}:
                continue
            if ".".join(parts[:3]) in SHARED_RULES:
                continue
            if parts[2] not in {"queries", "rules"} and own != "http":
                wrong.append(f"{_name(path)}:{line} imports {module}")
    assert not wrong, "a subject asks another through its queries.py or rules.py"


def test_every_subject_is_under_the_web_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    listed = set(next(c for c in contracts if c["id"] == "the-web-asks-the-inbox")["source_modules"])
    assert {f"app.{subject}" for subject in _subjects()} == listed


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (_HOSTS, "no committed file names a package registry's host"),
        (_UNFINISHED, "finish it, or leave it out"),
        (_PATHS, "no path of one machine; derive it, or ask tempfile"),
    ],
    ids=["registry hosts", "unfinished marks", "machine paths"],
)
def test_no_file_holds(pattern: re.Pattern[str], why: str) -> None:
    found = [
        f"{_name(path)}:{number}: {line.strip()[:100]}"
        for path in TEXTS
        if path != Path(__file__).resolve() and not _name(path).startswith("LICENSE")
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found, why


def test_log_messages_are_static_text() -> None:
    wrong = [
        f"{_name(path)}:{node.lineno}"
        for path in SOURCES
        if _in(path, *PACKAGES)
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in {"log", "_log", "logger", "_logger"}
        and node.args
        and not isinstance(node.args[0], ast.Constant)
    ]
    assert not wrong, "static text plus fields; numbers and names of people go into pii="


def _subjects() -> set[str]:
    folders = {
        _name(path).split("/")[1] for path in SOURCES if _in(path, "app") and path.parent != ROOT / "app"
    }
    return folders - NO_SUBJECTS


def _imported_modules(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, alias.name) for alias in names)
            case ast.ImportFrom(module=str(module), names=names):
                yield from ((node.lineno, f"{module}.{alias.name}") for alias in names)
            case _:
                pass


def test_the_migrations_are_one_line() -> None:
    """Two that follow on the same one, made side by side, would keep every server from starting."""
    known: dict[str, str] = {}
    named = re.compile(r'^(revision|down_revision)\b[^"\n]*"([^"]+)"', re.MULTILINE)
    for path in sorted((ROOT / "migrations" / "versions").glob("*.py")):
        before = dict(named.findall(path.read_text())).get("down_revision", "")
        assert before not in known, f"{path.name} and {known[before]} both follow on {before}"
        known[before] = path.name
