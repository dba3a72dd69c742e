"""Where the record lives: the server of ``DATABASE_URL``, else an embedded one in the data directory."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from app.db.embedded import DATABASE, USER, EmbeddedPostgres
from app.db.errors import DatabaseUrlError, PostgresStartError


class Provider:
    """The database server, ours or somebody's.

    Args:
        database_url: A PostgreSQL URL; None or empty: embedded.
        data_dir: Holds the embedded server's directory ``postgres``.

    Raises:
        DatabaseUrlError: the URL is none, or names another kind of database.
    """

    def __init__(self, database_url: str | None, data_dir: Path) -> None:
        self._external = external_url(database_url) if database_url else None
        self._embedded = None if self._external else EmbeddedPostgres(data_dir / "postgres")

    @property
    def is_embedded(self) -> bool:
        """Whether the server is ours."""
        return self._embedded is not None

    @property
    def is_made(self) -> bool:
        """Whether there is a database to look for: an embedded one comes with the first start."""
        return self._embedded is None or (self._embedded.data / "PG_VERSION").exists()

    async def start(self) -> str:
        """Return the SQLAlchemy URL of a database that can be connected to.

        Raises:
            DatabaseError: the embedded server cannot be had; the message names the remedy.
        """
        if self._embedded is None:
            assert self._external is not None
            return self._external.render_as_string(hide_password=False)
        try:
            await self._start(self._embedded)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise PostgresStartError(
                f"PostgreSQL cannot be had in {self._embedded.directory}: {error}. Check that the directory "
                "belongs to this user and the disk has room, or choose another data directory"
            ) from error
        return self._embedded.url()

    async def _start(self, embedded: EmbeddedPostgres) -> None:
        try:
            await asyncio.to_thread(embedded.start)
            await make_database(embedded, DATABASE)
        except BaseException:  # Ctrl-C too: the server is a process of its own and would stay
            await self.stop()
            raise

    async def revive(self) -> bool:
        """Start an embedded server again that has died (killed, out of memory); return whether it had.

        Raises:
            DatabaseError: it cannot be started; the message names the remedy.
        """
        return self._embedded is not None and await asyncio.to_thread(self._embedded.revive)

    async def stop(self) -> None:
        """Leave the server; an embedded one stops when nobody else uses it."""
        if self._embedded is not None:
            await asyncio.to_thread(self._embedded.stop)


def external_url(text: str) -> URL:
    """Return the URL in the form that the driver takes (``postgres://…?sslmode=require`` is welcome).

    Raises:
        DatabaseUrlError: it is none, or names another kind of database.

    >>> external_url("postgres://u:p@db/holdless?sslmode=require").render_as_string(hide_password=False)
    'postgresql+asyncpg://u:p@db/holdless?ssl=require'
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):  # their text may repeat the password
        raise DatabaseUrlError(
            "DATABASE_URL is no URL: write postgresql://USER:PASSWORD@HOST/DATABASE"
        ) from None
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise DatabaseUrlError(f"DATABASE_URL names {url.get_backend_name()!r}: only PostgreSQL is supported")
    query = {("ssl" if key == "sslmode" else key): value for key, value in url.query.items()}
    return url.set(drivername="postgresql+asyncpg", query=query)


async def make_database(server: EmbeddedPostgres, name: str, *, template: str = "template1") -> None:
    """Make a database on the embedded server unless it is there."""
    connection = await asyncpg.connect(host=str(server.socket_directory), user=USER, database="postgres")
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    finally:
        await connection.close()
