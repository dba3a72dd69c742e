"""The routes behind a real FastAGI server and a real PostgreSQL, asked as Asterisk asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from app.centre.demo import demo_centre, demo_customers, seed_demo_centre
from app.customers.identify_rules import Match
from app.db.session import DEFAULT_TENANT, Database
from app.hooks.routes import Hooks, register
from app.hooks.rules import CentreBook, WaitRange
from telephony.agi.registry import AgiRegistry
from telephony.agi.server import AgiServer

pytestmark = pytest.mark.db

_NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


class Seen:
    """What the callbacks were given."""

    def __init__(self) -> None:
        self.matches: list[tuple[str, Match]] = []
        self.late: asyncio.Queue[tuple[str, Match]] = asyncio.Queue()


@pytest.fixture
async def hooks(database: Database) -> tuple[Hooks, Seen]:
    await seed_demo_centre(database, DEFAULT_TENANT)
    seen, book = Seen(), CentreBook.of(demo_centre())
    return Hooks(
        database=database,
        tenant_id=DEFAULT_TENANT,
        book=lambda: book,
        now=lambda: _NOW,
        expected_wait=lambda queue_id: WaitRange(low_s=30, high_s=90) if queue_id == "sales" else None,
        on_match=lambda call, match: seen.matches.append((call, match)),
        on_late=lambda call, match: seen.late.put_nowait((call, match)),
    ), seen


@pytest.fixture
async def server(hooks: tuple[Hooks, Seen]) -> AsyncIterator[AgiServer]:
    registry = AgiRegistry()
    register(registry, hooks[0])
    server = AgiServer(registry)
    await server.start()
    yield server
    await server.stop()


async def _ask(
    server: AgiServer, script: str, caller: str = "unknown", dnid: str = "unknown"
) -> dict[str, str]:
    """Ask as the PBX does; return the variables that were set, in order."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    lines = {
        "agi_network": "yes",
        "agi_network_script": script,
        "agi_uniqueid": "pbx1-1763790000.7",
        "agi_callerid": caller,
        "agi_calleridname": "unknown",
        "agi_dnid": dnid,
        "agi_extension": "s",
    }
    writer.write("".join(f"{name}: {value}\n" for name, value in lines.items()).encode() + b"\n")
    told: dict[str, str] = {}
    async with asyncio.timeout(10):
        while line := (await reader.readline()).decode().strip():
            body = line.partition("MSet ")[2].strip().strip('"')
            for pair in body.split(","):
                name, _, value = pair.partition("=")
                told[name.strip()] = value
            writer.write(b"200 result=0\n")
            if "CC_DONE" in told:
                break
    writer.close()
    return told


async def test_a_known_caller_is_decorated_in_one_question(
    server: AgiServer, hooks: tuple[Hooks, Seen]
) -> None:
    customer = demo_customers()[-1]
    told = await _ask(server, "inbound", customer.numbers[0], "0277000001")
    assert (told["CC_QUEUE"], told["CC_RING_S"], told["CC_LANG"], told["CC_OPEN"]) == (
        "sales",
        "12",
        "zh_TW",
        "1",
    )
    assert (told["CC_MATCH"], told["CC_PARTY"]) == ("match", str(customer.party_id))
    assert list(told)[-1] == "CC_DONE"
    assert [(call, found.party_id) for call, found in hooks[1].matches] == [
        ("pbx1-1763790000.7", customer.party_id)
    ]


@pytest.mark.parametrize(
    ("caller", "outcome"),
    [
        ("unknown", "withheld"),
        ("anonymous", "withheld"),
        ("0999888777", "unknown"),
        ("1001", "unknown"),
        ("'; DROP TABLE party; --", "unknown"),
        ("02-2800-2000", "several"),
    ],
)
async def test_every_caller_gets_a_queue(server: AgiServer, caller: str, outcome: str) -> None:
    told = await _ask(server, "inbound?entry=0277000003", caller)
    assert (told["CC_MATCH"], told["CC_QUEUE"], told["CC_PARTY"]) == (outcome, "billing", "")


