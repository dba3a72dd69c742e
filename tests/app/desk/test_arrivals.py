"""Simulated arrivals over a party set with shared, recycled, withheld, look-alike and spoofed numbers.

The oracle is the way the set was made, never the code under test: each kind of number says whom a pop may
name. Pages are cut and loaded anew at random meanwhile. A look-alike is what somebody who forges a number
sends: it resembles a known one, and is not it. A spoofed number *is* a known one. Where the network says that
the check failed, nobody may be named, and whose number it is stands there as a choice. Where it says nothing,
forged and true cannot be told apart: the owner is shown as probable, never as sure as with an attested call.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.customers.identify_rules import Attestation
from app.db.session import Database
from tests.app.desk.small_centre import Page, SmallCentre, until
from tests.closing import FIGURE_PROPERTY

pytestmark = pytest.mark.db

AGENTS = 10
SURE = {"passed": {("passed", 90)}, "unknown": {("unknown", 70)}}  # a number nobody vouches for is worth less
UNKNOWN = ("stranger", "given back", "look-alike")


@dataclass
class Caller:
    """Who may be named for a number: ``outcome`` and the parties."""

    kind: str
    outcome: str
    parties: frozenset[str] = frozenset()
    attestation: Attestation = "unknown"


@dataclass
class Tally:
    """What was seen."""

    pops: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    wrong_person_count: int = 0
    answered_count: int = 0
    acknowledged_count: int = 0
    up_count: int = 0

    def share(self, *kinds: str) -> str:
        """How many of these kinds' pops were right."""
        right, all_of_them = (sum(counts[kind] for kind in kinds) for counts in (self.right, self.pops))
        return f"{right}/{all_of_them} ({right / all_of_them:.1%})"

    def line(self, arrivals: int) -> str:
        """What the closing summary says."""
        return (
            f"pops over {arrivals} arrivals: wrong person {self.wrong_person_count},"
            f" ambiguity shown {self.share('shared')}, unknown right {self.share(*UNKNOWN)},"
            f" spoofed and told so: nobody named {self.share('spoofed, failed')},"
            f" spoofed and untold: owner shown as probable {self.share('spoofed, untold')},"
            f" withheld right {self.share('withheld')}, own number right {self.share('own')}, acknowledged"
            f" before the answer {self.acknowledged_count}/{self.up_count}"
            f" ({self.acknowledged_count / self.up_count:.1%})"
        )


async def make_callers(centre: SmallCentre, luck: random.Random) -> list[tuple[str, Caller]]:
    """Make parties and the numbers they call from, and say what each number stands for."""
    callers: dict[str, Caller] = {}
    spoofed: list[tuple[str, Caller]] = []
    numbers = iter(f"09{luck_number:08d}" for luck_number in luck.sample(range(10_000_000, 99_999_999), 200))
    now = datetime.now(UTC)
    for n in range(30):
        number = next(numbers)
        owner = frozenset({str(await centre.party(f"Own {n}", number))})
        callers[number] = Caller("own", "match", owner, "passed")
        if n < 8:
            spoofed.append((number, Caller("spoofed, failed", "several", owner, "failed")))
            spoofed.append((number, Caller("spoofed, untold", "match", owner)))
    for n in range(15):
        number = next(numbers)
        people = {str(await centre.party(f"Shared {n}.{k}", number)) for k in range(luck.randint(2, 4))}
        callers[number] = Caller("shared", "several", frozenset(people))
    for n in range(8):
        number = next(numbers)
        await centre.party(f"Former {n}", number, valid_to=now - timedelta(days=luck.randint(1, 400)))
        today = str(await centre.party(f"Now {n}", number, valid_from=now - timedelta(hours=1)))
        callers[number] = Caller("recycled", "match", frozenset({today}))
    for n in range(8):
        number = next(numbers)
        await centre.party(f"Gone {n}", number, valid_to=now - timedelta(days=1))
        callers[number] = Caller("given back", "unknown")
    for number in ("anonymous", "", "Restricted", "隱藏號碼", "sip:anonymous@anonymous.invalid"):
        callers[number] = Caller("withheld", "withheld")
    for _ in range(20):
        callers[next(numbers)] = Caller("stranger", "unknown")
    for known in [number for number, caller in callers.items() if caller.kind == "own"][:20]:
        forged = luck.choice(
            [f"+1{known[1:]}", f"{known}7", known[:-1], f"+86{known[1:]}", f"{known[1:]}0", f"0{known}9"]
        )
        callers.setdefault(forged, Caller("look-alike", "unknown"))
    return [*callers.items(), *spoofed]


