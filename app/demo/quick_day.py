"""A past day made quickly: callers wait in line for seats, without the engine; rows as lines for COPY.

Pure. Each queue is served first come, first served by its own seats, so that waits, abandons and missed rings
follow from how many sat there; ten thousand calls take a fraction of a second. What a call's rows say agrees
with each other to the millisecond, as the recorder's rows do. One seed and day give the same lines anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from heapq import heapify, heappop, heappush
from math import exp, log
from random import Random
from typing import Final, NamedTuple

from app.demo.quick_columns import COLUMNS, NULL

RONA_RATIO: Final = 0.025
HOLD_RATIO: Final = 0.18
TRANSFER_RATIO: Final = 0.04
CALLER_ENDS_RATIO: Final = 0.62
CODED_RATIO: Final = 0.93
_PICK_UP_MEAN_MS: Final = 3_400
_HOLD_MEAN_MS: Final = 38_000
_WRAP_UP_MEAN_MS: Final = 17_000
_MISSED_PAUSE_MS: Final = 60_000
_RONA_MAX: Final = 3  # so often one caller's offer is missed at the most
_MOVE_MS: Final = 20
_UNRUNG_MS: Final = 220  # an offer rings by then; who leaves sooner was not offered
_MILLIS: Final = tuple(f".{ms:03d}+00" for ms in range(1_000))
_SECONDS_A_DAY: Final = 86_400
_DAYS_STAMPED: Final = 2  # a call of the evening may end in the night

Lines = dict[str, list[str]]


class QuickArrival(NamedTuple):
    """A call that comes in; milliseconds since the epoch (UTC)."""

    at_ms: int
    entry_point: str
    queue_id: str
    number: str
    name: str
    patience_ms: int


class Seat(NamedTuple):
    """An agent at work for one queue."""

    from_ms: int
    agent_id: str
    until_ms: int
    queue_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickQueue:
    """A queue.

    Attributes:
        talk_mean_ms, talk_sigma: Of a lognormal talk; sigma of its logarithm.
        codes: Wrap-up codes, the frequent ones first.
    """

    ring_timeout_ms: int = 15_000
    short_abandon_ms: int = 5_000
    talk_mean_ms: int = 180_000
    talk_sigma: float = 0.7
    codes: tuple[str, ...] = ()


@cache
def _clock() -> tuple[str, ...]:
    """Every second of a day, as COPY reads it."""
    return tuple(f" {s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}" for s in range(_SECONDS_A_DAY))


@dataclass(slots=True)
class _Call:
    """A call on its way: what its last row is written from."""

    interaction_id: str
    arrival: QuickArrival
    visit: int = 0
    attempt: int = 0
    ordinal: int = 0
    wait_ms: int = 0
    talk_ms: int = 0
    hold_ms: int = 0
    wrap_up_ms: int = 0
    answered_ms: int | None = None
    agent_id: str | None = None
    code: str | None = None
    reached_ms: int = 0  # so far its segments go


@dataclass(slots=True)
class QuickDay:
    """Makes one day; ``run`` returns its lines by table.

    Args:
        day: UTC; every arrival lies in it.
        match: By number: party, method, confidence and candidates, as COPY takes them.
        reason: Draws the contact reason of a queue's answered call; "": none.
    """

    tenant_id: str
    pbx: str
    day: date
    queues: Mapping[str, QuickQueue]
    dice: Random
    with_segments: bool = True
    match: Callable[[str], tuple[str, str, str, str]] = lambda _number: (NULL, NULL, NULL, NULL)
    reason: Callable[[str], str] = lambda _queue_id: ""
    lines: Lines = field(default_factory=lambda: {name: [] for name in COLUMNS})
    _seats: dict[str, list[Seat]] = field(default_factory=dict)
    _dates: list[str] = field(default_factory=list)
    _clock: Sequence[str] = ()
    _base_s: int = 0
    _head: str = ""

    def run(self, arrivals: Sequence[QuickArrival], seats: Iterable[Seat]) -> Lines:
        """Let them all call, in the order of *arrivals*."""
        midnight = datetime(self.day.year, self.day.month, self.day.day, tzinfo=UTC)
        self._base_s = int(midnight.timestamp())
        self._dates = [
            (midnight + timedelta(days=number)).date().isoformat() for number in range(_DAYS_STAMPED)
        ]
        self._clock = _clock()
        self._head = f"{self.tenant_id}\t{self.day.isoformat()}\t"
        self._seats = {queue_id: [] for queue_id in self.queues}
        for seat in seats:
            self._seats[seat.queue_id].append(seat)
        for line in self._seats.values():
            heapify(line)
        moved: list[tuple[int, int, str, _Call]] = []
        for number, arrival in enumerate(arrivals, 1):
            entered_ms = arrival.at_ms + self.dice.randint(900, 2_600)
            while moved and moved[0][0] <= entered_ms:
                self._move_on(moved)
            call = _Call(f"{self.pbx}-{arrival.at_ms // 1000}.{number}", arrival, reached_ms=arrival.at_ms)
            self._segment(call, "entry", entered_ms)
            self._visit(call, arrival.queue_id, entered_ms, arrival.patience_ms, moved)
        while moved:
            self._move_on(moved)
        return self.lines

    # ------------------------------------------------------------ one visit

    def _move_on(self, moved: list[tuple[int, int, str, _Call]]) -> None:
        entered_ms, patience_ms, queue_id, call = heappop(moved)
        self._segment(call, "ivr", entered_ms)
        self._visit(call, queue_id, entered_ms, patience_ms, moved)

    def _visit(
        self,
        call: _Call,
        queue_id: str,
        entered_ms: int,
        patience_ms: int,
        moved: list[tuple[int, int, str, _Call]],
    ) -> None:
        call.visit += 1
        queue, seats, dice = self.queues[queue_id], self._seats[queue_id], self.dice
        gives_up_ms, at_ms, first_attempt = entered_ms + patience_ms, entered_ms, call.attempt
        while True:
            seat = self._next_seat(seats, at_ms)
            offered_ms = gives_up_ms if seat is None else max(at_ms, seat.from_ms)
            if seat is None or offered_ms + _UNRUNG_MS >= gives_up_ms:
                if seat is not None:
                    heappush(seats, seat)
                self._abandon(call, queue, queue_id, entered_ms, gives_up_ms, call.attempt - first_attempt)
                return
            call.attempt += 1
            rang_ms = offered_ms + dice.randint(30, _UNRUNG_MS)
            is_missed = call.attempt - first_attempt <= _RONA_MAX and dice.random() < RONA_RATIO
            ring_ms = (
                queue.ring_timeout_ms
                if is_missed
                else min(self._lognormal_ms(_PICK_UP_MEAN_MS, 0.45), queue.ring_timeout_ms - 500)
            )
            ended_ms = rang_ms + ring_ms
            if ended_ms >= gives_up_ms:
                self._offer(call, seat, offered_ms, rang_ms, gives_up_ms, entered_ms, "withdrawn")
                heappush(seats, seat._replace(from_ms=gives_up_ms + 500))
                self._abandon(call, queue, queue_id, entered_ms, gives_up_ms, call.attempt - first_attempt)
                return
            if not is_missed:
                break
            self._offer(call, seat, offered_ms, rang_ms, ended_ms, entered_ms, "no_answer")
            heappush(seats, seat._replace(from_ms=ended_ms + _MISSED_PAUSE_MS))
            at_ms = ended_ms
        free_ms = self._talk(
            call, queue, seat, (entered_ms, offered_ms, rang_ms, ended_ms), first_attempt, moved
        )
        heappush(seats, seat._replace(from_ms=free_ms))

    def _next_seat(self, seats: list[Seat], at_ms: int) -> Seat | None:
        """Take the seat that is free first; who went home is not asked."""
        while seats:
            seat = heappop(seats)
            if max(seat.from_ms, at_ms) < seat.until_ms:
                return seat
        return None

    def _abandon(
        self, call: _Call, queue: QuickQueue, queue_id: str, entered_ms: int, left_ms: int, offer_count: int
    ) -> None:
        wait_ms = left_ms - entered_ms
        exit_cause = "short_abandon" if wait_ms <= queue.short_abandon_ms else "abandoned"
        if left_ms > call.reached_ms:
            self._segment(call, "queued", left_ms, queue_id, exit_cause=exit_cause)
        self._write_visit(call, queue_id, entered_ms, left_ms, exit_cause, NULL, offer_count)
        call.wait_ms += wait_ms
        self._end(call, queue_id, left_ms, exit_cause, "customer")

    def _talk(
        self,
        call: _Call,
        queue: QuickQueue,
        seat: Seat,
        moments: tuple[int, int, int, int],
        first_attempt: int,
        moved: list[tuple[int, int, str, _Call]],
    ) -> int:
        """The answered offer, its talk and what follows; return when the seat is free again."""
        entered_ms, offered_ms, rang_ms, answered_ms = moments
        dice, queue_id, agent_id = self.dice, seat.queue_id, seat.agent_id
        talk_ms = self._lognormal_ms(queue.talk_mean_ms, queue.talk_sigma)
        hold_ms = 0
        if talk_ms > 20_000 and dice.random() < HOLD_RATIO:
            hold_ms = 2_000 + int(dice.expovariate(1 / _HOLD_MEAN_MS))
        ended_ms = answered_ms + talk_ms + hold_ms
        wrap_up_ms = self._lognormal_ms(_WRAP_UP_MEAN_MS, 0.45)
        participation = (ended_ms, ended_ms + wrap_up_ms, talk_ms, hold_ms, wrap_up_ms)
        moves_on = call.visit == 1 and len(self.queues) > 1 and dice.random() < TRANSFER_RATIO
        by = "system" if moves_on else "customer" if dice.random() < CALLER_ENDS_RATIO else "agent"
        how = "transfer" if moves_on else "hangup"
        moments_of_offer = (offered_ms, rang_ms, answered_ms, entered_ms)
        self._offer(call, seat, *moments_of_offer, "answered", participation, f"{by}\t{how}")
        offer_count = call.attempt - first_attempt
        self._write_visit(call, queue_id, entered_ms, answered_ms, "answered", agent_id, offer_count)
        if self.with_segments:
            self._talk_segments(call, seat, answered_ms, talk_ms, hold_ms, wrap_up_ms)
        call.wait_ms += answered_ms - entered_ms
        call.talk_ms += talk_ms
        call.hold_ms += hold_ms
        call.wrap_up_ms += wrap_up_ms
        if call.answered_ms is None:
            call.answered_ms, call.agent_id = answered_ms, agent_id
        if queue.codes and dice.random() < CODED_RATIO:
            call.code = queue.codes[int(len(queue.codes) * dice.random() ** 2)]
        if moves_on:
            others = [one for one in self.queues if one != queue_id]
            patience_ms = 8_000 + int(dice.expovariate(1 / 170_000))
            heappush(moved, (ended_ms + _MOVE_MS, patience_ms, dice.choice(others), call))
        else:
            self._end(call, queue_id, ended_ms, "answered", by)
        return ended_ms + wrap_up_ms + 1_000

    # ------------------------------------------------------------ lines

    def _offer(
        self,
        call: _Call,
        seat: Seat,
        offered_ms: int,
        rang_ms: int,
        ended_ms: int,
        entered_ms: int,
        outcome: str,
        participation: tuple[int, int, int, int, int] | None = None,
        ending: str = f"{NULL}\t{NULL}",
    ) -> None:
        at, attempt, agent_id = self._at, call.attempt, seat.agent_id
        reason = "caller_left" if outcome == "withdrawn" else NULL
        part = f"{NULL}\t{NULL}\t0\t0\t0"
        if participation is not None:
            talk_end_ms, wrap_up_end_ms, talk_ms, hold_ms, wrap_up_ms = participation
            part = f"{at(talk_end_ms)}\t{at(wrap_up_end_ms)}\t{talk_ms}\t{hold_ms}\t{wrap_up_ms}"
        self.lines["offer"].append(
            f"{self._head}{call.interaction_id}\t{attempt}\t{agent_id}\t{seat.queue_id}\t{call.visit}\t"
            f"{at(offered_ms)}\t{at(rang_ms)}\t{at(ended_ms)}\t{outcome}\t{reason}\t"
            f"{offered_ms - entered_ms}\t{ended_ms - rang_ms}\t{part}\t{ending}\t{{}}\n"
        )
        if self.with_segments:
            where = (seat.queue_id, agent_id, attempt)
            if rang_ms > call.reached_ms:
                self._segment(call, "queued", rang_ms, seat.queue_id)
            exit_cause = {"answered": "answered", "withdrawn": "abandoned"}.get(outcome, NULL)
            if ended_ms > rang_ms:
                self._segment(call, "ringing", ended_ms, *where, exit_cause=exit_cause)
                self._agent_segment(call, where, 0, "ring", rang_ms, ended_ms)

    def _talk_segments(
        self, call: _Call, seat: Seat, answered_ms: int, talk_ms: int, hold_ms: int, wrap_up_ms: int
    ) -> None:
        where = (seat.queue_id, seat.agent_id, call.attempt)
        ended_ms = answered_ms + talk_ms + hold_ms
        half_ms = answered_ms + talk_ms // 2
        parts = [("talking", "talk", ended_ms)]
        if hold_ms:
            parts = [
                ("talking", "talk", half_ms),
                ("held", "hold", half_ms + hold_ms),
                ("talking", "talk", ended_ms),
            ]
        begins_ms = answered_ms
        for ordinal, (kind, agent_kind, ends_ms) in enumerate(parts, 1):
            self._segment(call, kind, ends_ms, *where)
            self._agent_segment(call, where, ordinal, agent_kind, begins_ms, ends_ms)
            begins_ms = ends_ms
        self._agent_segment(call, where, len(parts) + 1, "wrap_up", ended_ms, ended_ms + wrap_up_ms)

    def _segment(
        self,
        call: _Call,
        kind: str,
        until_ms: int,
        queue_id: str = NULL,
        agent_id: str = NULL,
        attempt: int | None = None,
        exit_cause: str = NULL,
    ) -> None:
        """The customer's next one, from where the last ended."""
        if self.with_segments:
            visit = NULL if queue_id == NULL else call.visit
            self.lines["segment"].append(
                f"{self._head}{call.interaction_id}\tcustomer\t{call.ordinal}\t{kind}\t"
                f"{self._at(call.reached_ms)}\t{self._at(until_ms)}\t{queue_id}\t{agent_id}\t{visit}\t"
                f"{NULL if attempt is None else attempt}\t{exit_cause}\tlive\n"
            )
            call.ordinal += 1
        call.reached_ms = until_ms

    def _agent_segment(
        self,
        call: _Call,
        where: tuple[str, str, int],
        ordinal: int,
        kind: str,
        from_ms: int,
        until_ms: int,
    ) -> None:
        queue_id, agent_id, attempt = where
        self.lines["segment"].append(
            f"{self._head}{call.interaction_id}\t{agent_id}#{attempt}\t{ordinal}\t{kind}\t"
            f"{self._at(from_ms)}\t{self._at(until_ms)}\t{queue_id}\t{agent_id}\t{call.visit}\t{attempt}\t"
            f"{NULL}\tlive\n"
        )

    def _write_visit(
        self,
        call: _Call,
        queue_id: str,
        entered_ms: int,
        left_ms: int,
        exit_cause: str,
        agent_id: str,
        offer_count: int,
    ) -> None:
        entered = self._at(entered_ms)
        self.lines["queue_visit"].append(
            f"{self._head}{call.interaction_id}\t{call.visit}\t{queue_id}\t{entered}\t{entered}\t"
            f"{self._at(left_ms)}\t{exit_cause}\t{left_ms - entered_ms}\t{agent_id}\t{offer_count}\t0\n"
        )

    def _end(self, call: _Call, queue_id: str, ended_ms: int, exit_cause: str, ended_by: str) -> None:
        arrival, at = call.arrival, self._at
        answered = NULL if call.answered_ms is None else at(call.answered_ms)
        outcome = exit_cause if call.answered_ms is None else "answered"
        agent_id = call.agent_id or NULL
        match = "\t".join(self.match(arrival.number))
        self.lines["interaction"].append(
            f"{self._head}{call.interaction_id}\tvoice\tin\t{arrival.entry_point}\t{arrival.number}\t"
            f"{arrival.name}\t{{}}\t{at(arrival.at_ms)}\t{answered}\t{at(ended_ms)}\t{outcome}\t{ended_by}\t"
            f"hangup\t16\t{queue_id}\t{agent_id}\t{call.visit}\t{call.attempt}\t{call.wait_ms}\t"
            f"{call.talk_ms}\t{call.hold_ms}\t{call.wrap_up_ms}\t{call.code or NULL}\tlive\t{match}\n"
        )
        if call.answered_ms is not None and (reason_id := self.reason(queue_id)):
            self.lines["interaction_reason"].append(
                f"{self._head}{call.interaction_id}\t0\t1\t{reason_id}\tagent\t{agent_id}\t{at(ended_ms)}\n"
            )

    def _at(self, moment_ms: int) -> str:
        second, ms = divmod(moment_ms, 1_000)
        day, second = divmod(second - self._base_s, _SECONDS_A_DAY)
        return self._dates[day] + self._clock[second] + _MILLIS[ms]

    def _lognormal_ms(self, mean_ms: float, sigma: float) -> int:
        return int(exp(log(mean_ms) - sigma * sigma / 2 + sigma * self.dice.gauss(0.0, 1.0))) + 1
