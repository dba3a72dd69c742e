"""Who calls: the match that is stored with the call, and names that want to be more than names."""

from __future__ import annotations

from uuid import UUID

import pytest

from app.customers.numbers import parse_number
from app.customers.parties import Link, NewParty, create_party, link_identifier
from app.db.session import DEFAULT_TENANT, Database
from tests.calls.centre import CallCentre, ms
from tests.calls.exact import near
from tests.pbx.sipp import Caller, Phone, Run, Sipp, poll

pytestmark = [pytest.mark.pbx, pytest.mark.db]

KNOWN = "0931000101"
SHARED = "0931000102"
SWITCHBOARD = "02-2771-2345"
_MATCH_S = 10


@pytest.fixture(scope="module")
def parties(shared_centre: CallCentre) -> dict[str, UUID]:
    """王小明 and his number, a couple who share one, and a company's switchboard with two people behind."""

    async def create(database: Database) -> dict[str, UUID]:
        found: dict[str, UUID] = {}
        async with database.transaction(DEFAULT_TENANT) as connection:

            async def add(name: str, number: str, kind: str = "person", extension: str = "") -> None:
                party = NewParty(kind=kind, display_name=name)
                found[name] = await create_party(connection, DEFAULT_TENANT, party)
                await link_identifier(
                    connection,
                    DEFAULT_TENANT,
                    found[name],
                    parse_number(number, "TW", "02"),
                    link=Link(extension=extension),
                )

            await add("王小明", KNOWN)
            await add("陳先生", SHARED)
            await add("陳太太", SHARED)
            await add("林經理", SWITCHBOARD, extension="123")
            await add("黃小姐", SWITCHBOARD, extension="456")
        return found

    created: dict[str, UUID] = shared_centre.in_database(create)
    return created


def match_of(centre: CallCentre, number: str) -> dict[str, object]:
    """Return the logged call of a caller who waited and hung up, once its match is stored."""
    story = centre.story(number)

    def stored() -> bool:
        story.update(centre.require("GET", f"/calls/{story['interaction_id']}"))
        return bool(story["match"])

    poll(stored, _MATCH_S, lambda: f"no match is stored: {story}")
    assert story["outcome"] in ("abandoned", "short_abandon"), story["outcome"]
    return story


def call_and_leave(sipp: Sipp, number: str) -> Run:
    run = sipp.call(Caller(entry="8001", number=number, hangs_up_after_ms=300))
    assert run.wait(10) == 0, run.trace()
    return run


def test_a_known_number_is_stored_with_its_party(
    centre: CallCentre, sipp: Sipp, parties: dict[str, UUID]
) -> None:
    run = call_and_leave(sipp, KNOWN)
    story = match_of(centre, KNOWN)
    assert story["party_id"] == str(parties["王小明"])
    assert (story["match_method"], story["match_confidence"]) == ("identifier", 70)
    assert ms(str(story["ended_at"])) == near(run.first("sent", "BYE").at_ms)


def test_the_same_number_written_with_its_country_is_the_same_party(
    centre: CallCentre, sipp: Sipp, parties: dict[str, UUID]
) -> None:
    call_and_leave(sipp, "+886931000101")
    story = match_of(centre, "+886931000101")
    assert story["party_id"] == str(parties["王小明"])


def test_an_unknown_number_is_nobody(centre: CallCentre, sipp: Sipp) -> None:
    call_and_leave(sipp, "0931000109")
    story = match_of(centre, "0931000109")
    assert (story["party_id"], story["match_method"], story["match_confidence"]) == (None, "none", 0)
    body = story["match"]
    assert isinstance(body, dict)
    assert body["outcome"] == "unknown"
    assert (body["number"], body["number_kind"], body["candidates"]) == ("+886931000109", "e164", [])


def test_a_withheld_number_is_nobody_and_never_looked_up(centre: CallCentre, sipp: Sipp) -> None:
    call_and_leave(sipp, "anonymous")
    story = match_of(centre, "anonymous")
    assert (story["party_id"], story["match_method"]) == (None, "none")
    body = story["match"]
    assert isinstance(body, dict)
    assert (body["outcome"], body["number_kind"]) == ("withheld", "withheld")


