"""What a report is: figures asked for by name, with a time that moves along, and how they are laid out. Pure.

A definition is kept as it was written, version by version. None holds a number: opened again it is computed
from the facts of the log, so that a definition that changes later changes the past, and the old one can still
be asked.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from app.figures.dimensions import FiguresBy
from app.figures.facts import FiguresView
from app.figures.layout import Shape, is_column
from app.figures.queries import narrowed_to
from app.figures.reader import FiguresAsked
from workforce.formulas import SERVICE_LEVELS
from workforce.periods import PeriodStep

ONLY_MAX: Final = 50
COLUMNS_MAX: Final = 80
DAYS_MAX: Final = 1_000
FIRST_COLUMNS: Final = (
    "offered_count",
    "answered_count",
    "abandoned_count",
    "SL-C",
    "AB",
    "ASA",
    "WAIT_P90",
    "AHT",
    "RONA",
)
"""The columns where nobody chose others; the page has the same."""


class ReportRange(StrEnum):
    """Which days, seen from the day on which a report is opened; all include the last."""

    TODAY = "today"
    YESTERDAY = "yesterday"
    THIS_WEEK = "this_week"  # from Monday until today
    LAST_WEEK = "last_week"
    WEEK = "week"  # the last 7 days
    MONTH = "month"  # the last 30
    QUARTER = "quarter"  # the last 90
    THIS_MONTH = "this_month"
    LAST_MONTH = "last_month"
    DAYS = "days"  # the last so many
    OWN = "own"  # from … until …


_LAST_DAYS: Final = {ReportRange.WEEK: 7, ReportRange.MONTH: 30, ReportRange.QUARTER: 90}


class ReportDefinition(BaseModel):
    """What a report asks for.

    Attributes:
        days: How many days, today among them, of the range ``days``.
        first, last: Local days of the range ``own``.
        only: ``queue:sales`` and the like.
        columns: Terms and formula ids, in their order.
        sort: A column or ``key``, ``-`` before it for the largest first; empty: by time.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    range: ReportRange = ReportRange.WEEK
    days: int | None = Field(default=None, ge=1, le=DAYS_MAX)
    first: date | None = None
    last: date | None = None
    step: PeriodStep = PeriodStep.RANGE
    by: FiguresBy = FiguresBy.QUEUE
    view: FiguresView = FiguresView.EVENT
    only: tuple[str, ...] = Field(default=(), max_length=ONLY_MAX)
    columns: tuple[str, ...] = Field(default=FIRST_COLUMNS, min_length=1, max_length=COLUMNS_MAX)
    sort: str = Field(default="", max_length=40)

    @field_validator("only")
    @classmethod
    def _names_dimensions(cls, only: tuple[str, ...]) -> tuple[str, ...]:
        narrowed_to(only)
        return only

    @field_validator("columns")
    @classmethod
    def _are_columns(cls, columns: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [column for column in columns if not is_column(column)]:
            raise ValueError(f"there is no such figure: {', '.join(unknown)}")
        return tuple(dict.fromkeys(columns))

    @field_validator("sort")
    @classmethod
    def _is_a_sort(cls, sort: str) -> str:
        column = sort.removeprefix("-")
        if column and column != "key" and not is_column(column):
            raise ValueError("sort by a figure that there is, or by key")
        return sort

    @model_validator(mode="after")
    def _says_its_days(self) -> Self:
        if self.range is ReportRange.DAYS and self.days is None:
            raise ValueError("say how many days")
        if self.range is ReportRange.OWN:
            if self.first is None or self.last is None:
                raise ValueError("name the first and the last day")
            if self.last < self.first:
                raise ValueError("the last day is before the first")
        return self

    def asked(self, today: date) -> FiguresAsked:
        """Return it as the reader of figures takes it, on the local day *today*."""
        first, last = days_of(self, today)
        return FiguresAsked(
            first=first,
            last=last,
            step=self.step,
            by=self.by,
            view=self.view,
            narrowed=narrowed_to(self.only),
        )

    @property
    def shape(self) -> Shape:
        """How it is laid out."""
        return Shape(columns=self.columns, sort=self.sort)


def kept(stored: Mapping[str, Any]) -> ReportDefinition:
    """Read a definition that an older version wrote; a figure that is no more is left out.

    >>> kept({"columns": ["SL-C", "SL-GONE"], "sort": "-SL-GONE"}).columns
    ('SL-C',)
    """
    known = {name: value for name, value in stored.items() if name in ReportDefinition.model_fields}
    known["columns"] = [name for name in stored.get("columns", ()) if is_column(name)] or FIRST_COLUMNS
    column = str(stored.get("sort", "")).removeprefix("-")
    if column != "key" and not is_column(column):
        known["sort"] = ""
    return ReportDefinition.model_validate(known)


def days_of(definition: ReportDefinition, today: date) -> tuple[date, date]:
    """Return the days asked for, both included.

    >>> days_of(ReportDefinition(range=ReportRange.LAST_WEEK), date(2026, 11, 25))
    (datetime.date(2026, 11, 16), datetime.date(2026, 11, 22))
    """
    monday = today - timedelta(days=today.weekday())
    match definition.range:
        case ReportRange.TODAY:
            return today, today
        case ReportRange.YESTERDAY:
            return today - timedelta(days=1), today - timedelta(days=1)
        case ReportRange.THIS_WEEK:
            return monday, today
        case ReportRange.LAST_WEEK:
            return monday - timedelta(days=7), monday - timedelta(days=1)
        case ReportRange.THIS_MONTH:
            return today.replace(day=1), today
        case ReportRange.LAST_MONTH:
            last = today.replace(day=1) - timedelta(days=1)
            return last.replace(day=1), last.replace(day=monthrange(last.year, last.month)[1])
        case ReportRange.OWN:
            assert definition.first is not None
            assert definition.last is not None
            return definition.first, definition.last
        case ReportRange.DAYS:
            assert definition.days is not None
            return today - timedelta(days=definition.days - 1), today
        case _:
            return today - timedelta(days=_LAST_DAYS[definition.range] - 1), today


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardReport:
    """A report that everybody has; the page names it by its id."""

    report_id: str
    name: str
    name_zh_hant: str
    definition: ReportDefinition


def _standard(report_id: str, name: str, name_zh_hant: str, **asked: Any) -> StandardReport:
    return StandardReport(
        report_id=report_id,
        name=name,
        name_zh_hant=name_zh_hant,
        definition=ReportDefinition.model_validate(asked),
    )


_VOLUME: Final = ("offered_count", "answered_count", "abandoned_count")
_HANDLING: Final = ("handled_count", "AHT", "TALK", "HOLD", "WRAP_UP")
_WAITS: Final = ("ASA", "WAIT_P50", "WAIT_P90", "WAIT_MAX")

STANDARD: Final[Mapping[str, StandardReport]] = {
    one.report_id: one
    for one in (
        _standard(
            "queue_day",
            "Queues by day",
            "佇列日報",
            range="week",
            step="day",
            columns=(*_VOLUME, "SL-C", "AB", *_WAITS, "AHT", "RONA"),
        ),
        _standard(
            "queue_half_hours",
            "Queues by half hour",
            "佇列半小時報表",
            range="yesterday",
            step="30min",
            columns=(*_VOLUME, "SL-C", "AB", "ASA", "WAIT_MAX", "AHT"),
        ),
        _standard(
            "agent_summary",
            "Agents",
            "客服人員摘要",
            range="week",
            by="agent",
            columns=("offer_count", "rona_count", "RONA", *_HANDLING),
            sort="key",
        ),
        _standard(
            "abandoned_half_hours",
            "Abandoned by half hour",
            "半小時放棄報表",
            range="yesterday",
            step="30min",
            by="nothing",
            view="cohort",
            columns=(*_VOLUME, "short_abandoned_count", "AB", "AB-ALL", "ATA"),
        ),
        _standard(
            "service_levels",
            "Service levels side by side",
            "服務水準並列",
            range="month",
            columns=(*_VOLUME, "answered_within_count", *SERVICE_LEVELS),
            sort="key",
        ),
        _standard(
            "wrap_up_codes",
            "Wrap-up codes",
            "結案代碼",
            range="month",
            by="wrap_up_code",
            columns=_HANDLING,
            sort="-handled_count",
        ),
        _standard(
            "entry_points",
            "Numbers dialled",
            "撥入號碼",
            range="month",
            by="entry_point",
            columns=(*_VOLUME, "SL-C", "AB", "ASA", "AHT"),
            sort="-offered_count",
        ),
    )
}
"""The reports that every centre has; nobody changes them, everybody may save one as their own."""
