"""A consult over the death of the server: what the agents do goes on, and the new server knows of it."""

from __future__ import annotations

import pytest

from tests.calls.centre import CallCentre, ms
from tests.calls.exact import near
from tests.calls.oracle import agents, customer, events, kinds
from tests.pbx.sipp import Caller, Phone, Sipp, poll

pytestmark = [pytest.mark.pbx, pytest.mark.db, pytest.mark.long]


def consulting(centre: CallCentre, sipp: Sipp, number: str) -> str:
    """a1001 talks with a caller and asks a1002, who has answered; return the interaction's id."""
    sipp.phone("a1001", Phone(ring_ms=100, talk_ms=None))
    centre.ready("a1001", "a1002")
    sipp.call(Caller(entry="8001", number=number))
    centre.wait_agent("a1001", "talking")
    interaction_id = str(centre.floor()["agents"]["a1001"]["interaction_id"])
    centre.require("POST", f"/calls/{interaction_id}/consult", {"to_agent_id": "a1002"})
    centre.wait_agent("a1002", "talking")
    assert centre.floor()["agents"]["a1001"]["state"] == "holding"
    return interaction_id


def test_a_server_that_comes_back_in_mid_consult_hands_the_caller_over(
    centre: CallCentre, sipp: Sipp
) -> None:
    asked = sipp.phone("a1002", Phone(ring_ms=100, talk_ms=15_000))
    interaction_id = consulting(centre, sipp, "0931000701")
    centre.kill_server()
    centre.start_server()
    floor = centre.floor()
    assert (floor["agents"]["a1001"]["state"], floor["agents"]["a1002"]["state"]) == ("holding", "talking")
    done = centre.require("POST", f"/calls/{interaction_id}/consult/complete")
    centre.wait_agent("a1001", "wrap_up")
    story = centre.story("0931000701", 40)
    assert kinds(customer(story)) == ["entry", "queued", "ringing", "talking", "held", "talking"]
    assert customer(story)[-1].started_ms == near(done["at_ms"])
    assert ms(story["ended_at"]) == near(asked.first("sent", "BYE").at_ms)
    one, two = agents(story).values()
    assert kinds(one) == ["ring", "talk", "consult", "wrap_up"]
    assert kinds(two) == ["ring", "consult", "talk", "wrap_up"]
    (moved,) = events(story, "InteractionTransferred")
    assert (moved["body"]["kind"], moved["body"]["to_agent_id"]) == ("attended", "a1002")


def test_when_the_asked_phone_hangs_up_while_no_server_runs_the_agent_gets_the_caller_back(
    centre: CallCentre, sipp: Sipp
) -> None:
    asked = sipp.phone("a1002", Phone(ring_ms=100, talk_ms=2_500))
    interaction_id = consulting(centre, sipp, "0931000702")
    centre.kill_server()
    poll(lambda: bool(asked.all("sent", "BYE")), 10)
    centre.start_server()
    status, _ = centre.ask("POST", f"/calls/{interaction_id}/consult/cancel")
    assert status in (200, 409), "asked for, or seen by the snapshot already"
    centre.wait_agent("a1001", "talking")
    centre.require("POST", f"/calls/{interaction_id}/hangup")  # before the two are bridged again
    poll(lambda: "a1001" not in centre.sandbox.cli("core show channels concise"), 3)
    story = centre.story("0931000702", 40)
    assert kinds(customer(story))[-2:] == ["held", "talking"]
    assert kinds(agents(story)["a1001#1"]) == ["ring", "talk", "consult", "talk", "wrap_up"]
