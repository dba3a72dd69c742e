"""How a table reads: the page's own words, order and digits."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from app.figures.definitions import FIRST_COLUMNS, ReportRange
from app.figures.dimensions import FiguresBy
from app.figures.facts import TERMS
from app.figures.layout import Shape, sorted_rows, texts, value_text
from app.figures.reader import FiguresAsked, FiguresTable
from app.figures.rules import figures_table
from app.figures.words import WORDS, Language
from workforce.measures import Cell
from workforce.periods import PeriodStep, period_bounds

WEB = Path(__file__).resolve().parents[3] / "web" / "src"
DAY = date(2026, 10, 25)
_PAIR = re.compile(r"^ +'([^']+)': '((?:[^'\\]|\\.)*)',$", re.MULTILINE)


def _page_words(language: Language) -> dict[str, str]:
    common = (WEB / "lib" / "i18n" / "common.ts").read_text(encoding="utf-8")
    english, chinese = common.split("zhHant", 1)
    shared = dict(_PAIR.findall(english if language == "en" else chinese))
    own = dict(_PAIR.findall((WEB / "figures" / "words" / f"{language}.ts").read_text(encoding="utf-8")))
    outcomes = {f"term.exit.{key.removeprefix('outcome.')}": said for key, said in shared.items()}
    return outcomes | shared | own


@pytest.mark.parametrize("language", ["en", "zh-Hant"])
def test_the_words_are_the_pages_own(language: Language) -> None:
    page = _page_words(language)
    said = WORDS[language]
    assert said == {key: page[key] for key in said}
    assert {f"term.{term}" for term in TERMS} | {f"by.{by.value}" for by in FiguresBy} <= said.keys()


def test_ranges_and_first_columns_are_the_pages_own() -> None:
    asking = (WEB / "figures" / "asking.ts").read_text(encoding="utf-8")
    ranges = re.search(r"RANGES = \[(.*?)\]", asking, re.DOTALL)
    columns = re.search(r"FIRST_COLUMNS = \[(.*?)\]", asking, re.DOTALL)
    assert ranges is not None
    assert columns is not None
    assert set(re.findall(r"'([^']+)'", ranges[1])) == set(ReportRange)
    assert tuple(re.findall(r"'([^']+)'", columns[1])) == FIRST_COLUMNS


def _table(by: FiguresBy = FiguresBy.QUEUE, step: PeriodStep = PeriodStep.RANGE) -> FiguresTable:
    asked = FiguresAsked(first=DAY, last=DAY, step=step, by=by)
    bounds_ms = period_bounds("Europe/Berlin", DAY, DAY, step)
    cells = {
        (0, "q10"): Cell(offered_count=4, answered_count=3, answered_within_count=2, wait_answered_ms=9_000),
        (0, "q2"): Cell(offered_count=1),
        (0, ""): Cell(offered_count=2, answered_count=1, answered_within_count=1, wait_answered_ms=71_000),
    }
    *rows, whole = figures_table(cells, bounds_ms, since_ms=0, now_ms=bounds_ms[0])
    names = {"q10": "Line 10", "q2": "line 2"}
    return FiguresTable(asked=asked, zone="Europe/Berlin", rows=rows, whole=whole, names=names)


def test_rows_are_sorted_as_on_the_page_and_blanks_stay_last() -> None:
    table = _table()

    def keys(sort: str) -> list[str]:
        return [row.key for row in sorted_rows(table, sort)]

    assert keys("") == ["", "q10", "q2"]
    assert keys("key") == ["q2", "q10", ""]
    assert keys("-key") == ["", "q10", "q2"]
    assert keys("ASA") == ["q10", "", "q2"]
    assert keys("-ASA") == ["", "q10", "q2"]
    assert keys("-offered_count") == ["q10", "", "q2"]
    assert keys("gone") == keys("")


def test_a_table_reads_as_the_page_does() -> None:
    shape = Shape(columns=("offered_count", "SL-A", "ASA", "WAIT_P90"), sort="-offered_count")
    assert texts(_table(), shape, "en") == [
        ["Queue", "offered", "SL-A", "ASA", "P90", "Data"],
        ["Line 10", "4", "66.7%", "0:03", "0:00", "Complete, so far"],
        ["None", "2", "100.0%", "1:11", "0:00", "Complete, so far"],
        ["line 2", "1", "", "", "", "Complete, so far"],
        ["Total", "7", "75.0%", "0:20", "0:00", "Complete, so far"],
    ]


def test_the_hour_that_the_clock_shows_twice_says_its_offset() -> None:
    bounds_ms = period_bounds("Europe/Berlin", DAY, DAY, PeriodStep.HOUR)
    cells = {(number, ""): Cell(offered_count=1) for number in range(len(bounds_ms) - 1)}
    *rows, whole = figures_table(cells, bounds_ms, since_ms=0, now_ms=bounds_ms[-1])
    asked = FiguresAsked(first=DAY, last=DAY, step=PeriodStep.HOUR, by=FiguresBy.NOTHING)
    table = FiguresTable(asked=asked, zone="Europe/Berlin", rows=rows, whole=whole, names={})
    periods = [line[0] for line in texts(table, Shape(columns=("offered_count",)), "zh-Hant")[1:-1]]
    assert len(periods) == len(set(periods)) == 25
    assert periods[2:4] == ["2026-10-25 02:00 (+0200) – 02:00", "2026-10-25 02:00 (+0100) – 03:00"]


@pytest.mark.parametrize(
    ("value", "column", "text"),
    [
        (None, "SL-C", ""),
        (0.0005, "SL-C", "0.1%"),
        (0.00049, "SL-C", "0.0%"),
        (1.0, "AB", "100.0%"),
        (3_661.9, "ASA", "1:01:01"),
        (59_999, "talk_ms", "0:59"),
        (1_234_567, "offered_count", "1,234,567"),
    ],
)
def test_values_read_as_on_the_page(value: float | None, column: str, text: str) -> None:
    assert value_text(value, column) == text
