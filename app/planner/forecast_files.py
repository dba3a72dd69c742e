"""A forecast as a file: CSV for programs, a workbook for people. Pure: rows in, bytes out."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import datetime

import xlsxwriter

from app.planner.forecast_texts import quantile_names
from workforce.forecast_rows import ForecastRows
from workforce.series import stamp

MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def as_csv(rows: ForecastRows, aht_s: Sequence[float | None]) -> bytes:
    """Return interval_start, mean (what is used), quantiles, forecast (what the method says) and aht_s."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_columns(rows))
    for at in range(len(rows.start_s)):
        writer.writerow([stamp(int(rows.start_s[at]), rows.zone), *_figures(rows, aht_s, at)])
    return text.getvalue().encode()


def as_xlsx(rows: ForecastRows, aht_s: Sequence[float | None]) -> bytes:
    """Return the same as a workbook with real dates (local)."""
    made = io.BytesIO()
    book = xlsxwriter.Workbook(made, {"in_memory": True, "strings_to_formulas": False})
    sheet = book.add_worksheet("forecast")
    day = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    sheet.write_row(0, 0, _columns(rows))
    sheet.set_column(0, 0, 18)
    sheet.freeze_panes(1, 1)
    for at in range(len(rows.start_s)):
        local = datetime.fromisoformat(stamp(int(rows.start_s[at]), rows.zone)).replace(tzinfo=None)
        sheet.write_datetime(at + 1, 0, local, day)
        for column, figure in enumerate(_figures(rows, aht_s, at), 1):
            if figure is not None:
                sheet.write_number(at + 1, column, figure)
    book.close()
    return made.getvalue()


def _columns(rows: ForecastRows) -> list[str]:
    return ["interval_start", "mean", *quantile_names(rows.levels), "forecast", "aht_s"]


def _figures(rows: ForecastRows, aht_s: Sequence[float | None], at: int) -> list[float | None]:
    figures = [rows.mean[at], *rows.quantiles[at], rows.forecast[at]]
    return [*(round(float(figure), 3) for figure in figures), aht_s[at]]
