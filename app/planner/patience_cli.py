"""``holdless plan patience``: how patient callers are, from the centre's own call log or from a file.

What the command computes with is imported when it runs, so that help and wrong usage answer at once.
"""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from app.planner.patience_file import CallWaits
    from workforce.patience import Patience

DEFAULT_DAYS = 90
METHOD = (
    "method: Kaplan-Meier, whoever was answered counts as waiting at least that long; "
    "the exponential mean is the time waited by all over those who gave up"
)


def patience_command(
    file_in: Annotated[
        Path | None,
        typer.Option("--in", help="CSV, one row per call: wait_s and outcome. Default: the call log."),
    ] = None,
    queue: Annotated[str | None, typer.Option(help="Of the call log: waits in this queue.")] = None,
    reason: Annotated[
        str | None, typer.Option(help="Of the call log: contacts whose last reason this is.")
    ] = None,
    begin: Annotated[
        datetime | None,
        typer.Option(
            "--from", help="Waits that began at or after this moment (your zone); default: 90 days."
        ),
    ] = None,
    end: Annotated[datetime | None, typer.Option("--to", help="… and before this one; default: now.")] = None,
    restrict_s: Annotated[
        float | None, typer.Option(help="Count longer patience as this long in the mean.")
    ] = None,
    confidence: Annotated[float, typer.Option(help="Of every band.")] = 0.95,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output.")] = False,
    config: Annotated[Path | None, typer.Option(help="Settings file of the server.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="The server's data directory.")] = None,
) -> None:
    """Say how patient callers are, from calls of which most were answered before their patience ended."""
    from app.planner.patience_file import patience_of, told
    from workforce.patience import estimate_patience

    source: dict[str, Any]
    if file_in is not None:
        if any(given is not None for given in (queue, reason, begin, end, config, data_dir)):
            raise typer.BadParameter(
                "--in takes its calls from the file; --queue, --reason, --from, --to are the log's"
            )
        calls, source = patience_of(file_in), {"file": file_in.name}
    else:
        if queue is None and reason is None:
            raise typer.BadParameter("say --queue or --reason of the call log, or a file by --in")
        until = end.astimezone() if end else datetime.now(UTC).astimezone()
        since = begin.astimezone() if begin else until - timedelta(days=DEFAULT_DAYS)
        if since >= until:
            raise typer.BadParameter("--from must lie before --to")
        calls = _logged(queue, reason, since, until, config, data_dir)
        source = {
            "queue_id": queue,
            "reason_id": reason,
            "from": since.isoformat(timespec="seconds"),
            "to": until.isoformat(timespec="seconds"),
        }
    found = estimate_patience(
        calls.wait_s, calls.abandoned, virtual=calls.virtual, confidence=confidence, restrict_s=restrict_s
    )
    if as_json:
        typer.echo(json.dumps({"source": source, "method": "kaplan-meier", **told(found)}))
        return
    _tell(found)


def _logged(
    queue: str | None,
    reason: str | None,
    since: datetime,
    until: datetime,
    config: Path | None,
    data_dir: Path | None,
) -> CallWaits:
    """Return the waits in the log.

    Raises:
        InputError: nobody waited there in that time.
    """
    from app.db.opened import with_database
    from app.db.session import Database, TenantId
    from app.planner.log_sources import log_waits
    from app.settings import load_settings
    from workforce.errors import InputError

    async def work(database: Database, tenant_id: TenantId) -> CallWaits:
        async with database.snapshot(tenant_id) as connection:
            return await log_waits(connection, tenant_id, queue, since, reason_id=reason, until=until)

    waits = with_database(load_settings(config, data_dir=data_dir), work)
    if not len(waits.wait_s):
        named = " and ".join(
            f"{kind} {which}" for kind, which in (("queue", queue), ("reason", reason)) if which
        )
        raise InputError(
            f"the call log holds no waits for {named} from {since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M}:"
            " look at the spelling, or ask for other days by --from and --to"
        )
    return waits


def _tell(found: Patience) -> None:
    band = f"{found.confidence:.0%} band"
    typer.echo(
        f"{found.wait_count} callers waited, {found.abandoned_count} gave up, {found.excluded_count} left out"
    )
    typer.echo(
        f"mean patience         {found.exponential_mean_s:.0f} s if patience were exponential "
        f"({band} {found.exponential_low_s:.0f} to {found.exponential_high_s:.0f})"
    )
    typer.echo(
        f"                      {found.restricted_mean_s:.0f} s as far as {found.restricted_to_s:.0f} s "
        f"({band} {found.restricted_low_s:.0f} to {found.restricted_high_s:.0f})"
    )
    if math.isfinite(found.median_s):
        typer.echo(f"median patience       {found.median_s:.0f} s")
    typer.echo(METHOD)
    typer.echo("of those who wait, giving up per minute:")
    for stage in found.hazards:
        span = f"{stage.from_s:.0f} to {stage.to_s:.0f} s"
        typer.echo(
            f"  {span:<14} {stage.per_min:6.1%}  ({stage.low:.1%} to {stage.high:.1%}, "
            f"{stage.abandoned_count} callers)"
        )
    if not found.is_exponential:
        typer.echo("patience is not exponential: one mean does not tell all (see the rates above)")