def test_a_shared_number_shows_both_and_guesses_neither(
    centre: CallCentre, sipp: Sipp, parties: dict[str, UUID]
) -> None:
    call_and_leave(sipp, SHARED)
    story = match_of(centre, SHARED)
    assert (story["party_id"], story["match_confidence"]) == (None, 0)
    body = story["match"]
    assert isinstance(body, dict)
    assert body["outcome"] == "several"
    found = {candidate["party_id"] for candidate in body["candidates"]}
    assert found == {str(parties["陳先生"]), str(parties["陳太太"])}


@pytest.mark.parametrize("number", ["02-2771-2345#123", "0227712345x123"], ids=["after a hash", "after an x"])
def test_the_extension_tells_who_stands_behind_a_shared_line(
    centre: CallCentre, sipp: Sipp, parties: dict[str, UUID], number: str
) -> None:
    call_and_leave(sipp, number)
    story = match_of(centre, number)
    assert story["party_id"] == str(parties["林經理"])
    assert story["match_method"] == "identifier_and_extension"


# ---------------------------------------------------------------- hostile names

NAMES = {
    "0931000201": "Event: VarSet",
    "0931000202": "x,CallID: forged,Agent: a1002",
    "0931000203": "${SHELL(touch pwned)}${CC_AGENT}",
    "0931000204": '$["1"="1"]" & Set(CC_QUEUE=support)',
    "0931000205": "a\\r\\nAction: Hangup\\r\\nChannel: all",
    "0931000206": "'; DROP TABLE interaction; --",
    "0931000207": "<script>alert(1)</script>",
    "0931000208": "|&;(){}~`!#%^*=?",
    "0931000209": "王小明 \u202e轉123",
    "0931000210": "😀 👩‍👩‍👧 𠮷野家",
    "0931000211": "line\u2028separator\u0085next line",
    "0931000212": 'a "quoted" \\ name\\',
    "0931000213": "x" * 200,
    "0931000214": "",
}
CARRIED_MAX = 79  # bytes of a caller's name that Asterisk keeps


@pytest.fixture
def crew(centre: CallCentre, sipp: Sipp) -> list[str]:
    """Four agents who take sales calls as fast as they come."""
    names = ["a1001", "a1002", "a1007", "a1008"]
    for name in names:
        sipp.phone(name, Phone(ring_ms=50, talk_ms=200))
    centre.ready(*names)
    return names


def test_whatever_a_caller_is_called_the_call_is_served_and_the_name_is_in_the_log(
    centre: CallCentre, sipp: Sipp, crew: list[str]
) -> None:
    seen = centre.sandbox.log_path.stat().st_size
    runs = {
        number: sipp.call(Caller(entry="8001", number=number, name=name)) for number, name in NAMES.items()
    }
    for number, run in runs.items():
        assert run.wait(40) == 0, (NAMES[number], run.trace())
    wrong: list[object] = []
    for number, name in NAMES.items():
        story = centre.story(number)
        if (story["outcome"], story["queue_id"], story["ended_by"]) != ("answered", "sales", "agent"):
            wrong.append((name, story["outcome"], story["queue_id"], story["ended_by"]))
        if story["agent_id"] not in crew or len(story["offers"]) != 1:
            wrong.append((name, story["agent_id"], story["offers"]))
        kept = story["caller_name"]
        if not (
            kept == name or (len(name) > CARRIED_MAX and len(kept) >= CARRIED_MAX and name.startswith(kept))
        ):
            wrong.append((name, "is logged as", kept))
    assert not wrong
    assert not (centre.sandbox.run / "pwned").exists()
    told = centre.sandbox.log_path.read_bytes()[seen:].decode("utf-8", "replace")
    assert not [line for line in told.splitlines() if " ERROR[" in line or "] ERROR" in line]
    assert centre.sandbox.is_running()
    status, _ = centre.ask("GET", "/floor")
    assert status == 200
