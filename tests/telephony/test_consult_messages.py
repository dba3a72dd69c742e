"""What the PBX says of consults, conferences and numbers outside, and what it is told."""

from __future__ import annotations

import pytest

from routing.commands import (
    Command,
    CompleteConsult,
    DialOutside,
    EndConsult,
    EndLeg,
    StartConference,
    StartConsult,
)
from routing.ids import AgentId, InteractionId, LegId
from routing.signals import OfferFailure, Signal
from routing.transfer_signals import (
    ConsultAgentLeft,
    ConsultLegAnswered,
    ConsultLegEnded,
    ConsultLegRang,
    OutsideLegAnswered,
    OutsideLegEnded,
)
from telephony.ami.codec import AmiMessage
from telephony.translate import actions_of, signals_of

ANA, BEN = AgentId("a1001"), AgentId("a1002")
CALL = InteractionId("pbx1-1795326833.0")
LEG, ASKED = LegId("pbx1-1795326834.1"), LegId("pbx1-1795326835.2")
NUMBER = "+886287654321"


def said(*pairs: tuple[str, str]) -> list[Signal]:
    return list(signals_of(AmiMessage.of(*pairs), {}))


def told(name: str, **headers: str) -> list[Signal]:
    return said(("Event", "UserEvent"), ("UserEvent", name), ("CallID", CALL), *headers.items())


def dialled(event: str, status: str, state: str) -> list[Signal]:
    variables = (f"CC_CALLID={CALL}", "CC_ATTEMPT=2", f"CC_STATE={state}", "CC_AGENT=a1001")
    return said(
        ("Event", event),
        ("DialStatus", status),
        ("DestUniqueid", ASKED),
        *(("ChanVariable", text) for text in variables),
    )


def test_the_dial_of_an_agents_own_leg_is_a_consults() -> None:
    rang = ConsultLegRang(interaction_id=CALL, attempt=2, leg_id=ASKED)
    answered = ConsultLegAnswered(interaction_id=CALL, attempt=2, leg_id=ASKED)
    assert dialled("DialState", "RINGING", "consult") == [rang]
    assert dialled("DialEnd", "ANSWER", "consult") == [answered]
    assert dialled("DialEnd", "BUSY", "consult") == []
    assert dialled("DialState", "RINGING", "external") == []
    assert dialled("DialEnd", "ANSWER", "external") == [
        OutsideLegAnswered(interaction_id=CALL, attempt=2, leg_id=ASKED)
    ]


@pytest.mark.parametrize(
    ("event", "kind"), [("CCConsultEnd", ConsultLegEnded), ("CCOutsideEnd", OutsideLegEnded)]
)
def test_a_third_party_that_is_not_there_says_why(event: str, kind: type[Signal]) -> None:
    for status, cause, failure in (
        ("ANSWER", "16", None),
        ("NOANSWER", "0", OfferFailure.NO_ANSWER),
        ("BUSY", "17", OfferFailure.BUSY),
        ("CHANUNAVAIL", "21", OfferFailure.REJECTED),
        ("CHANUNAVAIL", "0", OfferFailure.DEVICE_ERROR),
    ):
        (signal,) = told(event, Attempt="2", DialStatus=status, HangupCause=cause)
        assert isinstance(signal, ConsultLegEnded | OutsideLegEnded)
        assert type(signal) is kind
        assert (signal.cause, signal.attempt) == (failure, 2), status
    assert told(event, Attempt="2", DialStatus="CANCEL") == []


def test_a_phone_that_hangs_up_is_named_but_for_one_outside() -> None:
    left = ConsultAgentLeft(interaction_id=CALL, attempt=2, agent_id=BEN)
    assert told("CCLegLeft", Agent="a1002", Attempt="2", State="conference") == [left]
    outside = ConsultAgentLeft(interaction_id=CALL, attempt=2)
    assert told("CCLegLeft", Agent="", Attempt="2", State="conference") == [outside]


@pytest.mark.parametrize(
    ("command", "places"),
    [
        (
            StartConsult(interaction_id=CALL, leg_id=LEG, attempt=2, to_agent_id=BEN, to_number=""),
            [(CALL, "cc-hold", "consult", LEG, "cc-consult", "e7-t2-aa1002")],
        ),
        (
            StartConsult(interaction_id=CALL, leg_id=LEG, attempt=2, to_agent_id=None, to_number=NUMBER),
            [(CALL, "cc-hold", "consult", LEG, "cc-consult", f"e7-t2-n{NUMBER}")],
        ),
        (
            EndConsult(interaction_id=CALL, agent_id=ANA, leg_id=LEG, attempt=2),
            [(CALL, "cc-take", "e7-t2-aa1001-r", LEG, "cc-idle", "s")],
        ),
        (
            CompleteConsult(interaction_id=CALL, attempt=2, to_agent_id=BEN),
            [(CALL, "cc-take", "e7-t2-aa1002", None, None, None)],
        ),
        (
            CompleteConsult(interaction_id=CALL, attempt=2, to_agent_id=None),
            [(CALL, "cc-take", "e7-t2-n", None, None, None)],
        ),
        (
            StartConference(interaction_id=CALL, leg_id=LEG, to_leg_id=ASKED),
            [(LEG, "cc-conf", "leg", ASKED, "cc-conf", "leg"), (CALL, "cc-conf", "s", None, None, None)],
        ),
        (
            DialOutside(interaction_id=CALL, attempt=3, to_number=NUMBER),
            [(CALL, "cc-out", f"e7-t3-n{NUMBER}", None, None, None)],
        ),
    ],
)
def test_a_command_sends_legs_to_their_places(command: Command, places: list[tuple[str | None, ...]]) -> None:
    names = ("Channel", "Context", "Exten", "ExtraChannel", "ExtraContext", "ExtraExten")
    actions = [dict(action) for action in actions_of(command, epoch=7, device_by_agent={})]
    assert all(action["Action"] == "Redirect" for action in actions)
    assert [tuple(action.get(name) for name in names) for action in actions] == places


def test_one_leg_of_a_conference_is_hung_up_by_its_id() -> None:
    (action,) = actions_of(EndLeg(interaction_id=CALL, leg_id=ASKED), epoch=7, device_by_agent={})
    assert dict(action) == {"Action": "Hangup", "Channel": ASKED, "Cause": "16"}
