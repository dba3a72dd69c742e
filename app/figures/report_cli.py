"""``holdless reports``: the standard set and saved reports on the command line."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.db.opened import with_database
from app.db.session import Database, TenantId
from app.figures.definitions import STANDARD
from app.figures.reader import FiguresTable
from app.figures.report_reader import OpenedReport, file_of, open_report, run_report
from app.figures.report_rows import list_reports
from app.figures.schedules import FileFormat
from app.figures.words import Language
from app.settings import load_settings

reports_cli = typer.Typer(no_args_is_help=True, help="List reports; run one into a file.")

_Config = Annotated[Path | None, typer.Option("--config", help="Settings file of the server.")]
_DataDir = Annotated[Path | None, typer.Option("--data-dir", help="The server's data directory.")]


@reports_cli.command("list")
def list_command(config: _Config = None, data_dir: _DataDir = None) -> None:
    """List the standard set and every saved report, whoever owns it."""

    async def work(database: Database, tenant_id: TenantId) -> list[tuple[str, str, str, str]]:
        async with database.transaction(tenant_id) as connection:
            rows = await list_reports(connection, tenant_id)
        return [(str(row.report_id), row.display_name, str(row.version), row.owner_name) for row in rows]

    saved = with_database(load_settings(config, data_dir=data_dir), work)
    drawn = Table(box=None, pad_edge=False)
    for column in ("id", "name", "version", "owner"):
        drawn.add_column(column, no_wrap=True, overflow="ignore")
    for one in STANDARD.values():
        drawn.add_row(one.report_id, one.name, "1", "")
    for report_id, name, version, owner in saved:
        drawn.add_row(report_id, escape(name), version, escape(owner))
    (Console() if sys.stdout.isatty() else Console(width=200)).print(drawn)


@reports_cli.command("run")
def run_command(
    report_id: Annotated[str, typer.Argument(help="As holdless reports list shows it.")],
    file_format: Annotated[FileFormat, typer.Option("--format", help="Of the file.")] = FileFormat.CSV,
    out: Annotated[
        Path | None, typer.Option(help="The file; without it CSV goes to standard output.")
    ] = None,
    version: Annotated[int | None, typer.Option(help="An older version; default: the newest.", min=1)] = None,
    language: Annotated[str, typer.Option(help="Of a PDF: en or zh-Hant.")] = "en",
    config: _Config = None,
    data_dir: _DataDir = None,
) -> None:
    """Compute a report from the log as it is now."""
    spoken: Language = "zh-Hant" if language == "zh-Hant" else "en"
    if language not in ("en", "zh-Hant"):
        raise typer.BadParameter("en or zh-Hant", param_hint="--language")
    if out is None and file_format is not FileFormat.CSV:
        raise typer.BadParameter("name the file", param_hint="--out")

    async def work(
        database: Database, tenant_id: TenantId
    ) -> tuple[OpenedReport, FiguresTable, bytes] | None:
        opened = await open_report(database, tenant_id, report_id, version)
        if opened is None:
            return None
        table = await run_report(database, tenant_id, opened.definition, datetime.now(UTC))
        shape = opened.definition.shape
        body = await file_of(table, shape, file_format, title=opened.named(spoken), language=spoken)
        return opened, table, body

    done = with_database(load_settings(config, data_dir=data_dir), work)
    if done is None:
        raise typer.BadParameter("there is no such report or version: holdless reports list")
    opened, table, body = done
    if out is None:
        sys.stdout.buffer.write(body)
        return
    out.write_bytes(body)
    typer.echo(f"{opened.name}, version {opened.version}: {len(table.rows)} rows and their total in {out}")
