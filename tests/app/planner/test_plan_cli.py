"""``holdless plan staffing``: one case, many cases, and a sentence for whatever cannot be planned."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli import main


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Return the exit code, standard output and standard error."""
    code = 0
    try:
        main(["plan", *arguments])
    except SystemExit as ended:
        code = int(ended.code or 0)
    said = capsys.readouterr()
    return code, said.out, said.err


CASE = ("staffing", "--calls", "100", "--interval-min", "30", "--aht-s", "180")


def test_one_case_is_answered_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, *CASE, "--target", "0.8", "--threshold-s", "20", "--shrinkage", "0.3")
    assert code == 0
    lines = [line.split() for line in out.splitlines()]
    assert ["agents", "14"] in lines
    assert ["to", "schedule", "20"] in lines


@pytest.mark.parametrize(
    ("options", "agents"),
    [
        (("--model", "erlang-c"), 14),
        (("--model", "erlang-a", "--patience-s", "180"), 12),
        (("--patience-s", "60"), 12),
        (("--model", "erlang-b", "--target", "0.99"), 18),
        (("--max-occupancy", "0.6"), 17),
        (("--patience-s", "300", "--max-abandonment", "0.01"), 15),
        (("--rate-cv", "0.2"), 15),
    ],
)
def test_every_model_and_limit_has_its_say(
    capsys: pytest.CaptureFixture[str], options: tuple[str, ...], agents: int
) -> None:
    code, out, _ = run(capsys, *CASE, *options, "--json")
    assert (code, json.loads(out)["agents"]) == (0, agents)


def test_figures_come_in_full_precision(capsys: pytest.CaptureFixture[str]) -> None:
    said = json.loads(run(capsys, *CASE, "--json")[1])
    assert said["service_level"] == pytest.approx(0.8883500191794669, rel=1e-12)
    assert said["p_wait"] == pytest.approx(0.1741319335950498, rel=1e-12)


def test_too_few_agents_are_said_to_be_too_few(capsys: pytest.CaptureFixture[str]) -> None:
    said = json.loads(run(capsys, *CASE, "--agents", "10", "--json")[1])
    assert (said["p_wait"], said["asa_s"], said["note_id"]) == (1.0, None, "never_drains")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--target", "80"), "write 0.8 for 80 %"),
        (("--target", "1"), "ask for less than 100 %"),
        (("--aht-s", "0"), "handling time must be above 0"),
        (("--calls", "nan"), "calls must be a number"),
        (("--calls", "1e12"), "erlangs of traffic"),
        (("--patience-s", "0"), "patience must be above 0"),
        (("--shrinkage", "1"), "shrinkage must be"),
        (("--interval-min", "-30"), "interval must be"),
    ],
)
def test_nonsense_is_said_in_one_line(
    capsys: pytest.CaptureFixture[str], options: tuple[str, ...], sentence: str
) -> None:
    code, out, err = run(capsys, *CASE, *options)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert sentence in err


@pytest.mark.parametrize(
    "arguments",
    [
        ("staffing",),
        ("staffing", "--calls", "1"),
        (*CASE, "--model", "erlang-a"),
        (*CASE, "--model", "erlang-c", "--patience-s", "60"),
        (*CASE, "--model", "erlang-x"),
        (*CASE, "--in", "cases.csv"),
    ],
)
def test_wrong_usage_is_told_apart(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    assert run(capsys, *arguments)[0] == 2


def test_every_row_of_a_file_gets_an_answer_or_a_reason(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    cases, results = tmp_path / "cases.csv", tmp_path / "results.csv"
    cases.write_text(
        "\ufeffname;calls;interval_s;aht_s;target;threshold_s;patience_s\n"
        "plain;100;1800;180;0.8;20;\n"
        "patient;100;1800;180;0.8;20;180\n"
        "=cmd();0;1800;180;0.8;20;\n"
        "words;many;1800;180;0.8;20;\n"
        "full;100;1800;180;1;20;\n"
        "hasty;100;1800;180;0.8;20;0\n"
        "short row;5\n"
    )
    code, _, err = run(capsys, "staffing", "--in", str(cases), "--out", str(results))
    assert (code, err) == (0, "7 rows, 3 with an answer\n4 without one: their note says why\n")
    rows = list(csv.DictReader(results.open()))
    assert [row["agents"] for row in rows] == ["14", "12", "0", "", "", "", ""]
    assert rows[2]["name"] == "'=cmd()", "no spreadsheet may take a cell for a formula"
    assert rows[0]["note"] == ""
    assert all(row["note"] for row in rows[2:])
    assert list(rows[0])[-8:] == [
        "agents",
        "scheduled",
        "service_level",
        "asa_s",
        "p_wait",
        "occupancy",
        "abandonment",
        "note",
    ]


def test_results_can_be_answered_again(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    cases = tmp_path / "cases.csv"
    cases.write_text("calls,interval_s,aht_s\n100,1800,180\n")
    run(capsys, "staffing", "--in", str(cases), "--out", str(tmp_path / "once.csv"))
    run(capsys, "staffing", "--in", str(tmp_path / "once.csv"), "--out", str(tmp_path / "twice.csv"))
    assert (tmp_path / "once.csv").read_text() == (tmp_path / "twice.csv").read_text()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"calls,aht_s\n1,2\n", "has no column interval_s"),
        (b"\xff\xfe\x00", "is not UTF-8 text"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_is_none_is_said_to_be_none(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes | None, sentence: str
) -> None:
    cases = tmp_path / "cases.csv"
    if content is not None:
        cases.write_bytes(content)
    code, _, err = run(capsys, "staffing", "--in", str(cases))
    assert code == 1
    assert sentence in err


def test_help_computes_nothing() -> None:
    program = "import sys, app.planner.cli; print(sorted({'numpy', 'scipy', 'pydantic'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
