"""The life of a job: queued → running → done, failed or cancelled. Pure.

A job that is queued has no worker yet and can be cancelled at once; a running one notices at its next
report, between two batches, so that what it did is whole.
"""

from __future__ import annotations

import re
from typing import Final, Literal

JobState = Literal["queued", "running", "done", "failed", "cancelled"]

ENDED: Final[frozenset[JobState]] = frozenset({"done", "failed", "cancelled"})
JOBS_AT_ONCE_MAX: Final = 2
"""Workers beside one server; its own loop and the machine's calls come first."""
REPORT_EVERY_S: Final = 0.5
_KIND = re.compile(r"[a-z][a-z0-9_]{0,63}")


class JobFailed(Exception):
    """The work cannot be done, for a reason that its owner can read.

    Args:
        error_id: Stable word for the page's catalogue.
        params: What the sentence needs, JSON-able.
    """

    def __init__(self, error_id: str, **params: object) -> None:
        super().__init__(error_id)
        self.error_id, self.params = error_id, params


class JobCancelled(Exception):
    """Somebody wants this job to end; raised by a report.

    Args:
        result: What was done until then, for the job's row.
    """

    def __init__(self, result: dict[str, object] | None = None) -> None:
        super().__init__("cancelled")
        self.result = result or {}


def job_kind(name: str) -> str:
    """Return *name* as a kind of job.

    Raises:
        ValueError: it is no small letter followed by at most 63 of a-z, 0-9 and _.
    """
    if not _KIND.fullmatch(name):
        raise ValueError(f"{name!r} is no kind of job")
    return name


def progress(state: JobState, done_count: int, total_count: int | None) -> float | None:
    """Return how far a job is, in [0, 1]; None while its size is not known.

    >>> progress("running", 25, 100), progress("queued", 0, None), progress("done", 3, None)
    (0.25, None, 1.0)
    """
    if state == "done":
        return 1.0
    if not total_count:
        return None
    return min(1.0, done_count / total_count)
