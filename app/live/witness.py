"""The witness at work: reads Asterisk's channel event log behind the calls, and corrects what the log lacks.

A call that ended at the PBX a while ago and is missing from the log, still open there, or told with other
moments (its answer or its end was noticed late, because the PBX could not be heard) is told to the
engine as ``CallFactCorrected``; from there it takes the way of every other fact. The place in the file
is kept in the database, never beyond the beginning of a call that still goes on, so that a restart reads
such a call from its first line.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.db.session import Database, TenantId
from app.live.record_track import SAME_FACT_MS
from routing.ids import AgentId, InteractionId, day_of
from routing.signals import CallFactCorrected, Signal
from telephony.cel import CelCall, CelFold, CelOffset, CelReader, cel_file

log = structlog.get_logger()

EVERY_S: Final = 2.0
GRACE_MS: Final = 8_000  # from the end of a call to its row in the database, at the worst of normal times
UNCHECKED_MAX: Final = 100_000
_BATCH: Final = 500
_RETRY_S: Final = 10.0

_ROWS = text(
    "SELECT interaction_id, (extract(epoch FROM answered_at) * 1000)::bigint AS answered_ms,"
    " (extract(epoch FROM ended_at) * 1000)::bigint AS ended_ms FROM interaction"
    " WHERE tenant_id = :tenant AND day = ANY(:days) AND interaction_id = ANY(:ids)"
)
_WITNESSED = text(
    "UPDATE log_gap SET witnessed_at = now() WHERE tenant_id = :tenant AND witnessed_at IS NULL"
    " AND ended_at <= timestamptz 'epoch' + CAST(:before_ms AS bigint) * interval '1 millisecond'"
)
_LOAD = text(
    "SELECT file_mark, offset_bytes FROM cel_offset"
    " WHERE tenant_id = :tenant AND pbx_id = :pbx AND path = :path"
)
_SAVE = text(
    "INSERT INTO cel_offset (tenant_id, pbx_id, path, file_mark, offset_bytes)"
    " VALUES (:tenant, :pbx, :path, :mark, :bytes) ON CONFLICT (tenant_id, pbx_id, path)"
    " DO UPDATE SET file_mark = excluded.file_mark, offset_bytes = excluded.offset_bytes, moved_at = now()"
)


@dataclass(slots=True)
class WitnessReport:
    """What the witness has seen.

    Attributes:
        checked_count: Ended calls compared with the log.
        corrected_count: Of these, told to the engine because the log lacked them or had them open.
        problem: Why it cannot work now; empty when it does.
    """

    checked_count: int = 0
    corrected_count: int = 0
    problem: str = ""


class Witness:
    """Follows one PBX's channel event log.

    Args:
        path: Directory or file of the log; None: there is none, and nothing is checked.
        put: Takes the corrections (``Inbox.put``).
        agent_of_device: Whose phone a device is; None: nobody's.
        is_behind: Whether the record still has steps to take over: what is missing may yet come.
        now_ms: The live clock.
        in_our_time: Turns the PBX's milliseconds into ours (``PbxOffset.correct``).
    """

    def __init__(
        self,
        path: Path | None,
        database: Database,
        tenant_id: TenantId,
        *,
        pbx_id: str,
        put: Callable[[Signal], object],
        agent_of_device: Callable[[str], AgentId | None],
        is_behind: Callable[[], bool],
        now_ms: Callable[[], int],
        in_our_time: Callable[[int], int] = lambda pbx_ms: pbx_ms,
    ) -> None:
        self._path = None if path is None else cel_file(path)
        self._database, self._tenant_id, self._pbx_id = database, tenant_id, pbx_id
        self._put, self._agent_of_device = put, agent_of_device
        self._is_behind, self._now_ms, self._in_our_time = is_behind, now_ms, in_our_time
        self._fold = CelFold()
        self._offset = CelOffset()
        self._begun_at: OrderedDict[str, CelOffset] = OrderedDict()  # open calls: where their reading began
        self._unchecked: OrderedDict[str, CelCall] = OrderedDict()
        self.report = WitnessReport()

    async def run(self) -> None:
        """Read and compare for ever."""
        if self._path is None:
            self.report.problem = "no channel event log is configured (cel_path)"
            await asyncio.Event().wait()
            return
        loaded = False
        while True:
            try:
                if not loaded:
                    await self._load(self._path)
                    loaded = True
                await self._round(self._path)
                self.report.problem = ""
            except (OSError, SQLAlchemyError) as error:
                if not self.report.problem:
                    log.warning("the channel event log cannot be followed", error=type(error).__name__)
                self.report.problem = f"{type(error).__name__}: {error}"[:300]
                await asyncio.sleep(_RETRY_S)
            await asyncio.sleep(EVERY_S)

    async def _round(self, path: Path) -> None:
        reader = CelReader(path)
        while True:
            began = time.monotonic()
            events, behind = await asyncio.to_thread(reader.read, self._offset)
            if not events and behind == self._offset:
                break
            self._fold.add(events)
            for uniqueid in self._fold.calls:
                self._begun_at.setdefault(uniqueid, self._offset)
            self._offset = behind
            for call in self._fold.forget_ended():
                self._begun_at.pop(call.uniqueid, None)
                if _can_be_logged(call):
                    self._unchecked[call.uniqueid] = moved(call, self._in_our_time)
            while len(self._unchecked) > UNCHECKED_MAX:
                self._unchecked.popitem(last=False)
            await asyncio.sleep(min(0.05, time.monotonic() - began))  # a long file leaves the loop its turns
        if (witnessed_ms := await self._check()) is not None and self._offset.inode:
            await self._note_witnessed(witnessed_ms)
        await self._save(path)

    async def _check(self) -> int | None:
        """Compare; return up to when every ended call was compared, None: not now."""
        if self._is_behind():
            return None
        before_ms = self._now_ms() - GRACE_MS
        due = [call for call in self._unchecked.values() if (call.ended_ms or 0) <= before_ms]
        for start in range(0, len(due), _BATCH):
            some = due[start : start + _BATCH]
            logged = await self._logged(some)
            for call in some:
                if not _agree(call, *logged.get(call.uniqueid, (None, None))):
                    self._correct(call)
                self.report.checked_count += 1
                del self._unchecked[call.uniqueid]
        return before_ms

    async def _note_witnessed(self, before_ms: int) -> None:
        """Gaps that were over by then lack no call any more that the PBX has written down."""
        async with self._database.transaction(self._tenant_id) as connection:
            await connection.execute(_WITNESSED, {"tenant": self._tenant_id, "before_ms": before_ms})

    async def _logged(self, calls: Sequence[CelCall]) -> dict[str, tuple[int | None, int | None]]:
        """Return when each call was answered and when it ended, as the log has it."""
        ids = [call.uniqueid for call in calls]
        days = sorted({day_of(InteractionId(uniqueid)) for uniqueid in ids})
        async with self._database.transaction(self._tenant_id) as connection:
            rows = await connection.execute(_ROWS, {"tenant": self._tenant_id, "days": days, "ids": ids})
            return {row.interaction_id: (row.answered_ms, row.ended_ms) for row in rows}

    def _correct(self, call: CelCall) -> None:
        self.report.corrected_count += 1
        log.info("the log lacked a fact that the PBX had; it is corrected", interaction_id=call.uniqueid)
        talk = call.talks[0] if call.talks else None
        self._put(
            CallFactCorrected(
                interaction_id=InteractionId(call.uniqueid),
                started_ms=call.started_ms,
                ended_ms=call.ended_ms,
                answered_ms=call.answered_ms,
                agent_id=self._agent_of_device(talk.device) if talk else None,
                entry_point=call.entry_point,
                caller_number=call.caller_number,
            )
        )

    # ------------------------------------------------------------ the place in the file

    async def _load(self, path: Path) -> None:
        key = {"tenant": self._tenant_id, "pbx": self._pbx_id, "path": str(path)}
        async with self._database.transaction(self._tenant_id) as connection:
            row = (await connection.execute(_LOAD, key)).one_or_none()
        if row is not None:
            inode, _, fingerprint = row.file_mark.partition(":")
            self._offset = CelOffset(int(inode), row.offset_bytes, int(fingerprint or 0))

    async def _save(self, path: Path) -> None:
        """Remember the earliest place that is still needed: unchecked and open calls are read again."""
        if self._unchecked:
            return
        place = next(iter(self._begun_at.values()), self._offset)
        key = {"tenant": self._tenant_id, "pbx": self._pbx_id, "path": str(path)}
        values = {"mark": f"{place.inode}:{place.fingerprint}", "bytes": place.position}
        async with self._database.transaction(self._tenant_id) as connection:
            await connection.execute(_SAVE, key | values)


def moved(call: CelCall, in_our_time: Callable[[int], int]) -> CelCall:
    """Return the call with its moments in our time; the log has ours, and the two clocks may differ."""

    def ours(moment_ms: int | None) -> int | None:
        return None if moment_ms is None else in_our_time(moment_ms)

    return replace(
        call,
        started_ms=in_our_time(call.started_ms),
        last_seen_ms=in_our_time(call.last_seen_ms),
        channel_answered_ms=ours(call.channel_answered_ms),
        ended_ms=ours(call.ended_ms),
        talks=[
            replace(t, started_ms=in_our_time(t.started_ms), ended_ms=ours(t.ended_ms)) for t in call.talks
        ],
    )


def _can_be_logged(call: CelCall) -> bool:
    """Whether its id names a day. Who originates into our contexts with an id of their own has none."""
    try:
        day_of(InteractionId(call.uniqueid))
    except ValueError:
        return False
    return True


def _agree(call: CelCall, answered_ms: int | None, ended_ms: int | None) -> bool:
    """Whether the log tells the call as the witness does."""
    return _same(call.ended_ms, ended_ms) and (
        call.answered_ms is None or _same(call.answered_ms, answered_ms)
    )


def _same(witnessed_ms: int | None, logged_ms: int | None) -> bool:
    if witnessed_ms is None or logged_ms is None:
        return witnessed_ms is logged_ms
    return abs(witnessed_ms - logged_ms) <= SAME_FACT_MS
