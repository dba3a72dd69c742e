"""The record for one command of the command line: opened, used, left."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError

from app.db.errors import DatabaseAwayError, DatabaseError
from app.db.migrate import migrate
from app.db.provider import Provider
from app.db.session import Database, TenantId, tenant
from app.settings import Settings

_T = TypeVar("_T")
_AWAY = (ConnectionError, TimeoutError, socket.gaierror)


def with_database(
    settings: Settings, work: Callable[[Database, TenantId], Awaitable[_T]], *, make: bool = False
) -> _T:
    """Run *work* with the settings' database, starting the embedded one for as long if it does not run.

    Args:
        make: Bring the schema up to date first (for commands that write).

    Raises:
        DatabaseError: it cannot be had or read; the text says what to do.
    """

    async def inside() -> _T:
        url = settings.database_url.get_secret_value() if settings.database_url else None
        provider = Provider(url, settings.data_dir)
        if not make and not provider.is_made:
            raise DatabaseAwayError(
                f"there is no database in {settings.data_dir} yet: start the server once, or name its data"
                " directory with --data-dir"
            )
        database = Database(await provider.start())
        tenant_id = tenant(settings.tenant)
        try:
            if make:
                await migrate(database, tenant_id)
            return await work(database, tenant_id)
        except SQLAlchemyError as error:
            # The first line alone: the rest is the statement and its values, callers' numbers among them.
            said = str(getattr(error, "orig", None) or error).partition("\n")[0]
            raise DatabaseError(f"the database cannot be read: {said}; has the server run once?") from error
        except _AWAY as error:
            said = "no answer in time" if isinstance(error, TimeoutError) else str(error)
            raise DatabaseAwayError(
                f"the database does not answer: {said}; start it, or mend DATABASE_URL"
            ) from error
        finally:
            await database.close()
            await provider.stop()

    return asyncio.run(inside())