async def test_a_caller_id_whose_check_failed_names_nobody(server: AgiServer) -> None:
    number = demo_customers()[-1].numbers[0]
    forged = await _ask(server, "inbound?verstat=TN-Validation-Failed", number, "0277000001")
    assert [
        forged[name] for name in ("CC_MATCH", "CC_PARTY", "CC_PARTY_NAME", "CC_PREFER", "CC_ATTESTATION")
    ] == [*("several", "", "", "", "failed")]
    attested = await _ask(server, "identify?verstat=TN-Validation-Passed", number)
    plain = await _ask(server, "identify", number)
    assert (attested["CC_MATCH"], plain["CC_MATCH"]) == ("match", "match")
    assert int(attested["CC_CONFIDENCE"]) > int(plain["CC_CONFIDENCE"]) > 0


async def test_the_other_routes_answer_from_any_dialplan(server: AgiServer) -> None:
    customer = demo_customers()[-1]
    assert (await _ask(server, "identify", customer.numbers[0]))["CC_MATCH"] == "match"
    assert (await _ask(server, "hours?calendar=office"))["CC_OPEN"] == "0"
    assert (await _ask(server, "hours", dnid="0277000001"))["CC_OPEN"] == "1"
    assert (await _ask(server, "ewt?queue=sales"))["CC_EWT_HIGH_S"] == "90"
    assert (await _ask(server, "ewt?queue=nonsense"))["CC_EWT_HIGH_S"] == ""


async def test_a_customers_fact_comes_with_a_default(server: AgiServer) -> None:
    customer = next(each for each in demo_customers() if each.tier == "vip")
    by_id = await _ask(server, f"attribute?name=tier&default=regular&party={customer.party_id}")
    by_number = await _ask(server, "attribute?name=tier&default=regular", customer.numbers[0])
    assert (by_id["CC_ATTRIBUTE"], by_id["CC_ATTRIBUTE_FOUND"]) == ("vip", "1")
    assert by_number["CC_ATTRIBUTE"] == "vip"
    for script in (
        "attribute?name=shoe_size&default=none",
        "attribute?name=a;b&default=none",
        "attribute?default=none",
    ):
        nothing = await _ask(server, script, customer.numbers[0])
        assert (nothing["CC_ATTRIBUTE"], nothing["CC_ATTRIBUTE_FOUND"]) == ("none", "0")


async def test_a_slow_database_costs_the_name_and_not_the_queue(
    server: AgiServer, hooks: tuple[Hooks, Seen]
) -> None:
    customer = demo_customers()[-1]
    async with hooks[0].database.owner_transaction() as blocker:
        await blocker.execute(text("LOCK TABLE identifier IN ACCESS EXCLUSIVE MODE"))
        told = await _ask(server, "inbound", customer.numbers[0], "0277000001")
        fact = await _ask(server, "attribute?name=tier&default=regular", customer.numbers[0])
    assert (told["CC_MATCH"], told["CC_QUEUE"], told["CC_LANG"]) == ("late", "sales", "zh_TW")
    assert fact["CC_ATTRIBUTE"] == "regular"
    assert hooks[1].matches == []
    async with asyncio.timeout(10):
        call, found = await hooks[1].late.get()
    assert (call, found.party_id) == ("pbx1-1763790000.7", customer.party_id)


async def test_no_database_at_all_still_decorates(hooks: tuple[Hooks, Seen]) -> None:
    nowhere = Database("postgresql+asyncpg://nobody@127.0.0.1:9/none")
    registry = AgiRegistry()
    register(registry, replace(hooks[0], database=nowhere))
    server = AgiServer(registry)
    await server.start()
    told = await _ask(server, "inbound", "0912345678", "0277000001")
    await server.stop()
    await nowhere.close()
    assert (told["CC_MATCH"], told["CC_QUEUE"], told["CC_DONE"]) == ("late", "sales", "1")
