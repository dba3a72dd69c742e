"""The tenant's session: every query of the app runs as an ordinary role, for one tenant.

The login may be the owner of the tables or a superuser; a transaction drops to the role ``holdless_app``
and names its tenant, and row-level security then hides every other tenant's rows, whatever the SQL says.
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NewType

from sqlalchemy import event, text
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.db.errors import PostgresVersionError
from app.db.programs import MAJOR_MIN

TenantId = NewType("TenantId", str)
DEFAULT_TENANT = TenantId("main")
APP_ROLE = "holdless_app"
POOL_CONNECTIONS_MAX = 20
_POOL_KEPT = 10  # as many as a burst of look-ups takes: opening one for a single look-up costs several calls
_POOL_TIMEOUT_S = 5.0
_CONNECT_TIMEOUT_S = 5.0
_TRUSTED_S = 5.0  # a connection used this recently is not asked whether it still stands
_TENANT = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_ENTER = text("SELECT set_config('role', :role, true), set_config('holdless.tenant', :tenant, true)")


def tenant(name: str) -> TenantId:
    """Return *name* as a tenant's id.

    Raises:
        ValueError: it is not a small letter followed by at most 62 of a-z, 0-9, _ and -.
    """
    if not _TENANT.fullmatch(name):
        raise ValueError(f"{name!r} is not a tenant's id")
    return TenantId(name)


class Database:
    """A bounded pool of connections to one database.

    Args:
        url: As ``app.db.provider`` gives it.
        connections_max: At most so many at once; who asks beyond waits up to five seconds.
    """

    def __init__(self, url: str, *, connections_max: int = POOL_CONNECTIONS_MAX) -> None:
        self.engine = create_async_engine(
            url,
            pool_size=min(_POOL_KEPT, connections_max),
            max_overflow=max(0, connections_max - _POOL_KEPT),
            pool_timeout=_POOL_TIMEOUT_S,
            connect_args={"timeout": _CONNECT_TIMEOUT_S},
            hide_parameters=True,  # errors are logged, and values are callers' names and numbers
        )
        _replace_dead_connections(self.engine)

    @asynccontextmanager
    async def transaction(self, tenant_id: TenantId) -> AsyncIterator[AsyncConnection]:
        """One transaction of one tenant; committed at the end, rolled back on an error."""
        async with self.engine.begin() as connection:
            await connection.execute(_ENTER, {"role": APP_ROLE, "tenant": tenant_id})
            yield connection

    @asynccontextmanager
    async def snapshot(self, tenant_id: TenantId, *, writes: bool = False) -> AsyncIterator[AsyncConnection]:
        """One tenant's data at one moment, to read only: several queries that must agree with each other.

        In an ordinary transaction each query sees what was committed before it, so that the rows of a call
        that is being written would come from different moments.

        Args:
            writes: It may write what follows from what it reads; committed at the end, and refused with a
                serialization failure where somebody else changed the same rows meanwhile.
        """
        async with self.engine.connect() as connection:
            await connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=not writes
            )
            async with connection.begin():
                await connection.execute(_ENTER, {"role": APP_ROLE, "tenant": tenant_id})
                yield connection

    @asynccontextmanager
    async def owner_transaction(self) -> AsyncIterator[AsyncConnection]:
        """One transaction as the login itself: migrations, tenants, partitions. Never for requests."""
        async with self.engine.begin() as connection:
            yield connection

    async def check_version(self) -> int:
        """Return the server's major version.

        Raises:
            PostgresVersionError: it is older than 15.
        """
        async with self.engine.connect() as connection:
            number = int((await connection.execute(text("SHOW server_version_num"))).scalar_one())
        if number // 10_000 < MAJOR_MIN:
            raise PostgresVersionError(
                f"the server of DATABASE_URL is PostgreSQL {number // 10_000}: {MAJOR_MIN} or later is needed"
            )
        return number // 10_000

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


async def driver(connection: AsyncConnection) -> Any:
    """Return asyncpg's own connection inside *connection*'s transaction, for bulk statements."""
    raw = await connection.get_raw_connection()
    return raw.driver_connection


def _replace_dead_connections(engine: AsyncEngine) -> None:
    """Hand out no connection that is closed, nor one that was idle for long and does not answer.

    The engine's own ``pool_pre_ping`` asks before every transaction, in three more round trips.
    """
    pool, driver_module = engine.sync_engine.pool, engine.dialect.loaded_dbapi

    @event.listens_for(pool, "checkin")
    def note(_connection: Any, record: Any) -> None:
        record.info["idle_since_s"] = time.monotonic()

    @event.listens_for(pool, "checkout")
    def look(connection: Any, record: Any, _proxy: Any) -> None:
        if connection.driver_connection.is_closed():
            raise InvalidatePoolError
        if time.monotonic() - record.info.get("idle_since_s", time.monotonic()) < _TRUSTED_S:
            return
        try:
            connection.ping()
        except driver_module.Error as error:
            raise InvalidatePoolError from error
