"""One heap for every deadline. Law: the dictionary is the truth, the heap only finds it fast.

A deadline is moved or cancelled in the dictionary alone; the stale heap entry is dropped when it
comes up. Entries are totally ordered by (due, kind, owner), so equal times need no luck.
"""

from __future__ import annotations

from enum import StrEnum
from heapq import heapify, heappop, heappush

_STALE_MIN = 64  # below this many stale entries a rebuild is not worth it


class Timer(StrEnum):
    """What falls due. The first three belong to an agent, the rest to an interaction."""

    WRAP_UP = "wrap_up"
    DEVICE_STABLE = "device_stable"
    BUSY_RETRY = "busy_retry"
    OFFER = "offer"
    QUEUE_TIMEOUT = "queue_timeout"
    PREFER_HOLD = "prefer_hold"
    PARK = "park"
    GRACE = "grace"
    REATTACH = "reattach"
    REATTACH_AGAIN = "reattach_again"
    CONSULT = "consult"
    OVERFLOW = "overflow"


PBX_TIMERS = frozenset(
    {
        Timer.OFFER,
        Timer.QUEUE_TIMEOUT,
        Timer.PREFER_HOLD,
        Timer.PARK,
        Timer.GRACE,
        Timer.REATTACH,
        Timer.REATTACH_AGAIN,
        Timer.CONSULT,
        Timer.OVERFLOW,
    }
)


class Timers:
    """Absolute deadlines, at most one per kind and owner.

    >>> timers = Timers()
    >>> timers.arm(Timer.WRAP_UP, "a1001", 5_000)
    >>> timers.arm(Timer.WRAP_UP, "a1001", 7_000)
    >>> timers.next_ms()
    7000
    >>> timers.pop_due(7_000)
    (7000, <Timer.WRAP_UP: 'wrap_up'>, 'a1001')
    """

    __slots__ = ("_due", "_heap")

    def __init__(self) -> None:
        self._due: dict[tuple[Timer, str], int] = {}
        self._heap: list[tuple[int, Timer, str]] = []

    def arm(self, kind: Timer, owner: str, due_ms: int) -> None:
        """Set or move the owner's deadline of this kind."""
        self._due[kind, owner] = due_ms
        heappush(self._heap, (due_ms, kind, owner))
        if len(self._heap) > 2 * len(self._due) + _STALE_MIN:
            self._heap = [(due, k, o) for (k, o), due in self._due.items()]
            heapify(self._heap)

    def cancel(self, kind: Timer, owner: str) -> None:
        """Forget the deadline; nothing happens when there is none."""
        self._due.pop((kind, owner), None)

    def next_ms(self) -> int | None:
        """Return the earliest deadline, None when there is none."""
        self._drop_stale()
        return self._heap[0][0] if self._heap else None

    def pop_due(self, at_ms: int) -> tuple[int, Timer, str] | None:
        """Remove and return the earliest deadline due at *at_ms* or before."""
        heap = self._heap
        if not heap or heap[0][0] > at_ms:  # even a stale entry bounds the rest
            return None
        self._drop_stale()
        if not heap or heap[0][0] > at_ms:
            return None
        found = heappop(heap)
        del self._due[found[1], found[2]]
        return found

    def as_rows(self) -> list[list[str | int]]:
        """Return every deadline as ``[kind, owner, due_ms]``, in a stable order."""
        return [[str(kind), owner, due] for (kind, owner), due in sorted(self._due.items())]

    def _drop_stale(self) -> None:
        heap, due = self._heap, self._due
        while heap and due.get((heap[0][1], heap[0][2])) != heap[0][0]:
            heappop(heap)
