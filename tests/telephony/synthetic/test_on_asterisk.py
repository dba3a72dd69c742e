"""Synthetic phones, callers and crowds on a real Asterisk."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from telephony.sandbox.instance import Sandbox
from telephony.synthetic.caller import SyntheticCaller, place_call
from telephony.synthetic.calls import Call, CallState, EndedBy
from telephony.synthetic.crowd import Crowd, CrowdAgent, Scene
from telephony.synthetic.draws import EntryPoint, Habits
from telephony.synthetic.errors import RegistrationRefused
from telephony.synthetic.phone import Phone
from telephony.synthetic.plans import CallPlan
from telephony.synthetic.user_agent import UserAgent
from tests.pbx.ami import RawAmi, get
from tests.pbx.offers import hear, offer, variable, waiting
from tests.telephony.synthetic.bench import Told, until

pytestmark = pytest.mark.pbx


@asynccontextmanager
async def _phones(sandbox: Sandbox, *users: str, plan: CallPlan) -> AsyncIterator[list[Phone]]:
    phones = [
        Phone(user, sandbox.agent_secrets[user], sandbox.host, sandbox.sip_port, behaviour=lambda _: plan)
        for user in users
    ]
    try:
        for phone in phones:
            await phone.register()
        await until(lambda: all(phone.agent.endpoint.counts["received"] > 2 for phone in phones))  # OPTIONS
        yield phones
    finally:
        for phone in phones:
            await phone.unregister()
            phone.close()


@asynccontextmanager
async def _caller(
    sandbox: Sandbox, *, patience_ms: int | None = None, name: str = ""
) -> AsyncIterator[SyntheticCaller]:
    trunk = UserAgent("trunk")
    await trunk.open()
    caller = place_call(
        trunk,
        (sandbox.host, sandbox.sip_port),
        entry="8001",
        number="0912345678",
        name=name,
        patience_ms=patience_ms,
    )
    try:
        yield caller
    finally:
        caller.hang_up()
        await until(lambda: not trunk.endpoint.open_count)
        trunk.close()


async def test_phones_register_by_digest_are_qualified_and_go(sandbox: Sandbox) -> None:
    async with _phones(sandbox, "a1001", "a1002", "a1003", plan=CallPlan()) as phones:
        contacts = sandbox.cli("pjsip show contacts")
        for phone in phones:
            assert phone.agent.contact in contacts
        await until(lambda: sandbox.cli("pjsip show contacts").count("Avail") == 3)
    assert "No objects found" in sandbox.cli("pjsip show contacts")


async def test_a_wrong_password_does_not_register(sandbox: Sandbox) -> None:
    phone = Phone("a1001", "wrong1234", sandbox.host, sandbox.sip_port, behaviour=lambda _: CallPlan())
    with pytest.raises(RegistrationRefused) as refused:
        await phone.register()
    assert refused.value.status == 401
    phone.close()


async def test_one_phone_calls_another_and_holds(sandbox: Sandbox) -> None:
    async with _phones(sandbox, "a1001", "a1002", plan=CallPlan(pick_up_ms=100)) as (here, there):
        told = Told()
        call = here.call("a1002", on_change=told)
        await until(lambda: call.state is CallState.TALKING)
        call.hold()
        await until(lambda: call.is_on_hold)
        call.resume()
        await until(lambda: not call.is_on_hold)
        there.calls[0].hang_up()
        await until(lambda: call.state is CallState.ENDED)
        assert told.states == ["ringing", "talking", "ended"]
        assert call.ended_by is EndedBy.PEER


async def test_a_caller_waits_with_patience_and_hangs_up(sandbox: Sandbox, events: RawAmi) -> None:
    async with _caller(sandbox, patience_ms=700) as caller:
        call_id = await asyncio.to_thread(waiting, events)
        call = await caller.ended()
        assert caller.gave_up
        assert call.ended_ms is not None
        assert 700 <= call.ended_ms - call.started_ms < 1300
        hangup = await asyncio.to_thread(events.event, "CCHangup", CallID=call_id)
        assert get(hangup, "State") == "waiting"


async def test_an_offered_caller_shows_name_and_number_and_the_phone_ends_the_talk(
    sandbox: Sandbox, events: RawAmi, control: RawAmi
) -> None:
    name = 'Lin "Amy" \\ <sip:a@b>, ${X} 王'
    async with (
        _phones(sandbox, "a1001", plan=CallPlan(pick_up_ms=100, talk_ms=400)) as (phone,),
        _caller(sandbox, name=name) as caller,
    ):
        seen: list[Call] = []
        phone.on_change = seen.append
        call_id = await asyncio.to_thread(waiting, events)
        await asyncio.to_thread(offer, control, call_id, "a1001")
        call = await caller.ended()
        assert call.ended_by is EndedBy.PEER
        assert not caller.gave_up
        assert seen[0].remote.user == "0912345678"
        # Asterisk keeps the quoting of the From header as part of the name, and quotes it once more
        assert seen[0].remote.name == name.replace("\\", "\\\\").replace('"', '\\"')
        assert seen[0].ended_by is EndedBy.US


async def test_a_blind_transfer_sends_the_caller_back_to_wait_and_frees_the_phone(
    sandbox: Sandbox, events: RawAmi, control: RawAmi
) -> None:
    plan = CallPlan(pick_up_ms=50, refer_at_ms=200, refer_to="q-support")
    async with _phones(sandbox, "a1001", plan=plan) as (phone,), _caller(sandbox) as caller:
        call_id = await asyncio.to_thread(waiting, events)
        await asyncio.to_thread(hear, control, call_id)
        await asyncio.to_thread(offer, control, call_id, "a1001")
        moved = await asyncio.to_thread(events.event, "CCTransfer", CallID=call_id)
        assert get(moved, "Target") == "q-support"
        await until(lambda: not phone.calls, 2)
        assert await asyncio.to_thread(variable, control, call_id, "CC_STATE") == "waiting"
        assert not caller.has_ended


@pytest.mark.long
async def test_a_crowd_on_the_fallback_queue_tells_what_the_channel_event_log_tells(
    sandbox: Sandbox, control: RawAmi
) -> None:
    """No server hears the callers, so after three seconds the PBX's own queue serves them."""
    users = list(sandbox.agent_secrets)
    habits = Habits(
        pick_up_mean_ms=300, talk_mean_ms=900, caller_ends_ratio=0.3, hold_ratio=0.2, refuse_ratio=0.1
    )
    scene = Scene(
        agents=[CrowdAgent(user=user, secret=sandbox.agent_secrets[user], habits=habits) for user in users],
        entry_points=[EntryPoint(number="8001", calls_per_s=2.5, patience_mean_ms=6_000)],
        seed=8,
        drain_s=15,
    )
    async with Crowd(scene, sandbox.host, sandbox.sip_port) as crowd:
        for user in users:
            await asyncio.to_thread(
                control.act, Action="QueueAdd", Queue="fallback-sales", Interface=f"PJSIP/{user}"
            )
        tally = await crowd.play(3)
    outcomes = tally.outcomes()
    assert outcomes["answered"] > 2
    assert outcomes["failed"] == 0
    assert not tally.strangers
    assert tally.malformed == 0
    numbers = {call.number for call in tally.calls}
    with sandbox.cel_path.open(newline="", encoding="utf-8") as lines:
        logged = [
            row for row in csv.reader(lines) if numbers & set(row) and any("trunk" in cell for cell in row)
        ]
    started = [row for row in logged if "CHAN_START" in row]
    ended = [row for row in logged if "CHAN_END" in row]
    assert len(started) == len(ended) == outcomes["offered"]
    assert {number for row in ended for number in numbers & set(row)} == numbers
