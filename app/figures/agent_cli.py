"""``holdless figures agents``: agents' time and work by period on the command line."""

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
from app.figures.agent_export import agents_file
from app.figures.agent_facts import AgentsBy, AgentsNarrowed, agents_narrowed_to
from app.figures.agent_reader import AgentsAsked, AgentsTable, now_in_ms, read_agents
from app.figures.files import write_file
from app.figures.rules import PeriodRow
from app.settings import load_settings
from workforce.agent_cells import AgentCell
from workforce.formulas import Unit
from workforce.periods import PeriodStep
from workforce.series import stamp

_SHOWN = (
    *("SIGNED_IN", "TIME_READY", "TIME_TALK", "TIME_HOLD", "TIME_WRAP_UP", "TIME_NOT_READY"),
    *("OCCUPANCY", "UTILISATION", "AHT", "RONA", "CALLS_PER_HOUR"),
)
_FILE_WIDTH = 240


def agents(
    first: Annotated[datetime | None, typer.Option(help="First local day; default: today.")] = None,
    last: Annotated[
        datetime | None, typer.Option(help="Last local day, included; default: the first.")
    ] = None,
    step: Annotated[PeriodStep, typer.Option(help="Length of a period.")] = PeriodStep.DAY,
    by: Annotated[AgentsBy, typer.Option(help="What to part by.")] = AgentsBy.AGENT,
    only: Annotated[
        list[str] | None, typer.Option(help="Of this alone, for instance team:front; may be repeated.")
    ] = None,
    zone: Annotated[str | None, typer.Option(help="IANA name; default: the centre's.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write all columns to this file, CSV or (.xlsx) Excel.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output.")] = False,
    config: Annotated[Path | None, typer.Option("--config", help="Settings file of the server.")] = None,
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="The server's data directory.")] = None,
) -> None:
    """Show agents' time by state and reason, occupancy, handle times and ring-no-answer."""
    since = (first or datetime.now(UTC).astimezone()).date()
    asked = AgentsAsked(
        first=since,
        last=last.date() if last else since,
        step=step,
        by=by,
        zone=zone,
        narrowed=_narrowed(only or ()),
    )

    async def work(database: Database, tenant_id: TenantId) -> AgentsTable:
        return await read_agents(database, tenant_id, asked, now_in_ms())

    table = with_database(load_settings(config, data_dir=data_dir), work)
    if out is not None:
        write_file(agents_file(table), out)
        typer.echo(f"{len(table.rows)} rows and their total in {out}")
    elif as_json:
        sys.stdout.buffer.write(orjson.dumps(_plain(table), option=orjson.OPT_INDENT_2) + b"\n")
    elif not table.rows:
        typer.echo(f"nobody was signed in from {asked.first} to {asked.last} ({table.zone})")
    else:
        console = Console() if sys.stdout.isatty() else Console(width=_FILE_WIDTH)
        console.print(_drawn(table))


def _narrowed(only: Sequence[str]) -> AgentsNarrowed:
    try:
        return agents_narrowed_to(only)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--only") from None


def _drawn(table: AgentsTable) -> Table:
    drawn = Table(box=None, pad_edge=False, title=table.zone, title_justify="left")
    for column in ("period", table.asked.by.value, "handled", *_SHOWN, "grade"):
        drawn.add_column(column, no_wrap=True, overflow="ignore")
    for row in (*table.rows, table.whole):
        drawn.add_row(
            stamp(row.start_ms // 1000, table.zone)[:16].replace("T", " "),
            escape("total" if row is table.whole else table.names.get(row.key) or row.key),
            str(row.cell.handled_count),
            *(_figure(table.formulas[figure].unit, row.figures[figure]) for figure in _SHOWN),
            f"{row.grade.value}, so far" if row.is_running else row.grade.value,
        )
    return drawn


def _figure(unit: Unit, value: float | None) -> str:
    if value is None:
        return ""
    match unit:
        case Unit.SHARE:
            return f"{value * 100:.1f} %"
        case Unit.SECONDS:
            return f"{value:.1f} s"
        case Unit.PER_HOUR:
            return f"{value:.2f}/h"
        case Unit.TOTAL:
            minutes, seconds = divmod(round(value), 60)
            return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def _plain(table: AgentsTable) -> dict[str, object]:
    def line(row: PeriodRow[AgentCell]) -> dict[str, object]:
        return {
            "start": stamp(row.start_ms // 1000, table.zone),
            "end": stamp(row.end_ms // 1000, table.zone),
            "key": row.key,
            "terms": {name: value for name in table.terms if (value := row.cell.term(name))},
            "figures": dict(row.figures),
            "grade": row.grade.value,
            "is_running": row.is_running,
        }

    rows = [line(row) for row in table.rows]
    return {"zone": table.zone, "names": dict(table.names), "rows": rows, "total": line(table.whole)}
