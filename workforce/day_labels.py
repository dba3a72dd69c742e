"""What is known of a day besides its date: holiday, make-up workday, an event of the centre's own. Pure.

Two days with the same label share an effect that is learnt from the past ones; all holidays share one
besides, so that a first Thanksgiving is not a plain Thursday when other holidays have been seen. Where labels
come from (a country's public holidays, a file, the tenant's calendar) is not known here.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np

from workforce.errors import InputError
from workforce.series import Floats, Ints

HOLIDAY, MAKE_UP, EVENT = "holiday", "make_up", "event"
EPOCH = date(1970, 1, 1)
EVENT_DAYS_MAX = 366
EVENT_ROWS_MAX = 10_000


class EventsError(InputError):
    """The events cannot be read."""

    error_id = "bad_events"


@dataclass(frozen=True, slots=True, order=True)
class DayLabel:
    """One label of a day: its kind (holiday, make_up, event) and its name."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class DayLabels:
    """Labels by day (days since 1970-01-01)."""

    by_day: Mapping[int, tuple[DayLabel, ...]] = field(default_factory=dict)

    def of(self, day: int) -> tuple[DayLabel, ...]:
        """Return the labels of a day, in order."""
        return self.by_day.get(day, ())

    def is_kind(self, days: Ints, kind: str) -> Floats:
        """Return 1.0 where a day has a label of this kind, shape (n,)."""
        return np.array([float(any(label.kind == kind for label in self.of(int(day)))) for day in days])

    def merged(self, other: DayLabels) -> DayLabels:
        """Return the labels of both."""
        days = sorted({*self.by_day, *other.by_day})
        return DayLabels({day: tuple(sorted({*self.of(day), *other.of(day)})) for day in days})


def labels_from(
    holidays: Mapping[date, str], make_up: Iterable[date] = (), events: Mapping[date, str] | None = None
) -> DayLabels:
    """Return labels from plain dates.

    >>> labels_from({date(2026, 1, 1): "New Year"}).of(20454)
    (DayLabel(kind='holiday', name='New Year'),)
    """
    found: dict[int, set[DayLabel]] = {}
    named = [
        *((day, DayLabel(HOLIDAY, name)) for day, name in holidays.items()),
        *((day, DayLabel(MAKE_UP, MAKE_UP)) for day in make_up),
        *((day, DayLabel(EVENT, name)) for day, name in (events or {}).items()),
    ]
    for day, label in named:
        found.setdefault(day_number(day), set()).add(label)
    return DayLabels({day: tuple(sorted(found[day])) for day in sorted(found)})


def day_number(day: date) -> int:
    """Return days since 1970-01-01."""
    return (day - EPOCH).days


def read_events(text: str) -> DayLabels:
    """Return the events of a CSV text with the columns ``date`` and ``event``, and ``until`` (inclusive).

    Raises:
        EventsError: a column is missing, or a row cannot be read (it is named).
    """
    rows = list(csv.DictReader(text.lstrip("\ufeff").splitlines()))
    if len(rows) > EVENT_ROWS_MAX:
        raise EventsError(f"more than {EVENT_ROWS_MAX} events")
    found: dict[int, set[DayLabel]] = {}
    for number, row in enumerate(rows, 1):
        try:
            first = date.fromisoformat((row["date"] or "").strip())
            until = (row.get("until") or "").strip()
            last = date.fromisoformat(until) if until else first
            name = (row["event"] or "").strip()
        except KeyError as error:
            raise EventsError(f"column {error.args[0]} not found; wanted are date,event[,until]") from None
        except ValueError as error:
            raise EventsError(f"row {number} of the events: {error}") from None
        if not name:
            raise EventsError(f"row {number} of the events has no name")
        if not 0 <= (last - first).days < EVENT_DAYS_MAX:
            raise EventsError(f"row {number} of the events ends before it begins, or lasts over a year")
        for ahead in range((last - first).days + 1):
            day = day_number(first + timedelta(days=ahead))
            found.setdefault(day, set()).add(DayLabel(EVENT, name))
    return DayLabels({day: tuple(sorted(found[day])) for day in sorted(found)})
