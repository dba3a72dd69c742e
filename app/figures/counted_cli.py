"""``holdless figures persons`` and ``… transfers``: the same tables on the command line."""

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
from app.figures.agent_reader import now_in_ms
from app.figures.counted import CountedTable, Subject, read_counted
from app.figures.counted_export import counted_file, pair_name
from app.figures.counted_schemas import counted_shown
from app.figures.dimensions import FiguresBy
from app.figures.files import write_file
from app.figures.queries import narrowed_to
from app.figures.reader import FiguresAsked
from app.figures.subjects import TRANSFERS, persons
from app.settings import load_settings
from workforce.contact_formulas import DAYS_WITHIN, DAYS_WITHIN_MAX
from workforce.periods import PeriodStep
from workforce.series import stamp

_FILE_WIDTH = 200

First = Annotated[datetime | None, typer.Option(help="First local day; default: today.")]
Last = Annotated[datetime | None, typer.Option(help="Last local day, included; default: the first.")]
Step = Annotated[PeriodStep, typer.Option(help="Length of a period.")]
By = Annotated[FiguresBy, typer.Option(help="What to part by.")]
Only = Annotated[list[str] | None, typer.Option(help="Of this alone, as queue:sales; may be repeated.")]
Zone = Annotated[str | None, typer.Option(help="IANA name; default: the centre's.")]
Out = Annotated[Path | None, typer.Option(help="Write it to this file, CSV or (.xlsx) Excel.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]
Config = Annotated[Path | None, typer.Option("--config", help="Settings file of the server.")]
DataDir = Annotated[Path | None, typer.Option("--data-dir", help="The server's data directory.")]


def persons_command(
    first: First = None,
    last: Last = None,
    step: Step = PeriodStep.RANGE,
    by: By = FiguresBy.QUEUE,
    only: Only = None,
    zone: Zone = None,
    within_days: Annotated[
        int, typer.Option(min=1, max=DAYS_WITHIN_MAX, help="So many times 24 hours belong together.")
    ] = DAYS_WITHIN,
    out: Out = None,
    as_json: AsJson = False,
    config: Config = None,
    data_dir: DataDir = None,
) -> None:
    """Show repeat contacts and first-contact resolution per person."""
    asked = _asked(first, last, step, by, only or (), zone)
    _show(persons(within_days, now_in_ms()), asked, out, as_json, config, data_dir)


def transfers_command(
    first: First = None,
    last: Last = None,
    step: Step = PeriodStep.RANGE,
    by: By = FiguresBy.QUEUE,
    only: Only = None,
    zone: Zone = None,
    out: Out = None,
    as_json: AsJson = False,
    config: Config = None,
    data_dir: DataDir = None,
) -> None:
    """Show transfers, and consults that ended without one, by from whom (queue or agent) to whom."""
    if by not in (FiguresBy.QUEUE, FiguresBy.AGENT):
        raise typer.BadParameter("pairs begin with a queue or with an agent", param_hint="--by")
    _show(TRANSFERS, _asked(first, last, step, by, only or (), zone), out, as_json, config, data_dir)


def _asked(
    first: datetime | None,
    last: datetime | None,
    step: PeriodStep,
    by: FiguresBy,
    only: Sequence[str],
    zone: str | None,
) -> FiguresAsked:
    since = (first or datetime.now(UTC).astimezone()).date()
    try:
        narrowed = narrowed_to(only)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--only") from None
    until = last.date() if last else since
    return FiguresAsked(first=since, last=until, step=step, by=by, zone=zone, narrowed=narrowed)


def _show(
    subject: Subject,
    asked: FiguresAsked,
    out: Path | None,
    as_json: bool,
    config: Path | None,
    data_dir: Path | None,
) -> None:
    async def work(database: Database, tenant_id: TenantId) -> CountedTable:
        return await read_counted(database, tenant_id, subject, asked, now_in_ms())

    table = with_database(load_settings(config, data_dir=data_dir), work)
    if out is not None:
        write_file(counted_file(table), out)
        typer.echo(f"{len(table.rows)} rows and their total in {out}")
    elif as_json:
        shown = counted_shown(table).model_dump(mode="json")
        sys.stdout.buffer.write(orjson.dumps(shown, option=orjson.OPT_INDENT_2) + b"\n")
    elif not table.rows:
        typer.echo(f"nothing from {asked.first} to {asked.last} ({table.zone})")
    else:
        console = Console() if sys.stdout.isatty() else Console(width=_FILE_WIDTH)
        console.print(_drawn(table))


def _drawn(table: CountedTable) -> Table:
    drawn = Table(box=None, pad_edge=False, title=table.zone, title_justify="left")
    for column in ("period", table.asked.by.value, *table.subject.columns, "grade"):
        drawn.add_column(column, no_wrap=True, overflow="ignore")
    for row in (*table.rows, table.whole):
        drawn.add_row(
            stamp(row.start_ms // 1000, table.zone)[:16].replace("T", " "),
            escape("total" if row is table.whole else pair_name(table, row.key)),
            *(
                _value(table.value_of(row, column), column in table.subject.formulas)
                for column in table.subject.columns
            ),
            f"{row.grade.value}, so far" if row.is_running else row.grade.value,
        )
    return drawn


def _value(value: float | int | None, is_share: bool) -> str:
    if value is None:
        return ""
    return f"{value * 100:.1f} %" if is_share else str(value)
