"""Bring the schema up to date at start: one process at a time, all or nothing, never down."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection, func, select, table, text
from sqlalchemy.exc import DBAPIError

from app.db.errors import MigrationError
from app.db.session import Database, TenantId
from app.db.tables import LOG_TABLES
from app.figures.views import renew_views

_LOCK_KEY = 0x686F6C64  # "hold"
_HERE = Path(__file__).resolve().parent


def migrations_directory() -> Path:
    """Return where the migrations lie: inside an installed package, else beside it in a checkout.

    Raises:
        MigrationError: in neither place.
    """
    for place in (_HERE / "migrations", _HERE.parents[1] / "migrations"):
        if (place / "env.py").is_file():
            return place
    raise MigrationError("the migrations are missing from this installation: install it again")


async def migrate(database: Database, tenant_id: TenantId | None = None) -> None:
    """Run what migrations are due, make the coming days' partitions, and the tenant if given.

    Raises:
        PostgresVersionError: the server is older than 15.
        MigrationError: with what to do.
    """
    await database.check_version()
    try:
        async with database.owner_transaction() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
            await connection.run_sync(_upgrade)
            await renew_views(connection)
            await connection.execute(text("SELECT ensure_log_partitions_ahead()"))
            if tenant_id is not None:
                await connection.execute(
                    text("INSERT INTO tenant (tenant_id) VALUES (:tenant) ON CONFLICT DO NOTHING"),
                    {"tenant": tenant_id},
                )
    except CommandError as error:
        raise MigrationError(
            f"{error}: the database was made by a newer version; use that version, or another database"
        ) from error
    except DBAPIError as error:
        raise MigrationError(
            f"the schema could not be brought up to date: {error.orig}. The login needs to own the schema "
            "and to be allowed to make the role holdless_app, or to be a member of it"
        ) from error


async def misplaced_count(database: Database) -> int:
    """Return how many rows of the log lie in a DEFAULT partition, because their day had none: an alarm."""
    async with database.owner_transaction() as connection:
        counts = [
            await connection.scalar(select(func.count()).select_from(table(f"{each.name}_default")))
            for each in LOG_TABLES
        ]
    return sum(count or 0 for count in counts)


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations_directory()).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
