"""The record for one command of the command line: opened, used, left."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError

from app.db.errors import DatabaseError
from app.db.migrate import migrate
from app.db.provider import Provider
from app.db.session import Database, TenantId, tenant
from app.settings import Settings

_T = TypeVar("_T")


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
        database = Database(await provider.start())
        tenant_id = tenant(settings.tenant)
        try:
            if make:
                await migrate(database, tenant_id)
            return await work(database, tenant_id)
        except SQLAlchemyError as error:
            raise DatabaseError(f"the database cannot be read: {error}; has the server run once?") from error
        finally:
            await database.close()
            await provider.stop()

    return asyncio.run(inside())
