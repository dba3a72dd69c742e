"""A signal that the engine could not digest, kept as a file that reproduces the fault.

The file is JSON lines: first a header with the place, the traceback and the snapshot to begin from,
then the signals since that snapshot, last the one that failed.
"""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from pathlib import Path

import orjson
import structlog

from app.live.rows import dump
from routing import replay
from routing.signals import Signal

FILES_MAX = 20

log = structlog.get_logger()


def where(error: BaseException) -> str:
    """Return kind and place of a fault for the log, without its text, which may name a caller."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""


def keep_poison(
    directory: Path,
    place: tuple[int, int],
    snapshot: bytes | None,
    signals: Sequence[bytes],
    poison: Signal,
    error: BaseException,
) -> Path | None:
    """Write the file and return its path; None when it could not be written or 20 are there already.

    Blocks for the disk: call it on a worker thread.
    """
    epoch, seq = place
    path = directory / f"{epoch}-{seq + 1}-{type(poison).__name__}.jsonl"
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)  # callers' names stand in the files
        if sum(1 for _ in directory.glob("*.jsonl")) >= FILES_MAX:
            log.error("no more failed signals are kept; move the earlier ones away", directory=str(directory))
            return None
        with path.open("wb") as file:
            header = {
                "after": place,
                "error": "".join(traceback.format_exception(error)),
                "snapshot": None if snapshot is None else orjson.Fragment(snapshot),
            }
            file.write(dump(header) + b"\n")
            for signal in (*signals, dump(replay.encode(poison))):
                file.write(signal + b"\n")
    except (OSError, TypeError, ValueError) as failure:
        log.error("a failed signal could not be kept", path=str(path), error=str(failure))
        return None
    return path
