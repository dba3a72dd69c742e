"""Two telephones on the loopback: every way a call goes, also when packets are lost."""

from __future__ import annotations

import asyncio
import socket

import pytest

from telephony.synthetic.calls import Call, CallState, EndedBy
from telephony.synthetic.errors import SipFieldError
from telephony.synthetic.sip_codec import SipRequest, SipResponse, parse, serialise
from telephony.synthetic.transactions import SipTimers
from telephony.synthetic.user_agent import UserAgent
from tests.telephony.synthetic.bench import IMPATIENT, POLL_S, QUICK, Pair, pair, until

LOSSES = [(0.0, 1), (0.3, 11), (0.3, 12), (0.3, 15), (0.5, 14)]


async def _talking(both: Pair, **shown: str) -> tuple[Call, Call]:
    call = both.place(**shown)
    await until(lambda: both.taken)
    both.taken[0].ring()
    both.taken[0].answer()
    await until(lambda: call.state is CallState.TALKING)
    return call, both.taken[0]


@pytest.mark.parametrize(("loss", "seed"), LOSSES)
async def test_a_call_rings_is_answered_and_ended_by_the_phone(loss: float, seed: int) -> None:
    async with pair(loss, seed) as both:
        call, taken = await _talking(both, number="0912345678", name='Lin "Amy" <x>')
        assert taken.remote.user == "0912345678"
        assert taken.remote.name == 'Lin "Amy" <x>'
        taken.hang_up()
        await until(lambda: call.state is CallState.ENDED)
        await both.quiet()
        assert (taken.ended_by, call.ended_by) == (EndedBy.US, EndedBy.PEER)
        assert both.told_there.states == ["ringing", "talking", "ended"]
        assert both.told.states in (["ringing", "talking", "ended"], ["talking", "ended"])
        assert len(both.taken) == 1, "a repeated INVITE is no second call"
        if loss:
            assert both.here.endpoint.counts["lost"] + both.there.endpoint.counts["lost"] > 0
        else:
            assert both.here.endpoint.counts["retransmitted"] == 0


@pytest.mark.parametrize(("loss", "seed"), LOSSES)
async def test_the_caller_hangs_up_a_conversation(loss: float, seed: int) -> None:
    async with pair(loss, seed) as both:
        call, taken = await _talking(both)
        call.hang_up()
        await until(lambda: taken.state is CallState.ENDED)
        await both.quiet()
        assert (call.ended_by, taken.ended_by) == (EndedBy.US, EndedBy.PEER)
        assert not both.here.calls
        assert not both.there.calls


@pytest.mark.parametrize(("loss", "seed"), LOSSES)
async def test_the_caller_gives_up_while_it_rings(loss: float, seed: int) -> None:
    async with pair(loss, seed) as both:
        call = both.place()
        await until(lambda: both.taken)
        both.taken[0].ring()
        await until(lambda: call.state is CallState.RINGING or loss)
        call.hang_up()
        await until(lambda: both.taken[0].state is CallState.ENDED)
        await both.quiet()
        assert (call.ended_by, call.status) == (EndedBy.US, 487)
        assert (both.taken[0].ended_by, both.taken[0].status) == (EndedBy.PEER, 487)


async def test_an_answer_that_crosses_the_cancel_is_hung_up() -> None:
    async with pair() as both:
        call = both.place()
        await until(lambda: both.taken)
        both.taken[0].answer()
        call.hang_up()  # before the answer is heard
        await until(lambda: both.taken[0].state is CallState.ENDED)
        await both.quiet()
        assert both.taken[0].ended_by is EndedBy.PEER
        assert call.answered_ms is None


@pytest.mark.parametrize(("loss", "seed"), LOSSES)
@pytest.mark.parametrize("status", [486, 603])
async def test_the_phone_refuses(loss: float, seed: int, status: int) -> None:
    async with pair(loss, seed) as both:
        call = both.place()
        await until(lambda: both.taken)
        both.taken[0].reject(status, "No")
        await until(lambda: call.state is CallState.ENDED)
        assert (call.ended_by, call.status) == (EndedBy.PEER, status)
        await both.quiet()


@pytest.mark.parametrize(("loss", "seed"), LOSSES)
async def test_hold_and_resume_are_seen_by_both(loss: float, seed: int) -> None:
    async with pair(loss, seed) as both:
        call, taken = await _talking(both)
        taken.hold()
        await until(lambda: taken.is_on_hold and call.is_held)
        taken.resume()
        await until(lambda: not taken.is_on_hold and not call.is_held)
        assert call.state is taken.state is CallState.TALKING


