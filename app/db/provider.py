"""Where the record lives: the server of ``DATABASE_URL``, else an embedded one in the data directory."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy.engine import URL, make_url

from app.db.embedded import DATABASE, USER, EmbeddedPostgres


class Provider:
    """The database server, ours or somebody's.

    Args:
        database_url: A PostgreSQL URL; None or empty: embedded.
        data_dir: Holds the embedded server's directory ``postgres``.
    """

    def __init__(self, database_url: str | None, data_dir: Path) -> None:
        self._external = external_url(database_url) if database_url else None
        self._embedded = None if self._external else EmbeddedPostgres(data_dir / "postgres")

    @property
    def is_embedded(self) -> bool:
        """Whether the server is ours."""
        return self._embedded is not None

    async def start(self) -> str:
        """Return the SQLAlchemy URL of a database that can be connected to.

        Raises:
            DatabaseError: the embedded server cannot be had; the message names the remedy.
        """
        if self._embedded is None:
            assert self._external is not None
            return self._external.render_as_string(hide_password=False)
        await asyncio.to_thread(self._embedded.start)
        await make_database(self._embedded, DATABASE)
        return self._embedded.url()

    async def stop(self) -> None:
        """Leave the server; an embedded one stops when nobody else uses it."""
        if self._embedded is not None:
            await asyncio.to_thread(self._embedded.stop)


def external_url(text: str) -> URL:
    """Return the URL in the form that the driver takes (``postgres://…?sslmode=require`` is welcome).

    >>> external_url("postgres://u:p@db/holdless?sslmode=require").render_as_string(hide_password=False)
    'postgresql+asyncpg://u:p@db/holdless?ssl=require'
    """
    url = make_url(text)
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise ValueError(f"DATABASE_URL names {url.get_backend_name()!r}: only PostgreSQL is supported")
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
