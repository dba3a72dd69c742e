"""A whole scene on a little exchange: every call is told once, with who answered and who hung up."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from telephony.synthetic.crowd import Crowd, CrowdAgent, Scene
from telephony.synthetic.draws import EntryPoint, Habits
from telephony.synthetic.errors import RegistrationRefused
from tests.telephony.synthetic.bench import QUICK, until
from tests.telephony.synthetic.little_pbx import LittlePbx

SECRETS = {"a1": "right1111", "b1": "right2222", "c1": "right3333"}
BRISK = Habits(
    pick_up_mean_ms=30, talk_mean_ms=120, no_answer_ratio=0.1, refuse_ratio=0.1, caller_ends_ratio=0.4
)


def _scene(
    habits: Habits = BRISK, *, calls_per_s: float = 15, patience_mean_ms: int = 400, **more: Any
) -> Scene:
    return Scene(
        agents=[CrowdAgent(user=user, secret=secret, habits=habits) for user, secret in SECRETS.items()],
        entry_points=[EntryPoint(number="8001", calls_per_s=calls_per_s, patience_mean_ms=patience_mean_ms)],
        seed=20,
        **more,
    )


async def test_every_call_of_a_scene_is_told_once_with_its_end() -> None:
    pbx = LittlePbx(SECRETS, sip_timers=QUICK)
    await pbx.open()
    async with Crowd(_scene(), *pbx.endpoint.local, timers=QUICK) as crowd:
        assert set(pbx.contacts) == set(SECRETS)
        tally = await crowd.play(1.5)
        assert crowd.waiting_count == crowd.talking_count == 0
    assert not pbx.contacts, "phones unregister at the end"
    assert not pbx.calls
    outcomes = tally.outcomes()
    assert outcomes["answered"] > 3
    assert outcomes["abandoned"] > 0
    assert outcomes["failed"] == outcomes["cut"] == 0
    assert sum(outcomes.values()) == 2 * outcomes["offered"]
    assert not tally.strangers
    assert len({call.sip_call_id for call in tally.calls}) == len(tally.calls)
    for call in tally.calls:
        assert call.ended_ms is not None
        assert call.pbx_answered_ms is not None
        for offer in call.offers:
            assert offer.number == call.number
            assert call.started_ms <= offer.invited_ms
        if call.outcome == "abandoned":
            assert call.gave_up
            assert call.ended_ms - call.started_ms == pytest.approx(call.patience_ms, abs=500)
        else:
            answer = call.answer
            assert answer is not None
            assert not call.gave_up, "an answered caller has patience"
            assert {call.ended_by, answer.ended_by} == {"us", "peer"}, "one side hangs up"
    assert json.loads(json.dumps(tally.as_dict()))["outcomes"] == outcomes
    pbx.close()


async def test_the_end_of_a_scene_cuts_what_stands() -> None:
    pbx = LittlePbx(SECRETS, sip_timers=QUICK, ring_s=10)
    await pbx.open()
    endless = _scene(Habits(no_answer_ratio=1.0), patience_mean_ms=10_000_000, drain_s=0.1)
    async with Crowd(endless, *pbx.endpoint.local, timers=QUICK) as crowd:
        tally = await crowd.play(0.5)
        assert tally.outcomes()["cut"] == tally.outcomes()["offered"] > 0
        await until(lambda: not pbx.calls)
    pbx.close()


async def test_a_scene_that_is_cancelled_still_ends_its_calls() -> None:
    pbx = LittlePbx(SECRETS, sip_timers=QUICK)
    await pbx.open()
    async with Crowd(_scene(), *pbx.endpoint.local, timers=QUICK) as crowd:
        playing = asyncio.create_task(crowd.play(60))
        await until(lambda: crowd.talking_count)
        playing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await playing
    assert not pbx.contacts
    await until(lambda: not pbx.calls)
    pbx.close()


async def test_a_crowd_with_a_wrong_password_does_not_start() -> None:
    pbx = LittlePbx({**SECRETS, "b1": "other4444"}, sip_timers=QUICK)
    await pbx.open()
    with pytest.raises(RegistrationRefused):
        async with Crowd(_scene(), *pbx.endpoint.local, timers=QUICK):
            raise AssertionError("it started")
    assert not pbx.contacts, "the phones that had registered are gone again"
    pbx.close()
