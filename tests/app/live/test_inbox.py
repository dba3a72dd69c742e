"""The inbox: stamps, limits, idempotence, deadlines."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.live.clock import Clock
from app.live.errors import FactsLost, InboxFull, RequestIdReused
from app.live.inbox import Inbox
from app.live.pbx_offset import PbxOffset
from routing.ids import AgentId, InteractionId, PbxId
from routing.signals import AgentReady, DeadlineReached, KeyPressed, PbxLinkLost, Signal
from routing.step import Step

START_MS = 1_763_790_000_000
CALL = InteractionId("pbx1-1763790000.1")


def fact(digit: str = "1", occurred_ms: int | None = None) -> KeyPressed:
    return KeyPressed(interaction_id=CALL, digit=digit, occurred_ms=occurred_ms)


def request(request_id: str, agent: str = "a1001") -> AgentReady:
    return AgentReady(agent_id=AgentId(agent), request_id=request_id)


def still_clock() -> Clock:
    return Clock(lambda: START_MS * 1_000_000, lambda: 0)


async def taken(inbox: Inbox, count_max: int = 1_000) -> list[Signal]:
    return [posted.signal for posted in await inbox.batch(None, count_max)]


async def test_signals_come_out_in_order_and_stamped() -> None:
    inbox = Inbox(still_clock())
    for digit in "123":
        inbox.put(fact(digit))
    signals = await taken(inbox)
    assert [signal.digit for signal in signals if isinstance(signal, KeyPressed)] == ["1", "2", "3"]
    assert {signal.at_ms for signal in signals} == {START_MS}


async def test_a_pbx_time_is_corrected_by_the_measured_offset() -> None:
    offset = PbxOffset()
    for n in range(10):
        offset.sample(START_MS - 60_000 - 5_000 + n, START_MS - 60_000 + n)
    inbox = Inbox(still_clock(), offset)
    inbox.put(fact(occurred_ms=START_MS - 7_000))
    assert (await taken(inbox))[0].occurred_ms == START_MS - 2_000


async def test_a_pbx_time_never_lies_in_the_future() -> None:
    inbox = Inbox(still_clock())
    inbox.put(fact(occurred_ms=START_MS + 60_000))
    assert (await taken(inbox))[0].occurred_ms == START_MS


async def test_a_request_too_many_is_refused_but_facts_still_pass() -> None:
    inbox = Inbox(still_clock(), requests_max=2)
    inbox.put(request("r1"))
    inbox.put(request("r2"))
    with pytest.raises(InboxFull):
        inbox.put(request("r3"))
    for _ in range(100):
        inbox.put(fact())
    assert inbox.refused_count == 1
    assert len(await taken(inbox)) == 102
    inbox.put(request("r3"))


async def test_facts_beyond_the_reserve_are_lost_loudly_and_the_cure_still_passes() -> None:
    alarms: list[int] = []
    inbox = Inbox(still_clock(), facts_max=3, cures_max=1, on_facts_lost=lambda: alarms.append(1))
    for _ in range(3):
        inbox.put(fact())
    lost = [inbox.put(fact()) for _ in range(2)]
    assert all(isinstance(one.exception(), FactsLost) for one in lost)
    assert inbox.lost_count == 2
    assert alarms == [1]
    inbox.put(PbxLinkLost(pbx_id=PbxId("pbx1")))
    assert isinstance((await taken(inbox))[-1], PbxLinkLost)
    for _ in range(4):
        inbox.put(fact())
    assert alarms == [1, 1]


async def test_a_repeated_request_gets_the_answer_of_the_first_and_is_stepped_once() -> None:
    inbox = Inbox(still_clock())
    first, second = inbox.put(request("r1")), inbox.put(request("r1"))
    posted = await inbox.batch(None, 10)
    assert len(posted) == 1
    step = Step(posted[0].signal)
    assert posted[0].done is not None
    posted[0].done.set_result(step)
    assert await first is step
    assert await second is step
    assert await inbox.put(request("r1")) is step
    assert inbox.waiting_count == 0


async def test_a_request_given_up_by_one_asker_still_answers_the_other() -> None:
    inbox = Inbox(still_clock())
    first, second = inbox.put(request("r1")), inbox.put(request("r1"))
    first.cancel()
    (posted,) = await inbox.batch(None, 10)
    assert posted.done is not None
    posted.done.set_result(Step(posted.signal))
    assert (await second).signal.request_id == "r1"


async def test_a_request_id_with_another_content_is_refused() -> None:
    inbox = Inbox(still_clock())
    inbox.put(request("r1", "a1001"))
    with pytest.raises(RequestIdReused):
        inbox.put(request("r1", "a1002"))


async def test_requests_answered_before_a_restart_are_known_after_it() -> None:
    inbox = Inbox(still_clock())
    step = Step(AgentReady(agent_id=AgentId("a1001"), request_id="r1", at_ms=START_MS - 5))
    inbox.remember([step])
    assert await inbox.put(request("r1")) is step
    assert inbox.waiting_count == 0


async def test_a_deadline_wakes_the_batch_at_its_time() -> None:
    clock = Clock()
    inbox = Inbox(clock)
    until_ms = clock.now_ms() + 50
    (posted,) = await inbox.batch(until_ms, 10)
    assert isinstance(posted.signal, DeadlineReached)
    assert until_ms <= posted.signal.at_ms <= until_ms + 30


async def test_a_deadline_that_has_passed_comes_at_once_but_after_what_waits() -> None:
    clock = Clock()
    inbox = Inbox(clock)
    inbox.put(fact())
    assert isinstance((await inbox.batch(clock.now_ms() - 10, 10))[0].signal, KeyPressed)
    assert isinstance((await inbox.batch(clock.now_ms() - 10, 10))[0].signal, DeadlineReached)


async def test_a_signal_wakes_the_batch_before_the_deadline() -> None:
    clock = Clock()
    inbox = Inbox(clock)
    waiting = asyncio.create_task(inbox.batch(clock.now_ms() + 60_000, 10))
    await asyncio.sleep(0)
    inbox.put(fact())
    assert len(await asyncio.wait_for(waiting, 1)) == 1


async def test_waking_without_a_signal_gives_an_empty_batch() -> None:
    inbox = Inbox(Clock())
    inbox.wake()
    assert await asyncio.wait_for(inbox.batch(None, 10), 1) == []


@given(
    st.lists(
        st.tuples(
            st.integers(-(10**7), 10**7), st.integers(0, 5_000), st.none() | st.integers(-(10**6), 10**6)
        ),
        max_size=40,
    )
)
def test_stamps_never_decrease_and_facts_never_lie_in_the_future_whatever_the_clocks_do(
    moves: list[tuple[int, int, int | None]],
) -> None:
    async def scenario() -> None:
        wall_ms, monotonic_ms = START_MS, 0
        inbox = Inbox(Clock(lambda: wall_ms * 1_000_000, lambda: monotonic_ms * 1_000_000))
        signals: list[Signal] = []
        for jump_ms, elapsed_ms, occurred_ms in moves:
            wall_ms += jump_ms + elapsed_ms
            monotonic_ms += elapsed_ms
            inbox.put(fact(occurred_ms=None if occurred_ms is None else START_MS + occurred_ms))
            if occurred_ms is not None and occurred_ms % 3 == 0:
                signals += await taken(inbox)
                signals += [one.signal for one in await inbox.batch(START_MS, 1)]
        if inbox.waiting_count:
            signals += await taken(inbox)
        stamps = [signal.at_ms for signal in signals]
        assert stamps == sorted(stamps)
        assert all(s.occurred_ms is None or s.occurred_ms <= s.at_ms for s in signals)

    asyncio.run(scenario())
