"""One track of segments: half-open, exclusive, and (the customer's) complete. Pure.

Law: a segment begins where the one before it ended, nothing runs backwards, and a segment without
length is kept only when it alone carries a queue visit's exit or the end of a participation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.live.record_rows import BACK_FILLED, LIVE, SegmentRow
from routing.ids import AgentId, QueueId

SAME_FACT_MS = 100
"""The witness and the live events tell of the same moment when they are no further apart: the PBX reports an
answer and the bridge that follows it one after the other. Only what lies further apart is corrected."""

CUSTOMER = "customer"
WRAP_UP = "wrap_up"
_TOGETHER = ("talk", "hold", "consult", "conference", "re_attach")


@dataclass(slots=True, kw_only=True)
class _Stretch:
    kind: str
    started_ms: int
    ended_ms: int | None = None
    queue_id: QueueId | None = None
    agent_id: AgentId | None = None
    visit: int | None = None
    attempt: int | None = None
    exit_cause: str | None = None
    ended_by: str | None = None
    end_reason: str | None = None
    grade: str = LIVE

    @property
    def is_empty(self) -> bool:
        marked = self.exit_cause is not None or self.ended_by is not None
        return self.ended_ms == self.started_ms and not marked

    def set(self, started_ms: int, ended_ms: int | None) -> None:
        """Take the witness's moments; what was seen otherwise than by a report's delay is graded so."""
        if abs(started_ms - self.started_ms) > SAME_FACT_MS or not _same(self.ended_ms, ended_ms):
            self.grade = BACK_FILLED
        self.started_ms, self.ended_ms = started_ms, ended_ms


class Track:
    """Segments of one track while they are being folded."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._end_ms: int | None = None  # of what was closed last, kept or not
        self._stretches: list[_Stretch] = []
        self.ended_by: str | None = None
        self.end_reason: str | None = None
        self.was_held = False

    @property
    def running(self) -> _Stretch | None:
        """The open segment."""
        last = self._stretches[-1] if self._stretches else None
        return last if last is not None and last.ended_ms is None else None

    @property
    def ended_ms(self) -> int | None:
        """Where the last segment ended; None: it still runs, or there is none."""
        return self._stretches[-1].ended_ms if self._stretches else None

    def move(
        self,
        kind: str,
        at_ms: int,
        *,
        queue_id: QueueId | None = None,
        agent_id: AgentId | None = None,
        visit: int | None = None,
        attempt: int | None = None,
        grade: str = LIVE,
    ) -> None:
        """End the open segment and begin one of *kind*; never before the end of what there is."""
        at_ms = self.close(at_ms)
        self._stretches.append(
            _Stretch(
                kind=kind,
                started_ms=at_ms,
                queue_id=queue_id,
                agent_id=agent_id,
                visit=visit,
                attempt=attempt,
                grade=grade,
            )
        )

    def close(self, at_ms: int) -> int:
        """End the open segment and return where the track ends, at *at_ms* or later."""
        if not self._stretches:
            return at_ms
        last = self._stretches[-1]
        if last.ended_ms is not None:
            return max(at_ms, last.ended_ms)
        last.ended_ms = max(at_ms, last.started_ms)
        self._end_ms = end_ms = last.ended_ms
        if last.is_empty:
            self._stretches.pop()
        return end_ms

    def end(self, at_ms: int, ended_by: str, reason: str, *, was_held: bool = False) -> None:
        """End the agent's participation, and say on its last segment who ended it and how.

        A segment without length (the hold ended with the talk) stays only where nobody talked at all.
        """
        running = self.running
        if running is None or running.kind == WRAP_UP:
            return
        self.ended_by, self.end_reason, self.was_held = ended_by, reason, was_held
        end_ms = self.close(at_ms)
        last = self._stretches[-1] if self._stretches else None
        if last is not running and (last is None or last.kind not in _TOGETHER):
            self._stretches.append(running)
            last = running
        if last.kind != WRAP_UP and last.ended_ms == end_ms:
            last.ended_by, last.end_reason = ended_by, reason

    def mark_exit(self, visit: int, exit_cause: str, at_ms: int, queue_id: QueueId) -> None:
        """Put the exit of a visit on its last segment; a visit without length gets one for it.

        The visit's open segment must be closed already.
        """
        for stretch in reversed(self._stretches):
            if stretch.visit == visit:
                stretch.exit_cause = exit_cause
                return
        self.close(at_ms)
        at_ms = at_ms if self._end_ms is None else self._end_ms
        self._stretches.append(
            _Stretch(
                kind="queued",
                started_ms=at_ms,
                ended_ms=at_ms,
                queue_id=queue_id,
                visit=visit,
                exit_cause=exit_cause,
            )
        )

    def absorb(self, kind: str, after: Iterable[str], at_ms: int, max_ms: int) -> None:
        """Count a running stretch of *kind* to the one of *after* before it, if by *at_ms* it is so short.

        Args:
            max_ms: The longest stretch that counts as none.
        """
        if len(self._stretches) < 2:
            return
        before, last = self._stretches[-2:]
        too_short = last.ended_ms is None and last.kind == kind and at_ms - last.started_ms <= max_ms
        if too_short and before.kind in after and before.ended_ms == last.started_ms:
            self._stretches.pop()
            before.ended_ms = None

    def relabel(self, kind: str) -> None:
        """Say that the open segment was something else than thought."""
        if (running := self.running) is not None:
            running.kind = kind

    def stretch_to(self, started_ms: int, ended_ms: int | None) -> None:
        """Make the track begin and end where the witness says; what lies outside is cut off.

        Args:
            ended_ms: None: the end stays as it is.
        """
        if not self._stretches:
            self._stretches.append(_Stretch(kind="entry", started_ms=started_ms, ended_ms=ended_ms))
        limit_ms = ended_ms
        kept = [
            stretch
            for stretch in self._stretches
            if (stretch.ended_ms is None or stretch.ended_ms > started_ms or stretch.exit_cause is not None)
            and (limit_ms is None or stretch.started_ms < limit_ms or stretch.exit_cause is not None)
        ] or self._stretches[-1:]
        for stretch in kept:
            ended_ms = stretch.ended_ms
            if ended_ms is not None:
                ended_ms = _within(ended_ms, started_ms, limit_ms)
            stretch.set(_within(stretch.started_ms, started_ms, limit_ms), ended_ms)
        kept[0].set(started_ms, kept[0].ended_ms)
        if limit_ms is not None:
            kept[-1].set(kept[-1].started_ms, limit_ms)
        self._stretches = kept
        self._end_ms = kept[-1].ended_ms

    def cut_at(self, ended_ms: int) -> None:
        """End an open talk, hold or ring where the contact ended; wrap-up goes on beyond it."""
        running = self.running
        if running is not None and running.kind != WRAP_UP:
            self.close(ended_ms)

    def move_boundary(self, from_ms: int, to_ms: int) -> None:
        """Let what began at *from_ms* begin at *to_ms*, and what ended there end there; for late news.

        What lay between goes to the one or to the other; a segment that loses all its length goes,
        unless it carries an exit.
        """
        for stretch in self._stretches:
            began_before = stretch.started_ms < from_ms
            touched = stretch.started_ms == from_ms or stretch.ended_ms == from_ms
            if to_ms < from_ms:
                stretch.started_ms = min(stretch.started_ms, to_ms) if began_before else stretch.started_ms
                if began_before and stretch.ended_ms is not None:
                    stretch.ended_ms = min(stretch.ended_ms, to_ms)
                if stretch.started_ms == from_ms:
                    stretch.started_ms = to_ms
            else:
                if not began_before:
                    stretch.started_ms = max(stretch.started_ms, to_ms)
                if stretch.ended_ms is not None and stretch.ended_ms >= from_ms:
                    stretch.ended_ms = max(stretch.ended_ms, to_ms)
            if touched and abs(to_ms - from_ms) > SAME_FACT_MS:
                stretch.grade = BACK_FILLED
        self._stretches = [stretch for stretch in self._stretches if not stretch.is_empty]
        self._end_ms = self._stretches[-1].ended_ms if self._stretches else self._end_ms

    def end_of_talk(self) -> int | None:
        """Return where the last talk or hold ended; None: there is none, or it goes on."""
        ends = [stretch.ended_ms for stretch in self._stretches if stretch.kind != WRAP_UP]
        return ends[-1] if ends else None

    def grade_all(self, grade: str) -> None:
        """Say of every segment how it came to be."""
        for stretch in self._stretches:
            stretch.grade = grade

    def split(self, at_ms: int, kind: str, agent_id: AgentId | None) -> None:
        """From *at_ms* on the track was *kind*; for facts that were seen by the witness alone."""
        before = [stretch for stretch in self._stretches if stretch.started_ms < at_ms]
        end_ms = self._stretches[-1].ended_ms if self._stretches else None
        if end_ms is not None and end_ms <= at_ms:
            return
        if before:
            before[-1].ended_ms = at_ms
        self._stretches = [
            *before,
            _Stretch(kind=kind, started_ms=at_ms, ended_ms=end_ms, agent_id=agent_id, grade=BACK_FILLED),
        ]

    def rows(self) -> Iterable[SegmentRow]:
        """Return the segments, numbered."""
        for ordinal, stretch in enumerate(self._stretches):
            yield SegmentRow(
                track=self.name,
                ordinal=ordinal,
                kind=stretch.kind,
                started_ms=stretch.started_ms,
                ended_ms=stretch.ended_ms,
                queue_id=stretch.queue_id,
                agent_id=stretch.agent_id,
                visit=stretch.visit,
                attempt=stretch.attempt,
                exit_cause=stretch.exit_cause,
                ended_by=stretch.ended_by,
                end_reason=stretch.end_reason,
                grade=stretch.grade,
            )


def total_ms(rows: Iterable[SegmentRow], *kinds: str) -> int:
    """Return the length of the closed segments of these kinds, in milliseconds."""
    return sum(
        row.ended_ms - row.started_ms for row in rows if row.kind in kinds and row.ended_ms is not None
    )


def _same(one_ms: int | None, other_ms: int | None) -> bool:
    if one_ms is None or other_ms is None:
        return one_ms is other_ms
    return abs(one_ms - other_ms) <= SAME_FACT_MS


def _within(value_ms: int, low_ms: int, high_ms: int | None) -> int:
    return max(low_ms, value_ms if high_ms is None else min(value_ms, high_ms))
