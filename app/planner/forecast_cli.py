"""``holdless plan forecast`` and ``holdless plan backtest``: a series of calls in, figures out.

What a command computes with is imported when it runs, so that help and wrong usage answer at once.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workforce.errors import InputError

if TYPE_CHECKING:
    from workforce.series import Series

InOption = Annotated[
    Path, typer.Option("--in", help="CSV with interval_start,calls[,aht_s]; closed intervals have no row.")
]
IntervalOption = Annotated[
    int | None, typer.Option(help="Length of the intervals forecast; default: as in the file.")
]
ZoneOption = Annotated[str, typer.Option("--zone", help="Clock of the stamps, such as Asia/Taipei.")]
CountryOption = Annotated[
    str | None, typer.Option(help="Whose public holidays count: TW, DE-BY, …; default: none.")
]
EventsOption = Annotated[
    Path | None, typer.Option(help="The centre's own events: CSV with date,event[,until].")
]


def forecast_command(
    file_in: InOption,
    out: Annotated[Path | None, typer.Option(help="Where it goes; default: standard output.")] = None,
    interval_min: IntervalOption = None,
    horizon_days: Annotated[int, typer.Option(help="Days ahead, closed ones counted.")] = 28,
    zone: ZoneOption = "",
    country: CountryOption = None,
    events: EventsOption = None,
) -> None:
    """Forecast calls per interval with bands, from a file of past calls."""
    from app.planner.country_days import labels_for
    from app.planner.csv_files import write_table
    from app.planner.forecast_texts import forecast_table, history_lines
    from workforce.forecast import forecast
    from workforce.forecast_rows import as_rows
    from workforce.history import day_grid
    from workforce.history_repair import repair

    series = _series(file_in, interval_min, zone)
    labels = labels_for(series, horizon_days, country=country, events_text=_text(events))
    history = repair(day_grid(series))
    found = forecast(history, horizon_days, labels=labels)
    columns, rows = forecast_table(as_rows(found))
    write_table(out, columns, rows)
    for line in (*history_lines(history), *map(str, found.notes)):
        typer.echo(line, err=True)


def backtest_command(
    file_in: InOption,
    horizon_days: Annotated[str, typer.Option(help="Horizons, with commas.")] = "1,7,28",
    origins: Annotated[int, typer.Option(min=1, help="From how many past days to forecast.")] = 12,
    interval_min: IntervalOption = None,
    zone: ZoneOption = "",
    country: CountryOption = None,
    events: EventsOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output.")] = False,
) -> None:
    """Forecast from past days and compare with what came, and with what the industry would have said."""
    from app.planner.country_days import labels_for
    from app.planner.forecast_texts import backtest_as_json, backtest_lines
    from workforce.backtest import backtest, origins_of

    try:
        horizons = sorted({int(part) for part in horizon_days.split(",")})
    except ValueError:
        raise InputError(f"--horizon-days {horizon_days!r}: days with commas, such as 1,7,28") from None
    series = _series(file_in, interval_min, zone)
    if not horizons or horizons[0] < 1:
        raise InputError("--horizon-days: a horizon is at least one day")
    labels = labels_for(series, horizons[-1], country=country, events_text=_text(events))
    found = backtest(series, origins_of(series, origins, horizons), horizons, labels=labels)
    if as_json:
        made = {"file": file_in.name, "at": datetime.now(UTC).isoformat(timespec="seconds")}
        typer.echo(json.dumps({**made, **backtest_as_json(found, series.interval_min)}, indent=2))
        return
    for line in backtest_lines(found, series.interval_min):
        typer.echo(line)


def intraday_command(
    file_in: InOption,
    out: Annotated[Path | None, typer.Option(help="Where it goes; default: standard output.")] = None,
    interval_min: IntervalOption = None,
    zone: ZoneOption = "",
    country: CountryOption = None,
    events: EventsOption = None,
) -> None:
    """Forecast the rest of the last day of a file from its beginning, and show both figures."""
    from app.planner.country_days import labels_for
    from app.planner.csv_files import write_table
    from app.planner.forecast_texts import renewed_table
    from workforce.intraday import renew_last_day

    series = _series(file_in, interval_min, zone)
    labels = labels_for(series, 1, country=country, events_text=_text(events))
    renewed = renew_last_day(series, labels=labels)
    columns, rows = renewed_table(renewed)
    write_table(out, columns, rows)
    for note in renewed.notes:
        typer.echo(str(note), err=True)


def _series(path: Path, interval_min: int | None, zone: str) -> Series:
    from workforce.series import resample
    from workforce.series_csv import read_series

    text = _text(path)
    assert text is not None
    series = read_series(text, zone=zone)
    return resample(series, interval_min) if interval_min else series


def _text(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8 text; save it as CSV UTF-8") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
