"""Blind transfers, by the API and by the phone's key: one call, two agents, all of it in the log."""

from __future__ import annotations

import pytest

from tests.calls.centre import WRAP_UP_MS, CallCentre, ms
from tests.calls.exact import TOLERANCE_MS, near
from tests.calls.oracle import Story, agents, customer, events, kinds
from tests.pbx.sipp import Caller, Phone, Run, Sipp

pytestmark = [pytest.mark.pbx, pytest.mark.db]

TALK_MS = 1_000


def talking(centre: CallCentre, agent_id: str) -> str:
    """Wait until the agent talks; return the interaction's id."""
    centre.wait_agent(agent_id, "talking")
    return str(centre.floor()["agents"][agent_id]["interaction_id"])


def hold_to(
    story: Story, caller: Run, first: Run, second: Run, *, left_ms: float, who: tuple[str, str]
) -> None:
    """Hold a call that *first* gave away at *left_ms* and *second* talked to and ended, to sipp's script."""
    first_answered = first.first("sent", "200", "INVITE").at_ms
    second_rang, second_answered = (
        second.first("sent", "180").at_ms,
        second.first("sent", "200", "INVITE").at_ms,
    )
    ended = second.first("sent", "BYE").at_ms
    assert story["outcome"] == "answered"
    assert story["ended_by"] == "agent"
    assert ms(story["answered_at"]) == near(first_answered)
    assert ms(story["ended_at"]) == near(ended) == near(caller.first("received", "BYE").at_ms)
    track = customer(story)
    assert kinds(track) == ["entry", "queued", "ringing", "talking", "queued", "ringing", "talking"]
    _, _, _, talk, again, ring, talk_again = track
    assert talk.ended_ms == near(left_ms)
    assert again.length_ms == near(second_rang - left_ms)
    assert ring.length_ms == near(second_answered - second_rang)
    assert (talk.agent_id, talk_again.agent_id) == who
    assert talk_again.length_ms == near(ended - second_answered)
    both_ms = (left_ms - first_answered) + (ended - second_answered)
    assert story["talk_ms"] == pytest.approx(both_ms, abs=2 * TOLERANCE_MS), (
        "of two talks, each to the tolerance"
    )
    one, two = agents(story).values()
    assert kinds(one) == kinds(two) == ["ring", "talk", "wrap_up"]
    assert one[1].length_ms == near(left_ms - first_answered)
    assert one[2].started_ms == near(left_ms)
    assert one[2].length_ms == two[2].length_ms == near(WRAP_UP_MS)
    visits = story["visits"]
    assert [visit["exit_cause"] for visit in visits] == ["answered", "answered"]
    assert visits[1]["wait_ms"] == near(second_answered - left_ms)
    assert [offer["outcome"] for offer in story["offers"]] == ["answered", "answered"]
    assert len(events(story, "InteractionTransferred")) == 1


def test_by_the_api_to_a_queue(centre: CallCentre, sipp: Sipp) -> None:
    first, second = (
        sipp.phone("a1001", Phone(talk_ms=None)),
        sipp.phone("a1003", Phone(ring_ms=300, talk_ms=TALK_MS)),
    )
    centre.ready("a1001", "a1003")
    caller = sipp.call(Caller(entry="8001", number="0931000301"))
    interaction_id = talking(centre, "a1001")
    centre.require("POST", f"/calls/{interaction_id}/transfer", {"to_queue_id": "support"})
    centre.wait_agent("a1001", "wrap_up")
    assert caller.wait(20) == 0
    story = centre.story("0931000301")
    assert story["interaction_id"] == interaction_id
    left_ms = first.first("received", "BYE").at_ms
    hold_to(story, caller, first, second, left_ms=left_ms, who=("a1001", "a1003"))
    assert [visit["queue_id"] for visit in story["visits"]] == ["sales", "support"]
    (moved,) = events(story, "InteractionTransferred")
    assert (moved["body"]["from_agent_id"], moved["body"]["to_queue_id"]) == ("a1001", "support")


def test_by_the_api_to_a_ready_agent(centre: CallCentre, sipp: Sipp) -> None:
    first = sipp.phone("a1001", Phone(talk_ms=None))
    second = sipp.phone("a1002", Phone(ring_ms=300, talk_ms=TALK_MS))
    other = sipp.phone("a1007", Phone(talk_ms=TALK_MS))
    centre.ready("a1001", "a1007", "a1002")
    caller = sipp.call(Caller(entry="8001", number="0931000302"))
    interaction_id = talking(centre, "a1001")
    centre.require("POST", f"/calls/{interaction_id}/transfer", {"to_agent_id": "a1002"})
    assert caller.wait(20) == 0
    left_ms = first.first("received", "BYE").at_ms
    hold_to(centre.story("0931000302"), caller, first, second, left_ms=left_ms, who=("a1001", "a1002"))
    assert not other.all("received", "INVITE"), "ready for longer, but not the one who was named"


