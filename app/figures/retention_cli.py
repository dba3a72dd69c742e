"""``holdless log``: what is kept of the log, and for how long."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from app.db.opened import with_database
from app.db.session import Database, TenantId
from app.figures.retention import OldDay, drop_day, old_days
from app.settings import KEEP_DAYS_MIN, load_settings

log_cli = typer.Typer(no_args_is_help=True, help="How long the call log is kept.")


@log_cli.callback()
def _group() -> None:
    """Keep the commands a group."""


@log_cli.command("retention")
def retention(
    keep_days: Annotated[
        int | None, typer.Option(min=KEEP_DAYS_MIN, help="Instead of the setting log.keep_days.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    config: Annotated[Path | None, typer.Option("--config", help="Settings file of the server.")] = None,
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="The server's data directory.")] = None,
) -> None:
    """Drop the days of the log whose time is over; their figures stay. A running server does so by itself."""
    settings = load_settings(config, data_dir=data_dir)
    kept_days = settings.log.keep_days if keep_days is None else keep_days
    if kept_days is None:
        typer.echo("the log is kept for ever: set log.keep_days, or name --keep-days")
        return

    async def work(database: Database, _tenant_id: TenantId) -> Sequence[tuple[OldDay, bool]]:
        found = await old_days(database, kept_days, datetime.now(UTC).date())
        return [(old, not dry_run and await drop_day(database, old.day)) for old in found]

    done = with_database(settings, work)
    for old, is_dropped in done:
        what = "would go" if dry_run else "dropped" if is_dropped else "stays, it is being written"
        typer.echo(f"{old.day}  about {old.call_count} calls, {old.size_bytes / 1e6:.1f} MB: {what}")
    gone_bytes = sum(old.size_bytes for old, is_dropped in done if is_dropped or dry_run)
    verb = "would be freed" if dry_run else "freed"
    typer.echo(f"{len(done)} days older than {kept_days} days, {gone_bytes / 1e6:.1f} MB {verb}")
