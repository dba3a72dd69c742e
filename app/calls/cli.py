"""``holdless calls``: read the call log, and hold it against Asterisk's own channel event log."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, TypeVar

import orjson
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.calls.queries import PAGE_CALLS_MAX, CallFilter, call_story, list_calls, plain
from app.calls.reconciliation import Reconciliation, reconcile
from app.db.provider import Provider
from app.db.session import Database, TenantId, tenant
from app.live.witness import cel_file
from app.settings import Settings, SettingsError, load_settings
from routing.ids import AgentId, InteractionId, QueueId
from telephony.cel import CelCall, CelFold, CelOffset, CelReader

calls_cli = typer.Typer(name="calls", help="List, show and reconcile logged calls.", no_args_is_help=True)

Answer = TypeVar("Answer")
Query = Callable[[Database, TenantId], Awaitable[Answer]]

_COLUMNS = (
    "started_at",
    "interaction_id",
    "caller_number",
    "entry_point",
    "outcome",
    "answered_at",
    "ended_at",
)
_PARTS = ("segments", "visits", "offers", "legs", "events")
_AGO = re.compile(r"(\d{1,4})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}

_Config = Annotated[
    Path | None, typer.Option("--config", help="Settings file; else HOLDLESS_CONFIG, else holdless.toml.")
]
_Data = Annotated[Path | None, typer.Option("--data-dir", help="Where the embedded database lives.")]
_Json = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]
_Since = Annotated[str, typer.Option(help="A moment (2026-05-01T08:00+08:00) or how long ago (90m, 8h, 7d).")]


@calls_cli.command("list")
def list_command(
    since: _Since = "1d",
    queue: Annotated[str | None, typer.Option(help="Only calls that visited this queue.")] = None,
    agent: Annotated[str | None, typer.Option(help="Only calls that this agent answered.")] = None,
    number: Annotated[str | None, typer.Option(help="Only calls of this number, as logged.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=PAGE_CALLS_MAX)] = 50,
    as_json: _Json = False,
    config: _Config = None,
    data_dir: _Data = None,
) -> None:
    """List calls, newest first."""
    wanted = CallFilter(
        since=moment(since, datetime.now(UTC)),
        queue_id=QueueId(queue) if queue else None,
        agent_id=AgentId(agent) if agent else None,
        number=number,
    )

    async def read(database: Database, tenant_id: TenantId) -> list[dict[str, Any]]:
        async with database.transaction(tenant_id) as connection:
            rows, _ = await list_calls(connection, tenant_id, wanted, limit=limit)
        return plain(rows)

    rows = _ask(load_settings(config, data_dir=data_dir), read)
    if as_json:
        _write_json(rows)
    else:
        _write_table("", rows, [name for name in _COLUMNS if not rows or name in rows[0]])


@calls_cli.command("show")
def show_command(
    call: Annotated[str, typer.Argument(help="The call's id, for instance pbx1-1763790000.7")],
    as_json: _Json = False,
    config: _Config = None,
    data_dir: _Data = None,
) -> None:
    """Show one call: its segments, queue visits, offers, legs and events."""

    async def read(database: Database, tenant_id: TenantId) -> dict[str, Any] | None:
        async with database.transaction(tenant_id) as connection:
            return await call_story(connection, tenant_id, InteractionId(call))

    story = _ask(load_settings(config, data_dir=data_dir), read)
    if story is None:
        typer.echo(f"holdless: the log has no call {call}", err=True)
        raise typer.Exit(1)
    parts = {name: plain(story[name]) for name in _PARTS}
    (whole,) = plain([story["interaction"]])
    if as_json:
        _write_json({**whole, **parts})
        return
    _write_table("", [{"field": name, "value": value} for name, value in whole.items()], ["field", "value"])
    for name, rows in parts.items():
        if rows:
            shown = [column for column in rows[0] if column not in ("interaction_id", "body")]
            _write_table(name, rows, shown)


@calls_cli.command("reconcile")
def reconcile_command(
    since: _Since = "1d",
    as_json: _Json = False,
    config: _Config = None,
    data_dir: _Data = None,
) -> None:
    """Compare the log with Asterisk's channel event log; exit with 1 when they differ."""
    settings = load_settings(config, data_dir=data_dir)
    if settings.cel_path is None:
        raise SettingsError("no channel event log is configured; set HOLDLESS_CEL_PATH or write cel_path")
    file = cel_file(settings.cel_path)
    if not file.is_file():
        raise SettingsError(
            f"there is no channel event log at {file}; mend cel_path, or see asterisk-config/"
        )
    until = datetime.now(UTC)
    begin = moment(since, until)

    async def read(database: Database, tenant_id: TenantId) -> Reconciliation:
        witnessed = await asyncio.to_thread(_read_witness, file)
        async with database.transaction(tenant_id) as connection:
            return await reconcile(connection, tenant_id, witnessed.values(), begin, until)

    found = _ask(settings, read)
    if as_json:
        _write_json({**asdict(found), "is_clean": found.is_clean})
    else:
        typer.echo(f"{found.cel_count} calls in Asterisk's log, {found.log_count} in ours")
        for name in ("cel_minus_log", "log_minus_cel", "twice"):
            for uniqueid in getattr(found, name):
                typer.echo(f"  {name} {uniqueid}")
        for difference in found.differing:
            typer.echo(f"  {difference.fact} differs: {difference}")
    raise typer.Exit(0 if found.is_clean else 1)


def moment(text: str, now: datetime) -> datetime:
    """Return the moment that *text* names, counted back from *now* where it is a length.

    Raises:
        typer.BadParameter: it is neither a zone-aware ISO 8601 moment nor a number with m, h or d.

    >>> moment("90m", datetime(2026, 5, 1, 8, 0, tzinfo=UTC)).isoformat()
    '2026-05-01T06:30:00+00:00'
    """
    if found := _AGO.fullmatch(text):
        return now - timedelta(**{_UNITS[found[2]]: int(found[1])})
    try:
        named = datetime.fromisoformat(text)
    except ValueError:
        named = None
    if named is None or named.tzinfo is None:
        raise typer.BadParameter(
            f"{text!r} is no moment with its zone (…+08:00, …Z) and no length (90m, 8h, 7d)"
        )
    return named


def _read_witness(file: Path) -> dict[str, CelCall]:
    reader, offset, fold = CelReader(file), CelOffset(), CelFold()
    while True:
        events, offset = reader.read(offset)
        if not events:
            return fold.calls
        fold.add(events)


def _ask(settings: Settings, query: Query[Answer]) -> Answer:
    """Run *query* on the record's server, which is started for it when it is ours and not running."""

    async def run() -> Answer:
        url = settings.database_url.get_secret_value() if settings.database_url else None
        provider = Provider(url, settings.data_dir)
        database = Database(await provider.start(), connections_max=2)
        try:
            return await query(database, tenant(settings.tenant))
        finally:
            await database.close()
            await provider.stop()

    return asyncio.run(run())


def _write_json(body: object) -> None:
    typer.echo(orjson.dumps(body, default=str, option=orjson.OPT_INDENT_2).decode())


def _write_table(title: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    table = Table(*columns, title=title or None, title_justify="left")
    for row in rows:
        table.add_row(*(_cell(row[name]) for name in columns))
    Console().print(table)


def _cell(value: object) -> str:
    """Return a cell's text: whatever callers sent is shown, never obeyed by the terminal."""
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    text = "" if value is None else str(value)
    return escape("".join(letter if letter.isprintable() else "·" for letter in text))
