"""The seat that is left for a person: a caller comes in time, is heard and hears, and stays."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.centre.demo import SEAT_AGENT_ID, SEAT_QUEUE_ID, seed_demo_centre
from app.db import tables as t
from app.db.session import DEFAULT_TENANT, Database
from app.demo.centre import open_centre
from app.demo.content import plant_content
from app.demo.history import fill_history
from app.demo.history_demand import ZONE
from app.demo.seat import SeatCallers
from app.demo.visitors import page_links
from routing.ids import AgentId
from telephony.synthetic.calls import Call, CallState
from telephony.synthetic.phone import Phone
from telephony.synthetic.plans import CallPlan
from telephony.synthetic.rtp import RtpStream
from telephony.synthetic.sdp import PCMU, parse_sdp
from telephony.synthetic.sound import greeting
from telephony.synthetic.tally import CrowdTally
from tests.telephony.synthetic.bench import until

IN_TIME_S = 20.0
TALK_S = 6.0


@pytest.mark.pbx
@pytest.mark.long
@pytest.mark.db
async def test_whoever_takes_the_seat_is_called_and_both_are_heard(tmp_path: Path) -> None:
    said: list[str] = []
    answered: asyncio.Future[Call] = asyncio.get_running_loop().create_future()

    def changed(call: Call) -> None:
        if call.state is CallState.TALKING and not answered.done():
            answered.set_result(call)

    async with open_centre(tmp_path / "demo", said.append) as centre:
        assert SEAT_AGENT_ID not in centre.agent_ids
        stream, tally = RtpStream(greeting()), CrowdTally()
        secret = centre.sandbox.agent_secrets[SEAT_AGENT_ID]
        phone = Phone(
            SEAT_AGENT_ID,
            secret,
            *centre.pbx,
            behaviour=lambda _call: CallPlan(pick_up_ms=700),
            on_change=changed,
        )
        phone.agent.rtp_port, phone.agent.codecs = await stream.open(), (PCMU,)
        await phone.register()
        seat = SeatCallers(centre.pbx, tally, seed=1)
        calling = asyncio.create_task(seat.run(centre.floor))
        try:
            await asyncio.sleep(2)
            assert not seat.is_on_the_line, "nobody calls while nobody is there"
            await centre.set_state(AgentId(SEAT_AGENT_ID), "signed_in")
            await centre.set_state(AgentId(SEAT_AGENT_ID), "ready")
            ready_s = time.monotonic()
            call = await asyncio.wait_for(answered, IN_TIME_S)
            assert time.monotonic() - ready_s < IN_TIME_S
            assert call.invite is not None
            stream.speak(lambda: _where(call))
            await asyncio.sleep(TALK_S)
            floor = await centre.floor()
            [live] = [one for one in floor["interactions"].values() if one["queue_id"] == SEAT_QUEUE_ID]
            assert (live["phase"], live["agent_id"]) == ("connected", SEAT_AGENT_ID)
            assert stream.received_count > 100
            assert stream.heard_max > 0.05, "the caller is heard"
            assert seat.heard_max > 0.05, "and hears"
            assert seat.is_on_the_line, "the caller does not hang up"
            call.hang_up()
            await until(lambda: not seat.is_on_the_line)
        finally:
            calling.cancel()
            await asyncio.gather(calling, return_exceptions=True)
            await seat.stop()
            await seat.stop()
            stream.close()
            await phone.unregister()
            phone.close()
    [seen] = tally.calls
    assert (seen.ended_by, seen.was_cut, seen.gave_up) == ("peer", False, False)


def _where(call: Call) -> tuple[str, int] | None:
    """Where the PBX wants the sound of a call that it placed."""
    assert call.invite is not None
    session = parse_sdp(call.invite.body)
    return session.host, session.port


@pytest.mark.db
async def test_every_page_that_is_built_gets_a_link_of_its_role(database: Database) -> None:
    await seed_demo_centre(database, DEFAULT_TENANT)
    paths = ["/sign-in", "/desk", "/floor", "/calls"]
    links = await page_links(database, DEFAULT_TENANT, 8080, paths=paths)
    assert [link.path for link in links] == ["/desk", "/floor", "/calls"]
    assert links[0].url.startswith("http://127.0.0.1:8080/sign-in?next=/desk#link=")
    assert links[1].url.startswith("http://localhost:8080/sign-in?next=/floor#link=")
    again = await page_links(database, DEFAULT_TENANT, 8080, paths=paths)
    assert not {link.url for link in links} & {link.url for link in again}
    async with database.transaction(DEFAULT_TENANT) as connection:
        assert await connection.scalar(select(func.count()).select_from(t.account)) == 2
    assert await page_links(database, DEFAULT_TENANT, 8080, paths=["/desk"]) == [], "nowhere to sign in"


@pytest.mark.db
async def test_callers_of_the_last_days_have_notes_and_promises(database: Database) -> None:
    await seed_demo_centre(database, DEFAULT_TENANT)
    url = database.engine.url.render_as_string(hide_password=False)
    now = datetime.now(ZONE)
    await fill_history(database, url, DEFAULT_TENANT, today=now.date(), days=2)
    count = await plant_content(database, DEFAULT_TENANT, now)
    assert count > 50
    await plant_content(database, DEFAULT_TENANT, now + timedelta(days=1))
    async with database.transaction(DEFAULT_TENANT) as connection:
        notes = await connection.scalar(select(func.count()).select_from(t.party_note))
        due = [row.due_at for row in await connection.execute(select(t.promise.c.due_at))]
    assert notes == count
    assert due
    assert min(due) > now, "what is still open moved on"
