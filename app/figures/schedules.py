"""When a report is sent by mail, and when a sending that failed is tried again. Pure.

A time is one of the centre's clocks. Where the clock skips it, it is sent as long after the gap; where it is
shown twice, the first time. A month without the day has its last one. What fell due while no server ran is
sent once, not once for every day that was missed.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Final, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from app.figures.words import Language

RECIPIENTS_MAX: Final = 20
TRIES_MAX: Final = 6
_BACKOFF_S: Final = (60, 300, 900, 3_600, 14_400)
# One address as mail servers take it, on one line: what else a header could begin does not fit in.
_ADDRESS: Final = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)*[A-Za-z0-9-]{1,63}"
)


class Every(StrEnum):
    """How often a report is sent."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class FileFormat(StrEnum):
    """In what a report is taken away."""

    CSV = "csv"
    XLSX = "xlsx"
    PDF = "pdf"


class Schedule(BaseModel):
    """When and to whom.

    Attributes:
        at: On the centre's clocks, ``07:30``.
        weekday: Of a weekly one; 1 is Monday.
        month_day: Of a monthly one; in a shorter month its last day.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    every: Every = Every.DAY
    at: Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")] = "07:00"
    weekday: int | None = Field(default=None, ge=1, le=7)
    month_day: int | None = Field(default=None, ge=1, le=31)
    recipients: tuple[str, ...] = Field(min_length=1, max_length=RECIPIENTS_MAX)
    file_format: FileFormat = FileFormat.PDF
    language: Language = "en"
    is_on: bool = True

    @field_validator("recipients")
    @classmethod
    def _are_addresses(cls, recipients: tuple[str, ...]) -> tuple[str, ...]:
        found = [each.strip() for each in recipients]
        for each in found:
            if not _ADDRESS.fullmatch(each):
                raise ValueError("write each recipient as name@example.org")
        return tuple(dict.fromkeys(found))

    @model_validator(mode="after")
    def _says_its_day(self) -> Self:
        if self.every is Every.WEEK and self.weekday is None:
            raise ValueError("name the weekday: 1 is Monday")
        if self.every is Every.MONTH and self.month_day is None:
            raise ValueError("name the day of the month")
        return self

    @property
    def at_minute(self) -> int:
        """The time as minutes of the day."""
        hours, minutes = self.at.split(":")
        return int(hours) * 60 + int(minutes)


def at_text(at_minute: int) -> str:
    """Return minutes of the day as a time.

    >>> at_text(450)
    '07:30'
    """
    return f"{at_minute // 60:02}:{at_minute % 60:02}"


def next_due(schedule: Schedule, after: datetime, zone: ZoneInfo) -> datetime:
    """Return the first moment (UTC) after *after* at which it is due.

    >>> noon = datetime(2026, 11, 25, 12, tzinfo=UTC)
    >>> next_due(Schedule(at="07:30", recipients=("a@b.example",)), noon, ZoneInfo("Asia/Taipei"))
    datetime.datetime(2026, 11, 25, 23, 30, tzinfo=datetime.timezone.utc)
    """
    day = after.astimezone(zone).date() - timedelta(days=1)
    while True:
        if _is_its_day(schedule, day):
            clock = time(schedule.at_minute // 60, schedule.at_minute % 60)
            due = datetime.combine(day, clock, zone).astimezone(UTC)
            if due > after:
                return due
        day += timedelta(days=1)


def next_try_s(try_count: int) -> int | None:
    """Return how long to wait after so many tries; None: it has failed for good.

    >>> next_try_s(1), next_try_s(TRIES_MAX)
    (60, None)
    """
    return None if try_count >= TRIES_MAX else _BACKOFF_S[try_count - 1]


def _is_its_day(schedule: Schedule, day: date) -> bool:
    match schedule.every:
        case Every.DAY:
            return True
        case Every.WEEK:
            return day.isoweekday() == schedule.weekday
        case Every.MONTH:
            assert schedule.month_day is not None
            return day.day == min(schedule.month_day, monthrange(day.year, day.month)[1])
