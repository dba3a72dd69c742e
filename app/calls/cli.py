"""``holdless calls``: the call log on the command line."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.calls.log_reader import LogReader
from app.calls.reconciliation import Reconciliation, reconcile
from app.calls.rules import CallFilter
from app.calls.settling import GAVE_UP, settle, undo
from app.db.opened import with_database
from app.db.session import Database, TenantId
from app.logs import tame
from app.settings import SettingsError, load_settings
from routing.ids import AgentId, InteractionId, QueueId
from telephony.cel import cel_file, read_calls

calls_cli = typer.Typer(no_args_is_help=True, help="List, show and reconcile logged calls.")

ConfigOption = Annotated[Path | None, typer.Option("--config", help="Settings file of the server.")]
DataDirOption = Annotated[Path | None, typer.Option("--data-dir", help="The server's data directory.")]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]
SinceOption = Annotated[
    datetime | None,
    typer.Option(help="Calls that began at or after this moment (your zone); default: a day ago."),
]
UntilOption = Annotated[datetime | None, typer.Option(help="… and before this one; default: now.")]

_FILE_WIDTH = 240
_MOMENTS = ("started_at", "answered_at", "ended_at")


@calls_cli.command("list")
def list_calls(
    queue: Annotated[str | None, typer.Option(help="Visited this queue.")] = None,
    agent: Annotated[str | None, typer.Option(help="Was answered by this agent.")] = None,
    number: Annotated[str | None, typer.Option(help="The caller's number as logged.")] = None,
    outcome: Annotated[str | None, typer.Option(help="For instance answered, abandoned, fallback.")] = None,
    unreached: Annotated[
        bool, typer.Option("--unreached", help="Gave up, and nobody has reached them since.")
    ] = False,
    since: SinceOption = None,
    until: UntilOption = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 50,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """List calls, newest first."""
    wanted = CallFilter(
        since=_aware(since) if since else None,
        until=_aware(until) if until else None,
        queue_id=QueueId(queue) if queue else None,
        agent_id=AgentId(agent) if agent else None,
        outcome=outcome,
        number=number,
        unreached=unreached,
    )

    async def work(database: Database, tenant_id: TenantId) -> Sequence[Mapping[str, Any]]:
        return (await LogReader(database, tenant_id).page(wanted, limit=limit, cursor=None)).calls

    calls = with_database(load_settings(config, data_dir=data_dir), work)
    if as_json:
        _print_json(calls)
        return
    names = ("call", "began", "caller", "queue", "agent", "outcome", "wait s", "talk s", "hold s", "wrap s")
    table = _plain_table(*names)
    for call in calls:
        table.add_row(
            call["interaction_id"],
            _local(call["started_at"]),
            _shown(call["caller_number"]),
            call["queue_id"] or "",
            call["agent_id"] or "",
            call["outcome"] or "open",
            *(_seconds(call[name]) for name in ("wait_ms", "talk_ms", "hold_ms", "wrap_up_ms")),
        )
    _console().print(table if calls else "no calls")


@calls_cli.command("settle")
def settle_call(
    interaction_id: Annotated[str, typer.Argument(help="Of a caller who gave up.")],
    reason: Annotated[str, typer.Option(help="Why they need no call back.")] = "",
    undone: Annotated[bool, typer.Option("--undo", help="Put the call on the list again.")] = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Take a caller who gave up off the list by hand, or put them back."""
    if not undone and not reason.strip():
        raise typer.BadParameter("say why", param_hint="--reason")
    call_id, by = InteractionId(interaction_id), "command line"

    async def work(database: Database, tenant_id: TenantId) -> str:
        call = await LogReader(database, tenant_id).one(call_id)
        if call is None or call["outcome"] not in GAVE_UP:
            raise SettingsError(f"no caller gave up in {interaction_id}: `calls list --unreached` names them")
        async with database.transaction(tenant_id) as connection:
            if undone:
                done = await undo(connection, tenant_id, call_id, by=by)
                return "on the list again" if done else "nobody took it off the list"
            done = await settle(connection, tenant_id, call_id, reason=reason.strip(), by=by)
            return "off the list" if done else "it is off the list already"

    typer.echo(with_database(load_settings(config, data_dir=data_dir), work))


