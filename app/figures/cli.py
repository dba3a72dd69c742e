"""``holdless figures``: the log's figures by period on the command line."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.db.opened import with_database
from app.db.session import Database, TenantId
from app.figures.agent_cli import agents
from app.figures.counted_cli import persons_command, transfers_command
from app.figures.dimensions import FiguresBy
from app.figures.export import figures_file
from app.figures.facts import TERMS, FiguresView
from app.figures.files import write_file
from app.figures.queries import Narrowed, narrowed_to
from app.figures.reader import FiguresAsked, FiguresTable, read_figures
from app.figures.rules import FiguresRow
from app.settings import load_settings
from workforce.formulas import FORMULAS, Unit, term
from workforce.periods import PeriodStep
from workforce.series import stamp

figures_cli = typer.Typer(invoke_without_command=True)
figures_cli.command("agents")(agents)
figures_cli.command("persons")(persons_command)
figures_cli.command("transfers")(transfers_command)
_SHOWN = ("SL-A", "SL-B", "SL-C", "SL-D", "SL-E", "SL-F", "AB", "ASA", "WAIT_P90", "AHT")
_FILE_WIDTH = 240


@figures_cli.callback()
def figures(
    context: typer.Context,
    first: Annotated[datetime | None, typer.Option(help="First local day; default: today.")] = None,
    last: Annotated[
        datetime | None, typer.Option(help="Last local day, included; default: the first.")
    ] = None,
    step: Annotated[PeriodStep, typer.Option(help="Length of a period.")] = PeriodStep.DAY,
    by: Annotated[FiguresBy, typer.Option(help="What to part by.")] = FiguresBy.QUEUE,
    view: Annotated[
        FiguresView, typer.Option(help="Each fact in its own period, or all of a visit where it began.")
    ] = FiguresView.EVENT,
    only: Annotated[
        list[str] | None, typer.Option(help="Of this alone, for instance queue:sales; may be repeated.")
    ] = None,
    zone: Annotated[str | None, typer.Option(help="IANA name; default: the centre's.")] = None,
    out: Annotated[Path | None, typer.Option(help="All columns to this file, CSV or (.xlsx) Excel.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output.")] = False,
    config: Annotated[Path | None, typer.Option("--config", help="Settings file of the server.")] = None,
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="The server's data directory.")] = None,
) -> None:
    """Show service levels by all six formulas, waits and handle times of the call log; or those of agents."""
    if context.invoked_subcommand is not None:
        return
    since = (first or datetime.now(UTC).astimezone()).date()
    asked = FiguresAsked(
        first=since,
        last=last.date() if last else since,
        step=step,
        by=by,
        view=view,
        zone=zone,
        narrowed=_narrowed(only or ()),
    )

    async def work(database: Database, tenant_id: TenantId) -> FiguresTable:
        return await read_figures(database, tenant_id, asked, int(datetime.now(UTC).timestamp() * 1000))

    table = with_database(load_settings(config, data_dir=data_dir), work)
    if out is not None:
        write_file(figures_file(table), out)
        typer.echo(f"{len(table.rows)} rows and their total in {out}")
    elif as_json:
        sys.stdout.buffer.write(orjson.dumps(_plain(table), option=orjson.OPT_INDENT_2) + b"\n")
    elif not table.rows:
        typer.echo(f"no calls from {asked.first} to {asked.last} ({table.zone})")
    else:
        console = Console() if sys.stdout.isatty() else Console(width=_FILE_WIDTH)
        console.print(_drawn(table))


def _narrowed(only: Sequence[str]) -> Narrowed:
    try:
        return narrowed_to(only)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--only") from None


def _drawn(table: FiguresTable) -> Table:
    drawn = Table(
        box=None, pad_edge=False, title=f"{table.zone}, {table.asked.view} view", title_justify="left"
    )
    for column in ("period", table.asked.by.value, "offered", "answered", "abandoned", *_SHOWN, "grade"):
        drawn.add_column(column, no_wrap=True, overflow="ignore")
    for row in (*table.rows, table.whole):
        name = "total" if row is table.whole else table.names.get(row.key) or row.key
        counts = (row.cell.offered_count, row.cell.answered_count, row.cell.abandoned_count)
        drawn.add_row(
            stamp(row.start_ms // 1000, table.zone)[:16].replace("T", " "),
            escape(name),
            *(str(count) for count in counts),
            *(_figure(formula, row.figures[formula]) for formula in _SHOWN),
            f"{row.grade.value}, so far" if row.is_running else row.grade.value,
        )
    return drawn


def _figure(formula: str, value: float | None) -> str:
    if value is None:
        return ""
    return f"{value * 100:.1f} %" if FORMULAS[formula].unit is Unit.SHARE else f"{value:.1f} s"


def _plain(table: FiguresTable) -> dict[str, object]:
    def line(row: FiguresRow) -> dict[str, object]:
        return {
            "start": stamp(row.start_ms // 1000, table.zone),
            "end": stamp(row.end_ms // 1000, table.zone),
            "key": row.key,
            "terms": {name: value for name in TERMS if (value := term(row.cell, name))},
            "figures": dict(row.figures),
            "grade": row.grade.value,
            "is_running": row.is_running,
        }

    rows = [line(row) for row in table.rows]
    return {"zone": table.zone, "names": dict(table.names), "rows": rows, "total": line(table.whole)}
