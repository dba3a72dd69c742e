"""Find a report, of the standard set or saved, open any of its versions, and compute it now."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row

from app.db.session import Database, TenantId
from app.figures.definitions import STANDARD, ReportDefinition, kept
from app.figures.export import figures_file
from app.figures.files import csv_text, xlsx_bytes
from app.figures.layout import Shape
from app.figures.reader import NO_ZONE, FiguresTable, read_figures
from app.figures.report_rows import report_of, versions_of
from app.figures.schedules import FileFormat
from app.figures.words import Language, word
from app.wall.queries import centre_zone

MEDIA_TYPES = {
    FileFormat.CSV: "text/csv; charset=utf-8",
    FileFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    FileFormat.PDF: "application/pdf",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedReport:
    """One version of a report.

    Attributes:
        row: Its row; None: of the standard set, which has one version.
        versions: All of them, the newest first.
    """

    report_id: str
    name: str
    version: int
    definition: ReportDefinition
    row: Row[Any] | None = None
    versions: tuple[Row[Any], ...] = ()

    def named(self, language: Language) -> str:
        """Return its name; those of the standard set have one in each language."""
        standard = STANDARD.get(self.report_id)
        return standard.name_zh_hant if standard is not None and language == "zh-Hant" else self.name


async def open_report(
    database: Database, tenant_id: TenantId, report_id: str, version: int | None = None
) -> OpenedReport | None:
    """Return a report as its *version* says, or the newest; None: there is no such report or version."""
    if (standard := STANDARD.get(report_id)) is not None:
        if version not in (None, 1):
            return None
        return OpenedReport(
            report_id=report_id, name=standard.name, version=1, definition=standard.definition
        )
    if (known_id := _uuid(report_id)) is None:
        return None
    async with database.snapshot(tenant_id) as connection:
        row = await report_of(connection, tenant_id, known_id)
        if row is None:
            return None
        versions = await versions_of(connection, tenant_id, known_id)
    wanted = next((one for one in versions if one.version == (version or row.version)), None)
    if wanted is None:
        return None
    return OpenedReport(
        report_id=str(row.report_id),
        name=wanted.display_name,
        version=wanted.version,
        definition=kept(wanted.definition),
        row=row,
        versions=tuple(versions),
    )


async def run_report(
    database: Database,
    tenant_id: TenantId,
    definition: ReportDefinition,
    now: datetime,
    *,
    day_of: datetime | None = None,
) -> FiguresTable:
    """Compute a report from the log as it is now.

    Args:
        now: With its zone; what ends later is running.
        day_of: The centre's day at this moment is the report's today; None: now.

    Raises:
        workforce.errors.InputError: the days and the step make no periods, or too many.
    """
    async with database.snapshot(tenant_id) as connection:
        zone = await centre_zone(connection, tenant_id) or NO_ZONE
    asked = definition.asked((day_of or now).astimezone(ZoneInfo(zone)).date())
    return await read_figures(database, tenant_id, asked, int(now.timestamp() * 1000))


async def file_of(
    table: FiguresTable, shape: Shape, file_format: FileFormat, *, title: str, language: Language
) -> bytes:
    """Return a table as a file; what takes long is done beside the loop."""
    if file_format is FileFormat.CSV:
        return (await asyncio.to_thread(csv_text, figures_file(table, shape))).encode()
    if file_format is FileFormat.XLSX:
        return await asyncio.to_thread(xlsx_bytes, figures_file(table, shape))
    return await asyncio.to_thread(_pdf, table, shape, title, language)


def _pdf(table: FiguresTable, shape: Shape, title: str, language: Language) -> bytes:
    from app.figures.pdf import pdf_of  # a heavy import that a start need not wait for

    return pdf_of(
        table,
        shape,
        title=title or word(language, "figures.title"),
        about=about(table, language),
        language=language,
        made_at=datetime.now(UTC),
    )


def about(table: FiguresTable, language: Language) -> str:
    """Return the days, where a call counts, and what the table is narrowed to."""
    asked = table.asked
    days = f"{asked.first}" if asked.first == asked.last else f"{asked.first} – {asked.last}"
    view = f"{word(language, 'filter.view')} {word(language, f'view.{asked.view.value}')}"
    only = [
        f"{word(language, f'by.{by.value}')}: {', '.join(each or word(language, 'key.none') for each in ids)}"
        for by, ids in asked.narrowed.ids.items()
    ]
    return " · ".join((days, view, *only))


def file_name(name: str, first: date, last: date, file_format: FileFormat) -> str:
    """Return what a file is called: letters that every system and header takes.

    >>> file_name("Queues by day", date(2026, 11, 1), date(2026, 11, 2), FileFormat.PDF)
    'queues-by-day-20261101-20261102.pdf'
    """
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name.lower())
    short = "-".join(part for part in plain.split("-") if part)[:60] or "report"
    return f"{short}-{first:%Y%m%d}-{last:%Y%m%d}.{file_format.value}"


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