async def test_a_resume_asked_while_the_hold_is_under_way_comes_after_it() -> None:
    async with pair() as both:
        call, taken = await _talking(both)
        taken.hold()
        taken.resume()
        await until(lambda: not taken.is_on_hold and not taken._is_turning and not call.is_held)


async def test_holds_that_cross_are_both_carried_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telephony.synthetic.calls.GLARE_S", (0.2, 0.05))
    async with pair() as both:
        call, taken = await _talking(both)
        taken.hold()
        call.hold()
        await until(lambda: taken.is_on_hold and call.is_on_hold)


async def test_a_transfer_that_the_peer_declines_leaves_the_call_standing() -> None:
    async with pair() as both:
        _, taken = await _talking(both)
        taken.refer("q-sales")
        await until(lambda: taken.transfer_status == 603)
        assert taken.state is CallState.TALKING


async def test_nobody_there_ends_the_call_without_an_answer() -> None:
    async with pair(timers=IMPATIENT) as both:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
            deaf.bind(("127.0.0.1", 0))
            call = both.here.place("sip:x@127.0.0.1", deaf.getsockname(), on_change=both.told)
            await until(lambda: call.state is CallState.ENDED)
            assert (call.ended_by, call.status) == (EndedBy.NOBODY, 408)
            assert both.here.endpoint.counts["unanswered"] == 1


async def test_an_answer_that_is_never_acknowledged_ends_the_call() -> None:
    async with pair(timers=IMPATIENT) as both:
        call = both.place()
        await until(lambda: both.taken)
        both.here.close()
        both.taken[0].answer()
        assert call.state is not CallState.TALKING
        await until(lambda: both.taken[0].state is CallState.ENDED)
        assert both.taken[0].ended_by is EndedBy.NOBODY


async def test_garbage_and_strangers_do_no_harm() -> None:
    async with pair() as both:
        call, taken = await _talking(both)
        stranger = parse(
            b"BYE sip:x@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: <sip:e@h>;tag=e\r\n"
            b"To: <sip:x@h>;tag=y\r\nCall-ID: " + taken.call_id.encode() + b"\r\nCSeq: 1 BYE\r\n\r\n"
        )
        assert isinstance(stranger, SipRequest)
        for data in (b"\r\n\r\n", b"\x00", b"INVITE", bytes(range(256)) * 20, serialise(stranger)):
            both.here.endpoint.send(data, both.peer)
        await until(lambda: both.there.endpoint.counts["malformed"] == 2)
        await until(lambda: both.here.endpoint.counts["stray"] == 1)  # 481 to the stranger
        assert taken.state is call.state is CallState.TALKING


async def test_a_name_with_a_line_of_its_own_is_never_sent() -> None:
    async with pair() as both:
        with pytest.raises(SipFieldError):
            both.place(name="x\r\nContact: <sip:evil@h>")
        assert not both.here.calls
        assert both.here.endpoint.counts["sent"] == 0


async def test_options_is_answered_and_an_unknown_request_refused() -> None:
    async with pair() as both:
        heard: list[SipResponse | None] = []
        for method in ("OPTIONS", "MESSAGE"):
            request = SipRequest(
                method=method,
                uri="sip:phone@127.0.0.1",
                headers=(
                    ("From", "<sip:a@h>;tag=1"),
                    ("To", "<sip:b@h>"),
                    ("Call-ID", method),
                    ("CSeq", f"1 {method}"),
                ),
            )
            both.here.endpoint.request(request, both.peer, heard.append)
        await until(lambda: len(heard) == 2)
        assert sorted(response.status for response in heard if response) == [200, 481]


async def test_two_hundred_calls_at_once_all_end_and_nothing_stays() -> None:
    """On timers as quick as on a slow network, so that a busy machine does not repeat itself."""
    here = UserAgent("caller", timers=SipTimers())
    there = UserAgent("phone", timers=SipTimers(), on_call=Call.answer)
    await here.open()
    await there.open()
    try:
        told: list[Call] = []
        calls = []
        for index in range(200):
            peer = there.endpoint.local
            calls.append(here.place("sip:p@127.0.0.1", peer, number=str(index), on_change=told.append))
            if index % 5 == 0:
                await asyncio.sleep(POLL_S)
        await until(lambda: all(call.answered_ms for call in calls), 20)
        for call in calls:
            call.hang_up()
        await until(lambda: not here.calls and not there.calls and not here.endpoint.open_count, 20)
        assert {call.ended_by for call in calls} == {EndedBy.US}
    finally:
        here.close()
        there.close()


def test_answers_are_repeated_for_as_long_as_they_are_kept() -> None:
    with pytest.raises(AssertionError):
        SipTimers(give_up_s=10, linger_s=5)
    assert QUICK.linger_s > QUICK.give_up_s