@pytest.mark.long
def test_to_a_busy_agent_the_caller_waits_for_that_agent_alone(centre: CallCentre, sipp: Sipp) -> None:
    first = sipp.phone("a1001", Phone(talk_ms=None))
    second = sipp.phone("a1002", Phone(ring_ms=100, talk_ms=3_000))
    other = sipp.phone("a1007", Phone(talk_ms=TALK_MS))
    centre.ready("a1001", "a1002")
    transferred = sipp.call(Caller(entry="8001", number="0931000303"))
    interaction_id = talking(centre, "a1001")
    before = sipp.call(Caller(entry="8001", number="0931000304"))
    talking(centre, "a1002")
    centre.ready("a1007")
    centre.require("POST", f"/calls/{interaction_id}/transfer", {"to_agent_id": "a1002"})
    assert before.wait(20) == 0
    assert transferred.wait(20) == 0
    assert not other.all("received", "INVITE"), "ready all the while, but not the one who was named"
    story = centre.story("0931000303")
    left_ms = first.first("received", "BYE").at_ms
    answered = second.all("sent", "200", "INVITE")[-1].at_ms
    track = customer(story)
    assert kinds(track) == ["entry", "queued", "ringing", "talking", "queued", "ringing", "talking"]
    assert story["visits"][1]["wait_ms"] == near(answered - left_ms)
    assert story["visits"][1]["wait_ms"] > WRAP_UP_MS, "the talk and the wrap-up before it"
    assert track[-1].agent_id == "a1002"


@pytest.mark.long  # the 20 s that a caller is held for one agent
def test_to_an_agent_who_stays_away_the_caller_is_given_to_the_queue(centre: CallCentre, sipp: Sipp) -> None:
    first = sipp.phone("a1001", Phone(talk_ms=None))
    away = sipp.phone("a1002", Phone(talk_ms=TALK_MS))
    other = sipp.phone("a1007", Phone(talk_ms=TALK_MS))
    centre.ready("a1001", "a1002")
    centre.state("a1002", "not_ready", reason="break")
    transferred = sipp.call(Caller(entry="8001", number="0931000305"))
    interaction_id = talking(centre, "a1001")
    centre.ready("a1007")
    centre.require("POST", f"/calls/{interaction_id}/transfer", {"to_agent_id": "a1002"})
    assert transferred.wait(40) == 0
    story = centre.story("0931000305")
    left_ms = first.first("received", "BYE").at_ms
    assert not away.all("received", "INVITE")
    # held for the named agent for 20 s (routing.transfers.PREFER_HOLD_MS), then whoever is ready
    rang_ms = other.first("sent", "180").at_ms
    assert rang_ms - left_ms == pytest.approx(20_000, abs=200)
    assert customer(story)[4].length_ms == near(rang_ms - left_ms)
    assert customer(story)[-1].agent_id == "a1007"


@pytest.mark.parametrize(
    ("target", "number"),
    [("q-support", "0931000306"), ("a-a1003", "0931000307")],
    ids=["to a queue", "to an agent"],
)
def test_by_the_phones_own_key(centre: CallCentre, sipp: Sipp, target: str, number: str) -> None:
    first = sipp.phone("a1001", Phone(refer=(700, target)))
    second = sipp.phone("a1003", Phone(ring_ms=300, talk_ms=TALK_MS))
    centre.ready("a1001", "a1003")
    caller = sipp.call(Caller(entry="8001", number=number))
    assert caller.wait(20) == 0
    story = centre.story(number)
    left_ms = first.first("sent", "REFER").at_ms
    hold_to(story, caller, first, second, left_ms=left_ms, who=("a1001", "a1003"))
    assert [visit["queue_id"] for visit in story["visits"]] == [
        "sales",
        "support" if target.startswith("q-") else "sales",
    ]


def test_a_transfer_that_names_nothing_possible_is_refused_and_the_talk_goes_on(
    centre: CallCentre, sipp: Sipp
) -> None:
    phone = sipp.phone("a1001", Phone(talk_ms=1_500))
    centre.ready("a1001")
    caller = sipp.call(Caller(entry="8001", number="0931000308"))
    interaction_id = talking(centre, "a1001")
    for body, error_id in (
        ({"to_queue_id": "nowhere"}, "unknown_queue"),
        ({"to_agent_id": "a1002"}, "agent_not_available"),
        ({"to_agent_id": "a1001"}, "agent_not_available"),
        ({"to_agent_id": "a9999"}, "unknown_agent"),
    ):
        status, answer = centre.ask("POST", f"/calls/{interaction_id}/transfer", body)
        assert (status, answer["error_id"]) == (409, error_id)
    assert caller.wait(20) == 0
    story = centre.story("0931000308")
    assert kinds(customer(story)) == ["entry", "queued", "ringing", "talking"]
    talk_ms = phone.first("sent", "BYE").at_ms - phone.first("sent", "200", "INVITE").at_ms
    assert story["talk_ms"] == near(talk_ms)
