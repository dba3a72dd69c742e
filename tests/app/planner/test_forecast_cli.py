"""``holdless plan forecast`` and ``backtest``: files in, files out, and a sentence for whatever is wrong."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from app.cli import main
from tests.closing import shared_data
from tests.workforce.series_made import made_series, made_totals
from workforce.series import stamp


def _run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["plan", *arguments])
    return int(ended.value.code or 0)


def _file(folder: Path, days: int) -> Path:
    series = made_series(made_totals(days))
    path = folder / "series.csv"
    rows = [f"{stamp(int(at), '')},{calls:g}" for at, calls in zip(series.start_s, series.calls, strict=True)]
    path.write_text("\n".join(["interval_start,calls", *rows]) + "\n")
    return path


def test_a_file_of_past_calls_becomes_a_file_of_expected_calls(tmp_path: Path) -> None:
    out = tmp_path / "forecast.csv"
    code = _run(
        "forecast", "--in", str(_file(tmp_path, 70)), "--interval-min", "60", "--horizon-days", "9",
        "--country", "TW", "--out", str(out),
    )  # fmt: skip
    assert code == 0
    rows = list(csv.DictReader(out.open()))
    assert list(rows[0]) == ["interval_start", "mean", "p10", "p50", "p90"]
    assert rows[0]["interval_start"] == "2026-03-16 08:00:00"
    assert len(rows) == 5 * 10
    assert all(0 <= float(row["p10"]) <= float(row["p50"]) <= float(row["p90"]) for row in rows)


def test_a_backtest_tells_its_figures_beside_those_of_the_peers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(_file(tmp_path, 84))
    assert _run("backtest", "--in", path, "--horizon-days", "1,7", "--origins", "4", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["horizon_days"] for one in told["horizons"]] == [1, 7]
    assert {"wape", "bias", "coverage", "pinball"} == set(told["horizons"][0]["forecast"])
    assert {"seasonal_naive", "industry", "winner"} <= set(told["horizons"][0])
    assert _run("backtest", "--in", path, "--horizon-days", "1,7", "--origins", "4") == 0
    assert "industry" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("forecast", "--in", "absent.csv"), "cannot be read"),
        (("backtest", "--in", "SHORT", "--horizon-days", "one"), "days with commas"),
        (("forecast", "--in", "SHORT"), "whole days with calls"),
        (("forecast", "--in", "SHORT", "--country", "XX"), "no public holidays are known for XX"),
        (("forecast", "--in", "SHORT", "--interval-min", "20"), "do not add up"),
    ],
)
def test_what_is_wrong_is_said_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    short = str(_file(tmp_path, 4))
    assert _run(*(short if word == "SHORT" else word for word in arguments)) == 1
    assert said in capsys.readouterr().err


def test_the_marks_of_a_history_are_told_beside_its_forecast(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(shared_data("bank_calls_5min.csv"))
    out = str(tmp_path / "forecast.csv")
    assert _run("forecast", "--in", path, "--interval-min", "30", "--country", "US", "--out", out) == 0
    assert "closed day: 4 (2003-04-04, 2003-04-07, 2003-05-26, 2003-07-04)" in capsys.readouterr().err
    days = {row["interval_start"][:10] for row in csv.DictReader(Path(out).read_text().splitlines())}
    assert "2003-09-01" not in days  # Labor Day: holidays on weekdays were closed before


def test_the_rest_of_the_last_day_is_forecast_from_its_beginning(tmp_path: Path) -> None:
    path = _file(tmp_path, 103)
    lines = path.read_text().splitlines()
    today = [line for line in lines if line.startswith("2026-04-17")]
    assert len(today) == 20
    path.write_text("\n".join(lines[: lines.index(today[0]) + 8]) + "\n")
    out = tmp_path / "renewed.csv"
    assert _run("intraday", "--in", str(path), "--out", str(out)) == 0
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert list(rows[0]) == ["interval_start", "forecast", "calls", "mean", "p10", "p50", "p90"]
    assert len(rows) == 20
    assert [bool(row["calls"]) for row in rows] == [True] * 8 + [False] * 12
    assert rows[0]["mean"] == rows[0]["forecast"]
    short = tmp_path / "day.csv"
    short.write_text("\n".join(lines[:9]) + "\n")
    assert _run("intraday", "--in", str(short)) == 1


def test_where_no_calls_came_the_accuracy_is_blank_and_the_json_can_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = _file(tmp_path, 63)
    lines = path.read_text().splitlines()
    silent = [lines[0], *(line.rsplit(",", 1)[0] + ",0" for line in lines[1:])]
    path.write_text("\n".join(silent) + "\n")
    assert _run("backtest", "--in", str(path), "--horizon-days", "1", "--origins", "2", "--json") == 0
    told = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert told["horizons"][0]["forecast"]["wape"] is None
    assert _run("backtest", "--in", str(path), "--horizon-days", "1", "--origins", "2") == 0
    assert "nan" not in capsys.readouterr().out
