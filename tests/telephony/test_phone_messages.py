"""What the PBX says of browser phones, and what it is told."""

from __future__ import annotations

import pytest

from routing.commands import HoldInteraction, ReattachInteraction, UsePhone
from routing.ids import AgentId, InteractionId
from routing.phone_signals import BrowserPhoneLost, BrowserPhoneRegistered, PhoneKind
from routing.signals import DeviceLost, DeviceReachable, Signal
from telephony.ami.codec import AmiMessage
from telephony.phones import (
    instance_of,
    outside_device,
    phone_answer,
    phone_question,
    web_device,
    web_secret,
)
from telephony.translate import actions_of, signals_of

ANA = AgentId("a1001")
CALL = InteractionId("pbx1-1795326833.0")
URI = "sip:jgg7epvi@127.0.0.1:51694;transport=WS;x-ast-orig-host=j6romvqs6qm9.invalid:0"
WEB = {"PJSIP/a1001-web": ANA}


def contact(status: str, endpoint: str = "a1001-web", uri: str = URI) -> AmiMessage:
    return AmiMessage.of(
        ("Event", "ContactStatus"),
        ("Timestamp", "1795326833.5"),
        ("URI", uri),
        ("ContactStatus", status),
        ("AOR", endpoint),
        ("EndpointName", endpoint),
    )


@pytest.mark.parametrize("status", ["Created", "NonQualified", "Reachable"])
def test_a_page_that_registers_says_which_page_it_is(status: str) -> None:
    (signal,) = signals_of(contact(status), WEB)
    assert signal == BrowserPhoneRegistered(occurred_ms=1_795_326_833_500, agent_id=ANA, instance="jgg7epvi")


@pytest.mark.parametrize("status", ["Removed", "Unreachable"])
def test_a_page_that_goes_away_is_lost(status: str) -> None:
    (signal,) = signals_of(contact(status), WEB)
    assert signal == BrowserPhoneLost(occurred_ms=1_795_326_833_500, agent_id=ANA, instance="jgg7epvi")


def test_registrations_of_other_phones_are_no_news() -> None:
    assert signals_of(contact("Removed", "a1001"), {"PJSIP/a1001": ANA}) == ()
    assert signals_of(contact("Removed"), {"PJSIP/a1001": ANA}) == (), "a page whose agent chose the desk"
    assert signals_of(contact("Updated"), WEB) == ()


def test_the_re_attach_is_fenced_as_an_offer_is() -> None:
    command = ReattachInteraction(interaction_id=CALL, agent_id=ANA, attempt=3)
    ((*_, context, extension, _),) = actions_of(command, epoch=7, device_by_agent={})
    assert (context, extension) == (("Context", "cc-go"), ("Exten", "e7-t3-aa1001-r"))
    ((*_, context, extension, _),) = actions_of(
        HoldInteraction(interaction_id=CALL), epoch=7, device_by_agent={}
    )
    assert (context, extension) == (("Context", "cc-hold"), ("Exten", "again"))


def use(kind: PhoneKind, device: str) -> UsePhone:
    return UsePhone(agent_id=ANA, kind=kind, device=device)


def test_a_chosen_phone_is_a_global_of_the_agent() -> None:
    (action,) = actions_of(use(PhoneKind.BROWSER, web_device(ANA)), epoch=1, device_by_agent={})
    assert dict(action) == {
        "Action": "Setvar",
        "Variable": "CC_PHONE_a1001",
        "Value": "PJSIP/a1001-web",
    }


@pytest.mark.parametrize(
    ("kind", "value", "means"),
    [
        (
            PhoneKind.BROWSER,
            f"PJSIP/a1001-web/{URI}",
            [BrowserPhoneRegistered(agent_id=ANA, instance="jgg7epvi")],
        ),
        (PhoneKind.BROWSER, "", [DeviceLost(agent_id=ANA)]),
        (PhoneKind.DESK, "UNAVAILABLE", [DeviceLost(agent_id=ANA)]),
        (PhoneKind.DESK, "", []),
    ],
)
def test_what_a_chosen_phone_does_now_is_asked(kind: PhoneKind, value: str, means: list[Signal]) -> None:
    assert phone_question(use(kind, ""), "PJSIP/a1001") is not None
    answer = AmiMessage.of(("Response", "Success"), ("Value", value))
    assert list(phone_answer(use(kind, ""), answer)) == means


def test_a_desk_phone_that_is_there_is_reachable_and_an_outside_one_is_not_asked() -> None:
    found = phone_answer(use(PhoneKind.DESK, ""), AmiMessage.of(("Value", "NOT_INUSE")))
    assert found[0] == DeviceReachable(agent_id=ANA)
    assert phone_question(use(PhoneKind.EXTERNAL, outside_device("+886912345678")), "x") is None


def test_an_outside_device_is_never_more_than_a_number() -> None:
    for text in ("", "1&PJSIP/a1002", "1@other", "１２３", "*72"):
        with pytest.raises(ValueError, match="number"):
            outside_device(text)


def test_the_secret_of_an_endpoint_follows_from_the_master_and_the_agent() -> None:
    assert web_secret("master", ANA) == web_secret("master", ANA)
    assert len({web_secret(master, agent) for master in "ab" for agent in ("a1001", "a1002")}) == 4
    assert instance_of("sip:127.0.0.1") == ""


@pytest.mark.parametrize(("state", "counts"), [("offered", False), ("talking", True)])
def test_a_phone_outside_is_answered_when_somebody_pressed_1(state: str, counts: bool) -> None:
    message = AmiMessage.of(
        ("Event", "DialEnd"),
        ("DialStatus", "ANSWER"),
        ("DestChannel", "Local/+886912345678@cc-phone-out-00000000;1"),
        ("DestUniqueid", "pbx1-1795326833.2"),
        ("ChanVariable", f"CC_CALLID={CALL}"),
        ("ChanVariable", "CC_AGENT=a1001"),
        ("ChanVariable", "CC_ATTEMPT=1"),
        ("ChanVariable", f"CC_STATE={state}"),
    )
    assert bool(signals_of(message, {})) is counts
