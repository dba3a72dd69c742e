"""Public holidays and make-up workdays of a country, from the ``holidays`` package. Pure, given its data.

The package keeps make-up workdays apart (``weekend_workdays``); without them a mainland or Taiwanese centre
would be closed on a working Saturday. Typhoon and other one-off days are in no library: they are exceptions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

import holidays

from app.calendars.rules import Calendar

YEARS_MAX = 20


def public_holidays(
    country: str, years: Iterable[int], *, subdivision: str | None = None, make_up_weekday: int = 0
) -> tuple[dict[date, str], dict[date, int]]:
    """Return holidays (name by date) and make-up workdays (weekday whose shifts hold, by date).

    Raises:
        ValueError: the country or subdivision is unknown, or more than 20 years are asked for.
    """
    wanted = sorted(set(years))
    if len(wanted) > YEARS_MAX:
        raise ValueError(f"at most {YEARS_MAX} years at once")
    try:
        found = holidays.country_holidays(country, subdiv=subdivision, years=wanted)
    except NotImplementedError as error:
        raise ValueError(f"no public holidays are known for {country} {subdivision or ''}".strip()) from error
    make_up = {day: make_up_weekday for day in getattr(found, "weekend_workdays", ()) if day.year in wanted}
    return dict(sorted(found.items())), dict(sorted(make_up.items()))


def with_public_holidays(calendar: Calendar, country: str, years: Iterable[int]) -> Calendar:
    """Return *calendar* with the country's days below its own: a day entered by hand wins."""
    days, make_up = public_holidays(country, years)
    return replace(calendar, holidays={**days, **calendar.holidays}, make_up={**make_up, **calendar.make_up})