@calls_cli.command("show")
def show_call(
    interaction_id: Annotated[str, typer.Argument(help="For instance pbx1-1763790000.7.")],
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Show one call: its segments, its offers and why each agent was chosen, its events."""

    async def work(database: Database, tenant_id: TenantId) -> Mapping[str, Any] | None:
        return await LogReader(database, tenant_id).one(InteractionId(interaction_id))

    story = with_database(load_settings(config, data_dir=data_dir), work)
    if story is None:
        raise SettingsError(f"there is no call {interaction_id} in the log: `holdless calls list` names them")
    if as_json:
        _print_json(story)
        return
    console = _console()
    for name, value in story.items():
        if not isinstance(value, list) and value not in (None, "", {}, []):
            console.print(f"{name:<18} {_local(value) if name in _MOMENTS else _shown(_text(value))}")
    console.print(
        _table("segments", story["segments"], ("track", "kind", "started_at", "ended_at", "exit_cause"))
    )
    offers = ("attempt", "agent_id", "queue_id", "offered_at", "outcome")
    console.print(_table("offers", story["offers"], offers))
    for offer in story["offers"]:
        console.print(f"  {offer['attempt']}: {_why(offer['agent_id'], offer['explanation'] or {})}")
    console.print(_table("events", story["events"], ("occurred_at", "type", "agent_id", "queue_id")))


@calls_cli.command("reconcile")
def reconcile_calls(
    since: SinceOption = None,
    until: UntilOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Compare the log with Asterisk's channel event log; exits with 1 when they differ."""
    settings = load_settings(config, data_dir=data_dir)
    if settings.cel_path is None:
        raise SettingsError(
            "the channel event log is not known: set HOLDLESS_CEL_PATH to its directory"
            " (asterisk-config/README.md)"
        )
    path = cel_file(settings.cel_path)
    if not path.exists():
        raise SettingsError(f"there is no channel event log at {path}: see asterisk-config/README.md, CEL")
    begin = _aware(since) if since else datetime.now(UTC) - timedelta(days=1)
    end = _aware(until) if until else datetime.now(UTC)

    async def work(database: Database, tenant_id: TenantId) -> Reconciliation:
        try:
            calls = await asyncio.to_thread(read_calls, path)
        except OSError as error:
            raise SettingsError(f"the channel event log {path} cannot be read: {error.strerror}") from None
        async with database.snapshot(tenant_id) as connection:
            return await reconcile(connection, tenant_id, calls.values(), begin, end)

    found = with_database(settings, work)
    if as_json:
        _print_json(found)
    else:
        _print_reconciliation(_console(), found)
    if not found.is_clean:
        raise typer.Exit(1)


def _print_reconciliation(console: Console, found: Reconciliation) -> None:
    console.print(f"{found.cel_count} calls in the channel event log, {found.log_count} in ours")
    for title, ids in (
        ("missing from our log", found.cel_minus_log),
        ("in our log alone", found.log_minus_cel),
        ("logged twice", found.twice),
    ):
        console.print(f"{title}: {len(ids)}")
        for uniqueid in ids:
            console.print(f"  {uniqueid}")
    console.print(f"told differently: {len(found.differing)}")
    for difference in found.differing:
        console.print(f"  {difference}")


def _print_json(value: Any) -> None:
    sys.stdout.buffer.write(orjson.dumps(value, default=str, option=orjson.OPT_INDENT_2) + b"\n")


def _table(title: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> Table:
    table = _plain_table(*columns, title=title)
    for row in rows:
        table.add_row(
            *(_local(row[name]) if name.endswith("_at") else _shown(_text(row[name])) for name in columns)
        )
    return table


def _why(agent_id: str, explanation: Mapping[str, Any]) -> str:
    """Say in a sentence why this agent got this call."""
    waited = f"after {_seconds(explanation.get('wait_ms', 0))} s"
    runner_up = explanation.get("runner_up")
    if explanation.get("kind") == "interaction_for_agent":
        rest = f"before {runner_up}" if runner_up else "nobody else waited for this agent"
        return f"{agent_id} became free and took this call {waited}; {rest}"
    if explanation.get("kind") == "agent_for_interaction":
        rest = f"before {runner_up}" if runner_up else "no other was free"
        return f"{agent_id} had been ready longest when this call was offered {waited}; {rest}"
    return str(explanation.get("kind", "no reason was kept"))


def _plain_table(*columns: str, title: str | None = None) -> Table:
    """A table whose cells can be copied: nothing is cut or folded."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=True, overflow="ignore")
    return table


def _console() -> Console:
    """On a terminal as wide as it is, elsewhere as wide as a row needs."""
    return Console() if sys.stdout.isatty() else Console(width=_FILE_WIDTH)


def _text(value: Any) -> str:
    return (
        ""
        if value is None
        else value
        if isinstance(value, str)
        else orjson.dumps(value, default=str).decode()
    )


def _shown(text: str) -> str:
    """What a caller sent is shown as text: no colours, no control characters of a terminal."""
    return escape(tame(text))


def _aware(moment: datetime) -> datetime:
    return moment.astimezone()


def _local(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone().strftime("%m-%d %H:%M:%S.%f")[:-3]


def _seconds(length_ms: int) -> str:
    return f"{length_ms / 1000:.1f}"
