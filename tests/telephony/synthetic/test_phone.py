"""A phone proves who it is, stays registered, and does with a call what its plan says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from telephony.synthetic.calls import Call, CallState, EndedBy
from telephony.synthetic.errors import RegistrationRefused
from telephony.synthetic.phone import Phone
from telephony.synthetic.plans import CallPlan
from telephony.synthetic.user_agent import UserAgent
from tests.telephony.synthetic.bench import IMPATIENT, QUICK, Told, losing, until
from tests.telephony.synthetic.little_pbx import LittlePbx


@asynccontextmanager
async def registrar(**settings: object) -> AsyncIterator[LittlePbx]:
    pbx = LittlePbx({"a1": "right1234"}, sip_timers=QUICK, **settings)  # type: ignore[arg-type]
    await pbx.open()
    try:
        yield pbx
    finally:
        pbx.close()


def _phone(
    pbx: LittlePbx, plan: CallPlan | None = None, secret: str = "right1234", loss: float = 0.0
) -> Phone:
    host, port = pbx.endpoint.local
    return Phone(
        "a1",
        secret,
        host,
        port,
        behaviour=lambda _: plan or CallPlan(),
        timers=QUICK,
        is_lost=losing(loss, 5),
    )


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
@pytest.mark.parametrize("loss", [0.0, 0.3])
async def test_a_phone_registers_with_its_password_and_goes(algorithm: str, loss: float) -> None:
    async with registrar(algorithm=algorithm) as pbx:
        phone = _phone(pbx, loss=loss)
        await phone.register()
        assert phone.is_registered
        assert pbx.contacts == {"a1": phone.agent.endpoint.local}
        await phone.unregister()
        assert not phone.is_registered
        assert pbx.contacts == {}
        phone.close()


async def test_a_wrong_password_is_refused() -> None:
    async with registrar() as pbx:
        phone = _phone(pbx, secret="wrong1234")
        with pytest.raises(RegistrationRefused) as refused:
            await phone.register()
        assert refused.value.status == 401
        assert not phone.is_registered
        phone.close()


async def test_a_silent_registrar_is_a_refusal_too() -> None:
    phone = Phone("a1", "x", "127.0.0.1", 9, behaviour=lambda _: CallPlan(), timers=IMPATIENT)
    with pytest.raises(RegistrationRefused) as refused:
        await phone.register()
    assert refused.value.status == 408
    phone.close()


async def test_a_registration_is_renewed_at_half_its_time() -> None:
    async with registrar(granted_s=2) as pbx:
        phone = _phone(pbx)
        await phone.register()
        begun_s = asyncio.get_running_loop().time()
        await until(lambda: len(pbx.registers) == 2)
        assert 0.9 < asyncio.get_running_loop().time() - begun_s < 3
        phone.close()


@asynccontextmanager
async def _called(plan: CallPlan) -> AsyncIterator[tuple[Call, Told, list[Call]]]:
    """Call a phone with this plan; yields the caller's side, what it was told and the phone's side."""
    async with registrar() as pbx:
        phone = _phone(pbx, plan)
        taken: list[Call] = []

        def watch(call: Call) -> None:
            if call not in taken:
                taken.append(call)

        phone.on_change = watch
        await phone.register()
        told = Told()
        caller = UserAgent("caller", timers=QUICK)
        await caller.open()
        try:
            yield caller.place("sip:a1@h", phone.agent.endpoint.local, on_change=told), told, taken
        finally:
            caller.close()
            phone.close()


async def test_a_plan_of_ring_answer_hold_and_hang_up_is_carried_out_in_time() -> None:
    plan = CallPlan(pick_up_ms=60, talk_ms=150, hold_at_ms=30, hold_for_ms=50)
    async with _called(plan) as (call, told, taken):
        await until(lambda: taken and taken[0].is_on_hold)
        await until(lambda: not taken[0].is_on_hold)
        assert call.state is CallState.TALKING
        await until(lambda: call.state is CallState.ENDED)
        mine = taken[0]
        assert told.states == ["ringing", "talking", "ended"]
        assert mine.answered_ms is not None
        assert mine.ended_ms is not None
        assert 60 <= mine.answered_ms - mine.started_ms < 600
        assert 150 <= mine.ended_ms - mine.answered_ms < 700
        assert mine.ended_by is EndedBy.US


async def test_a_phone_that_never_answers_rings_until_the_caller_gives_up() -> None:
    async with _called(CallPlan(pick_up_ms=None)) as (call, told, taken):
        await until(lambda: call.state is CallState.RINGING)
        call.hang_up()
        await until(lambda: taken[0].state is CallState.ENDED)
        assert told.states == ["ringing", "ended"]
        assert taken[0].status == 487


@pytest.mark.parametrize("status", [486, 603])
async def test_a_phone_refuses_by_plan(status: int) -> None:
    async with _called(CallPlan(pick_up_ms=10, refuse_status=status, rings=False)) as (call, told, _):
        await until(lambda: call.state is CallState.ENDED)
        assert told.states == ["ended"]
        assert call.status == status


async def test_a_second_call_finds_the_phone_busy() -> None:
    async with registrar() as pbx:
        phone = _phone(pbx, CallPlan(pick_up_ms=1))
        await phone.register()
        caller = UserAgent("caller", timers=QUICK)
        await caller.open()
        peer = phone.agent.endpoint.local
        first = caller.place("sip:a1@h", peer, on_change=Told())
        await until(lambda: first.state is CallState.TALKING)
        second = caller.place("sip:a1@h", peer, on_change=Told())
        await until(lambda: second.state is CallState.ENDED)
        assert second.status == 486
        first.hang_up()
        await until(lambda: not phone.calls)
        caller.close()
        phone.close()


async def test_a_phone_whose_caller_left_while_it_rang_answers_nothing() -> None:
    async with _called(CallPlan(pick_up_ms=40)) as (call, told, taken):
        await until(lambda: call.state is CallState.RINGING)
        call.hang_up()
        await until(lambda: taken[0].state is CallState.ENDED)
        assert told.states == ["ringing", "ended"]
        assert taken[0].answered_ms is None
