"""``holdless centre``: the centre as one reviewable TOML file."""

from __future__ import annotations

import getpass
import json
from pathlib import Path
from typing import Annotated

import typer

from app.centre.document import Centre
from app.centre.exchange import CentreError, diff, from_toml, to_toml
from app.centre.rows import current_version, load_centre, save_centre
from app.centre.rules import problems
from app.db.opened import with_database
from app.db.session import Database, TenantId
from app.settings import SettingsError, load_settings

centre_cli = typer.Typer(
    no_args_is_help=True, help="Read and change queues, agents, skills and entry points."
)

ConfigOption = Annotated[Path | None, typer.Option("--config", help="Settings file of the server.")]
DataDirOption = Annotated[Path | None, typer.Option("--data-dir", help="The server's data directory.")]
FileArgument = Annotated[Path, typer.Argument(help="A file as `holdless centre export` writes it.")]


@centre_cli.command("export")
def export_centre(config: ConfigOption = None, data_dir: DataDirOption = None) -> None:
    """Write the centre to standard output, always in the same order."""

    async def work(database: Database, tenant_id: TenantId) -> Centre:
        async with database.transaction(tenant_id) as connection:
            return await load_centre(connection, tenant_id)

    typer.echo(to_toml(with_database(load_settings(config, data_dir=data_dir), work, make=True)), nl=False)


@centre_cli.command("check")
def check_centre(file: FileArgument) -> None:
    """Say what is wrong with a file, field by field; changes nothing."""
    centre = _read(file)
    typer.echo(f"{file} is in order: {len(centre.queue)} queues, {len(centre.agent)} agents")


@centre_cli.command("import")
def import_centre(
    file: FileArgument,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Make the centre what the file says; a running server follows within two seconds."""
    wanted = _read(file)

    async def work(database: Database, tenant_id: TenantId) -> tuple[int, Centre]:
        async with database.transaction(tenant_id) as connection:
            before = await load_centre(connection, tenant_id)
            version = await current_version(connection, tenant_id)
            if not dry_run and diff(before, wanted):
                version = await save_centre(
                    connection, tenant_id, wanted, made_by=getpass.getuser(), note=f"import of {file.name}"
                )
        return version, before

    try:
        version, before = with_database(load_settings(config, data_dir=data_dir), work, make=True)
    except CentreError as error:
        raise SettingsError(_told(file, error)) from None
    changes = diff(before, wanted)
    for change in changes:
        typer.echo(f"{change.field}: {_short(change.before)} -> {_short(change.after)}")
    kept = "would become" if dry_run else "is"
    typer.echo(f"{len(changes)} changes; the centre {kept} version {version + (dry_run and bool(changes))}")


def _read(file: Path) -> Centre:
    try:
        centre = from_toml(file.read_text(encoding="utf-8"))
        if found := problems(centre):
            raise CentreError(found)
    except CentreError as error:
        raise SettingsError(_told(file, error)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} cannot be read: {error}") from None
    return centre


def _told(file: Path, error: CentreError) -> str:
    return "\n".join(
        [f"{file} is not in order:", *(f"  {each.field}: {each.detail}" for each in error.problems)]
    )


def _short(value: object) -> str:
    return "(none)" if value is None else json.dumps(value, ensure_ascii=False)
