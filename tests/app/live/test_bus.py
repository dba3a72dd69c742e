"""The numbered bus: order, bounded queues, cut readers, resuming."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.live.bus import Bus, Cursor, Numbered
from app.live.errors import Gone
from routing.events import KeyNoted
from routing.ids import InteractionId


def key(digit: int) -> KeyNoted:
    return KeyNoted(
        at_ms=1, occurred_ms=1, interaction_id=InteractionId("pbx1-1763790000.1"), digit=str(digit)
    )


async def test_a_reader_gets_every_event_with_its_place_in_order() -> None:
    bus = Bus(Cursor(1, 0))
    with bus.subscribe() as reader:
        bus.publish(1, 1, [key(1), key(2)])
        bus.publish(1, 2, [])
        bus.publish(2, 1, [key(3)])
        places = [numbered.cursor for numbered in await reader.take()]
    assert places == [Cursor(1, 1, 0), Cursor(1, 1, 1), Cursor(2, 1, 0)]
    assert bus.subscriber_count == 0


async def test_a_waiting_reader_is_woken() -> None:
    bus = Bus(Cursor(1, 0))
    with bus.subscribe() as reader:
        waiting = asyncio.create_task(reader.take())
        await asyncio.sleep(0)
        bus.publish(1, 1, [key(1)])
        assert len(await asyncio.wait_for(waiting, 1)) == 1


async def test_a_slow_reader_is_cut_and_told_and_others_go_on() -> None:
    bus = Bus(Cursor(1, 0))
    slow, quick = bus.subscribe(queue_max=3), bus.subscribe(queue_max=100)
    for seq in range(1, 6):
        bus.publish(1, seq, [key(1)])
    with pytest.raises(Gone) as gone:
        await slow.take()
    assert gone.value.reason == "slow"
    assert len(await quick.take()) == 5
    assert bus.cut_count == 1
    assert bus.subscriber_count == 1


async def test_a_cursor_older_than_the_ring_is_refused() -> None:
    bus = Bus(Cursor(1, 0), ring_max=3)
    for seq in range(1, 6):
        bus.publish(1, seq, [key(seq)])
    with pytest.raises(Gone) as gone:
        bus.subscribe(after=Cursor(1, 1))
    assert gone.value.reason == "too_old"
    assert len(await bus.subscribe(after=Cursor(1, 2)).take()) == 3


@pytest.mark.parametrize("cursor", [Cursor(2, 9), Cursor(3, 1), Cursor(1, 8)])
async def test_a_cursor_that_was_never_written_is_refused(cursor: Cursor) -> None:
    """A process may die after publishing what it could not write; its readers need a snapshot."""
    bus = Bus(Cursor(1, 0))
    bus.publish(1, 1, [key(1)])
    bus.publish(2, 1, [key(2)])
    with pytest.raises(Gone) as gone:
        bus.subscribe(after=cursor)
    assert gone.value.reason == "unknown_cursor"


async def test_closing_the_bus_ends_every_subscription() -> None:
    bus = Bus(Cursor(1, 0))
    reader = bus.subscribe()
    bus.close()
    with pytest.raises(Gone) as gone:
        await reader.take()
    assert gone.value.reason == "closed"


@given(st.lists(st.integers(0, 3), max_size=40), st.integers(1, 30), st.integers(0, 60))
def test_resuming_gives_exactly_what_followed_the_cursor_or_refuses(
    counts: list[int], ring_max: int, cut: int
) -> None:
    async def scenario() -> None:
        bus = Bus(Cursor(1, 0), ring_max=ring_max)
        published: list[Numbered] = []
        for seq, count in enumerate(counts, 1):
            events = [key(n) for n in range(count)]
            bus.publish(1, seq, events)
            published += [Numbered(1, seq, n, event) for n, event in enumerate(events)]
        at = min(cut, len(published))
        after = published[at - 1].cursor if at else Cursor(1, 0)
        missed = published[at:]
        if len(missed) > ring_max:
            with pytest.raises(Gone, match="too_old"):
                bus.subscribe(after=after)
            return
        bus.publish(1, len(counts) + 1, [key(9)])
        if len(missed) == ring_max:
            return  # the last publication pushed one of them out
        assert (await bus.subscribe(after=after).take())[:-1] == missed

    asyncio.run(scenario())
