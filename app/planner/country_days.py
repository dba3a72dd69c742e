"""Labels of days for a forecast: a country's holidays and make-up workdays, and the centre's own events."""

from __future__ import annotations

from app.calendars.public_holidays import public_holidays
from workforce.day_labels import EPOCH, DayLabels, labels_from, read_events
from workforce.errors import InputError
from workforce.series import Series

_YEAR_S = 365 * 86_400
_YEARS_MAX = 12


def labels_for(
    series: Series, horizon_days: int, *, country: str | None = None, events_text: str | None = None
) -> DayLabels:
    """Return the labels of the series' days and of those ahead.

    Raises:
        InputError: the country is unknown, the series spans more than 12 years, or the events cannot be read.
    """
    labels = read_events(events_text) if events_text is not None else DayLabels()
    if not country:
        return labels
    first_year = EPOCH.year + int(series.start_s[0]) // _YEAR_S - 1
    last_year = EPOCH.year + (int(series.start_s[-1]) + horizon_days * 86_400) // _YEAR_S + 1
    if last_year - first_year > _YEARS_MAX:
        raise InputError(f"holidays of {last_year - first_year} years; a forecast reads at most {_YEARS_MAX}")
    name, _, subdivision = country.partition("-")
    try:
        holidays, make_up = public_holidays(
            name.upper(), range(first_year, last_year + 1), subdivision=subdivision.upper() or None
        )
    except ValueError as error:
        raise InputError(str(error)) from error
    return labels.merged(labels_from(holidays, make_up))
