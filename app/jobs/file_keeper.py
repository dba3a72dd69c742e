"""Files of customers that imports and exports leave are kept for a time, then removed, come what may."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import structlog

log = structlog.get_logger()

KEPT_FOLDERS: Final = ("imports", "exports")
LOOK_EVERY_S: Final = 3_600.0
_UNFINISHED: Final = (".upload", ".partial")
UNFINISHED_KEPT_S: Final = 86_400.0
"""What a server that stopped left half written is nobody's after a day."""
_DAY_S: Final = 86_400.0


class FileKeeper:
    """Removes the files of a data directory that are older than they may become.

    Args:
        keep_days: How long a finished file is kept after it was last written.
        now_s: Seconds since the epoch.
    """

    def __init__(self, data_dir: Path, keep_days: int, now_s: Callable[[], float] = time.time) -> None:
        self._folders = tuple(data_dir / name for name in KEPT_FOLDERS)
        self._kept_s = keep_days * _DAY_S
        self._now_s = now_s

    async def run(self) -> None:
        """Remove them at once, and every hour. Runs until cancelled."""
        while True:
            removed_count = await asyncio.to_thread(self.remove_old)
            if removed_count:
                log.info("files of imports and exports removed after their time", file_count=removed_count)
            await asyncio.sleep(LOOK_EVERY_S)

    def remove_old(self) -> int:
        """Remove what is too old; return how many files.

        Raises:
            OSError: a file could not be removed; the others were.
        """
        removed_count, failed = 0, None
        for path in self._files():
            try:
                if self._now_s() - path.stat().st_mtime > self._kept_for_s(path):
                    path.unlink(missing_ok=True)
                    removed_count += 1
            except FileNotFoundError:
                pass  # its job has removed it meanwhile
            except OSError as error:
                failed = error
        if failed is not None:
            raise failed
        return removed_count

    def _files(self) -> Iterable[Path]:
        return [
            path for folder in self._folders if folder.is_dir() for path in folder.iterdir() if path.is_file()
        ]

    def _kept_for_s(self, path: Path) -> float:
        return min(self._kept_s, UNFINISHED_KEPT_S) if path.suffix in _UNFINISHED else self._kept_s
