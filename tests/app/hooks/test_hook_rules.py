"""What the dialplan is told, from the demo's centre."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.centre.demo import demo_centre
from app.centre.exchange import from_plain, to_plain
from app.customers.identify_rules import Candidate, Match, match
from app.customers.numbers import parse_number
from app.hooks.page import EXAMPLES, PAGE, documented_registry, page
from app.hooks.rules import (
    CentreBook,
    WaitRange,
    hours_variables,
    inbound_variables,
    match_variables,
    open_state,
    wait_variables,
)

_BOOK = CentreBook.of(demo_centre())
_NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)  # Sunday 11:00 in Taipei
_WANG = UUID(int=1)


def _match(number: str = "0912345678", *candidates: Candidate) -> Match:
    return match(parse_number(number, "TW", "02"), candidates, _NOW)


def _wang(preferred_agent: str = "") -> Candidate:
    return Candidate(
        party_id=_WANG,
        linked_party_id=_WANG,
        display_name="王小明",
        language="zh_TW",
        preferred_agent=preferred_agent,
    )


def test_a_call_goes_where_its_number_leads_however_the_trunk_writes_it() -> None:
    for written in ("0277000001", "+886277000001", "886277000001", "77000001", "02-7700-0001"):
        assert inbound_variables(_BOOK, written, _match(), _NOW)["CC_QUEUE"] == "sales", written
    assert inbound_variables(_BOOK, "0299999999", _match(), _NOW)["CC_QUEUE"] == "support"
    assert inbound_variables(_BOOK, "", _match(), _NOW)["CC_QUEUE"] == "support"


def test_seconds_of_priority_become_milliseconds_and_the_ring_time_is_the_queues() -> None:
    english = inbound_variables(_BOOK, "0277000004", _match(), _NOW)
    assert (english["CC_PRIORITY"], english["CC_LANG"], english["CC_RING_S"]) == ("10000", "en", "15")
    assert inbound_variables(_BOOK, "0277000001", _match(), _NOW)["CC_RING_S"] == "12"


def test_the_customers_own_agent_is_preferred_only_when_there_is_such_an_agent() -> None:
    known = inbound_variables(_BOOK, "0277000001", _match("0912345678", _wang(preferred_agent="a1002")), _NOW)
    gone = inbound_variables(_BOOK, "0277000001", _match("0912345678", _wang(preferred_agent="a9999")), _NOW)
    assert (known["CC_PREFER"], gone["CC_PREFER"]) == ("a1002", "")
    assert (known["CC_MATCH"], known["CC_PARTY"], known["CC_PARTY_NAME"]) == ("match", str(_WANG), "王小明")


def test_several_people_are_never_narrowed_to_one() -> None:
    other = Candidate(party_id=UUID(int=2), linked_party_id=UUID(int=2), preferred_agent="a1001")
    told = inbound_variables(_BOOK, "0277000001", _match("0912345678", _wang(), other), _NOW)
    assert (told["CC_MATCH"], told["CC_PARTY"], told["CC_PARTY_NAME"], told["CC_PREFER"]) == (
        "several",
        "",
        "",
        "",
    )


def test_a_withheld_caller_has_no_number() -> None:
    told = match_variables(_match("anonymous"))
    assert (told["CC_MATCH"], told["CC_NUMBER"], told["CC_NUMBER_KIND"]) == ("withheld", "", "withheld")


def test_hours_come_from_the_calendar_named_else_the_entry_point_else_the_queue() -> None:
    assert not open_state(_BOOK, _NOW, calendar_id="office").open
    assert open_state(_BOOK, _NOW, dialled="0277000001").open
    assert open_state(_BOOK, _NOW, queue_id="billing").reason == "shift"
    assert open_state(_BOOK, _NOW, queue_id="none").reason == "no_calendar"
    told = hours_variables(open_state(_BOOK, _NOW, calendar_id="office"))
    monday = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
    assert told == {
        "CC_OPEN": "0",
        "CC_OPEN_REASON": "day_off",
        "CC_OPEN_DETAIL": "",
        "CC_OPEN_NEXT": str(int(monday.timestamp())),
    }


def test_a_closed_entry_point_is_told_with_the_queue_so_that_the_dialplan_decides() -> None:
    plain = to_plain(demo_centre())
    plain["entry_point"][0]["calendar_id"] = "office"
    told = inbound_variables(CentreBook.of(from_plain(plain)), "0277000001", _match(), _NOW)
    assert (told["CC_OPEN"], told["CC_QUEUE"]) == ("0", "sales")


def test_an_expected_wait_is_a_range_in_seconds_and_in_minutes_rounded_up() -> None:
    assert wait_variables(WaitRange(low_s=59.6, high_s=121)) == {
        "CC_EWT_LOW_S": "60",
        "CC_EWT_HIGH_S": "121",
        "CC_EWT_LOW_MIN": "1",
        "CC_EWT_HIGH_MIN": "3",
    }
    assert set(wait_variables(None).values()) == {""}


@given(dialled=st.text(max_size=30), number=st.text(max_size=30))
def test_any_dialled_and_calling_text_is_answered(dialled: str, number: str) -> None:
    told = inbound_variables(_BOOK, dialled, _match(number), _NOW)
    assert told["CC_QUEUE"] in _BOOK.queues


def test_what_the_rules_tell_is_what_the_routes_declare() -> None:
    declared = {route["path"]: set(route["returns"]) for route in documented_registry().describe()}
    assert set(inbound_variables(_BOOK, "0277000001", _match(), _NOW)) == declared["inbound"]
    assert set(match_variables(_match())) == declared["identify"]
    assert set(wait_variables(None)) == declared["ewt"]
    assert declared.keys() == EXAMPLES.keys()


def test_the_page_is_as_the_routes_are() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(documented_registry()), "python -m app.hooks.page"