def judge(tally: Tally, caller: Caller, pop: dict[str, Any]) -> None:
    """Hold one pop against what its number stands for."""
    tally.pops[caller.kind] += 1
    party = pop["party"]["party_id"] if pop["party"] else None
    candidates = {card["party_id"] for card in pop["candidates"]}
    if party is not None and (caller.outcome != "match" or party not in caller.parties):
        tally.wrong_person_count += 1
    right = pop["outcome"] == caller.outcome
    if caller.outcome == "several":
        right = right and party is None and candidates == caller.parties
    elif caller.outcome == "match":
        right = right and party in caller.parties
    else:
        right = right and party is None and not candidates
    if caller.outcome == "match":
        right = right and (pop["attestation"], pop["confidence"]) in SURE[caller.attestation]
    tally.right[caller.kind] += right


async def disturb(pages: list[Page], luck: random.Random) -> None:
    """Cut pages and load them anew at random, for ever."""
    while True:
        await asyncio.sleep(luck.expovariate(40.0))
        page = luck.choice(pages)
        if luck.random() < 0.5:
            page.reload()
        else:
            page.cut()
            await asyncio.sleep(luck.uniform(0.0, 0.03))
            page.connect()


async def one_call(
    centre: SmallCentre,
    pages: dict[str, Page],
    callers: list[tuple[str, Caller]],
    luck: random.Random,
    tally: Tally,
) -> None:
    number, caller = luck.choice(callers)
    # What the trunk says comes with the look-up; without one the number stands alone.
    looks_up = caller.attestation != "unknown" or luck.random() < 0.8
    call = await centre.arrive(number, looks_up=looks_up, attestation=caller.attestation)
    agent_id = centre.agent_of(call)
    assert agent_id is not None
    page = pages[agent_id]
    await asyncio.sleep(0.005)
    centre.ring(call)
    was_up = page.is_up
    await asyncio.sleep(luck.uniform(0.05, 0.15))  # nobody picks up faster
    (pop,) = await until(lambda: centre.pages.pops.pops_of(call))
    centre.answer(call)
    tally.answered_count += 1
    await until(lambda: pop.answered_ms is not None)
    if was_up and page.is_up:
        tally.up_count += 1
        tally.acknowledged_count += pop.shown_before_answer is True
    await until(lambda: pop.record == "complete")
    await until(lambda: page.is_up and page.pop and page.pop["record"] == "complete")
    judge(tally, caller, page.pop or {})
    centre.hang_up(call)
    centre.finish(agent_id)


@pytest.mark.parametrize(
    ("arrivals", "seed"),
    [(60, 1), pytest.param(1_000, 7, marks=[pytest.mark.long, pytest.mark.timeout(600)])],
)
async def test_no_pop_names_the_wrong_person(
    database: Database, arrivals: int, seed: int, record_property: Callable[[str, object], None]
) -> None:
    luck, tally = random.Random(seed), Tally()
    async with SmallCentre(database, agent_count=AGENTS).open() as centre:
        callers = await make_callers(centre, luck)
        pages = {agent_id: Page(centre, agent_id) for agent_id in centre.agent_ids}
        for page in pages.values():
            page.connect()
        centre.sign_in(*centre.agent_ids)
        disturbing = asyncio.create_task(disturb(list(pages.values()), luck))
        room = asyncio.Semaphore(AGENTS)

        async def call() -> None:
            async with room:
                await one_call(centre, pages, callers, luck, tally)  # type: ignore[arg-type]

        async with asyncio.TaskGroup() as group:
            for _ in range(arrivals):
                group.create_task(call())
        disturbing.cancel()
        hub = centre.pages.pump.hub
        assert hub.resume_count
        assert hub.snapshot_count
    record_property(FIGURE_PROPERTY, tally.line(arrivals))
    assert tally.wrong_person_count == 0
    assert tally.right["shared"] == tally.pops["shared"], "ambiguity is shown, always"
    assert tally.right["withheld"] == tally.pops["withheld"]
    assert sum(tally.right[kind] for kind in UNKNOWN) >= 0.99 * sum(tally.pops[kind] for kind in UNKNOWN)
    for kind in ("own", "recycled", "spoofed, failed", "spoofed, untold"):
        assert tally.right[kind] == tally.pops[kind], kind
    assert tally.answered_count == arrivals
    assert tally.acknowledged_count >= 0.99 * tally.up_count, tally
    assert len(tally.pops) >= 8, "every kind of number was drawn"
