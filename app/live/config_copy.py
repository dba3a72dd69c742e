"""The last configuration on disk: what the server starts with when PostgreSQL is away.

One JSON file, replaced atomically; its first line is the checksum of the second, so that a torn or
edited file is refused instead of half believed.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import orjson
import structlog

from app.live.errors import NoConfiguration
from app.live.rows import dump
from routing import replay
from routing.config import CentreConfig
from routing.signals import ConfigChanged

FETCH_TIMEOUT_S = 5.0

log = structlog.get_logger()

Fetch = Callable[[], Awaitable[tuple[int, CentreConfig]]]


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A configuration and where it came from: ``database`` or ``copy``."""

    version: int
    config: CentreConfig
    source: str

    def as_signal(self) -> ConfigChanged:
        """Return the signal that puts it in force."""
        return ConfigChanged(version=self.version, config=self.config)


class ConfigCopy:
    """The file in the data directory."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def save(self, version: int, config: CentreConfig) -> None:
        """Replace the copy. Blocks for the disk: call it on a worker thread.

        Raises:
            OSError: it could not be written; the old copy stands.
        """
        body = dump(replay.encode(ConfigChanged(version=version, config=config)))
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_name(self._path.name + ".new")
        with beside.open("wb") as file:
            file.write(hashlib.sha256(body).hexdigest().encode() + b"\n" + body + b"\n")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)

    def load(self) -> LoadedConfig | None:
        """Return the copy, or None when there is none or it is damaged (which is logged)."""
        try:
            digest, _, body = self._path.read_bytes().partition(b"\n")
        except FileNotFoundError:
            return None
        except OSError as error:
            log.error("the copy of the configuration cannot be read", path=str(self._path), error=str(error))
            return None
        body = body.rstrip(b"\n")
        if hashlib.sha256(body).hexdigest().encode() != digest:
            log.error("the copy of the configuration is damaged and not used", path=str(self._path))
            return None
        signal = replay.decode(orjson.loads(body))
        assert isinstance(signal, ConfigChanged)
        return LoadedConfig(signal.version, signal.config, "copy")


async def load_config(
    fetch: Fetch,
    copy: ConfigCopy,
    away: tuple[type[Exception], ...] = (OSError,),
    timeout_s: float = FETCH_TIMEOUT_S,
) -> LoadedConfig:
    """Return the database's configuration (and renew the copy), else the last copy.

    Args:
        fetch: Reads version and configuration from the database.
        away: What *fetch* raises when the database is away; a timeout counts as away in any case.

    Raises:
        NoConfiguration: neither could be had.
    """
    away = (TimeoutError, *away)
    try:
        version, config = await asyncio.wait_for(fetch(), timeout_s)
    except away as error:
        loaded = await asyncio.to_thread(copy.load)
        if loaded is None:
            raise NoConfiguration(
                "the database is away and there is no copy of the configuration; start the database once"
            ) from error
        log.warning("the database is away; the last configuration copy is used", version=loaded.version)
        return loaded
    try:
        await asyncio.to_thread(copy.save, version, config)
    except OSError as error:
        log.error("the copy of the configuration could not be written", error=str(error))
    return LoadedConfig(version, config, "database")
