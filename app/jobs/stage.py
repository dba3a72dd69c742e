"""A stage of a job that computes for long: beside the loop, saying how far it is, ending when it shall."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import TypeVar

from app.jobs.rules import REPORT_EVERY_S
from app.jobs.work import Work

Result = TypeVar("Result")


class StageEnded(Exception):
    """Raised in the thread of a stage whose job was cancelled."""


class Stage:
    """How far a stage is, between the thread that computes and the loop that reports.

    Args:
        begin, end: The part of the whole job, in per cent, that this stage is.
    """

    def __init__(self, begin: int, end: int) -> None:
        self._begin, self._end = begin, end
        self._share = 0.0
        self._ended = threading.Event()

    @property
    def per_cent(self) -> int:
        """How far the whole job is."""
        return self._begin + round(self._share * (self._end - self._begin))

    def tell(self, done: int, total: int) -> None:
        """Say how far it is; call it from the thread as often as it can stop.

        Raises:
            StageEnded: somebody wants the job to end.
        """
        self._share = done / max(total, 1)
        if self._ended.is_set():
            raise StageEnded

    def end(self) -> None:
        """Let the thread end when it next tells."""
        self._ended.set()


async def in_thread(work: Work, stage: Stage, function: Callable[[], Result]) -> Result:
    """Run *function* in a thread, report meanwhile, and return what it returns.

    Raises:
        JobCancelled: somebody wants the job to end; the thread has ended by then.
    """
    return await watched(work, stage, asyncio.to_thread(function))


async def watched(work: Work, stage: Stage, doing: Awaitable[Result]) -> Result:
    """Wait for *doing*, report meanwhile, and return what comes of it.

    Raises:
        JobCancelled: somebody wants the job to end; what was being done has ended by then.
    """
    task = asyncio.ensure_future(doing)
    try:
        while not (await asyncio.wait({task}, timeout=REPORT_EVERY_S))[0]:
            await work.report(stage.per_cent, 100, at_once=True)
    except BaseException:  # also a report that fails: nothing goes on computing for a job that has ended
        stage.end()
        await asyncio.gather(task, return_exceptions=True)
        raise
    await work.report(stage.per_cent, 100)
    return task.result()
