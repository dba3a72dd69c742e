"""A small centre to look at: three queues, eight agents of different skill, two hundred customers.

Deterministic: the same people with the same numbers and ids on every machine. The numbers of Taiwanese people
lie in ranges that are written in examples; nobody is called.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from uuid import UUID, uuid5

from sqlalchemy import delete, insert
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.centre.document import (
    AgentPart,
    CalendarPart,
    Centre,
    EmployerPart,
    EntryPointPart,
    IntervalPart,
    NotReadyReasonPart,
    QueuePart,
    SitePart,
    SkillPart,
    TeamPart,
    TrunkPart,
    WrapUpCodePart,
)
from app.centre.rows import current_version, load_centre, save_centre
from app.customers.numbers import parse_number
from app.customers.search import grams
from app.db import tables
from app.db.session import Database, TenantId

CUSTOMER_COUNT = 200
REGION = "TW"
AREA_CODE = "02"
_SEED = 20261122
_NAMESPACE = UUID("5f0c9c1e-3f0a-5d52-8f0e-0d1e1c0a0001")
_CHINESE_FAMILY = "王李張劉陳楊黃趙吳周徐孫馬朱胡林郭何高羅"
_CHINESE_GIVEN = (
    "小明", "美玲", "志偉", "淑芬", "家豪", "怡君",
    "俊傑", "雅婷", "建宏", "佩珊", "冠宇", "詩涵",
)  # fmt: skip
_ENGLISH_GIVEN = (
    "Amy", "Ben", "Carol", "David", "Ella", "Frank",
    "Grace", "Henry", "Iris", "Jack", "Kate", "Leo",
)  # fmt: skip
_ENGLISH_FAMILY = ("Chen", "Smith", "Wang", "Brown", "Lin", "Garcia", "Huang", "Taylor", "Wu", "Müller")
_COMPANIES = ("Acme Trading", "光華電子", "Blue Ocean Travel", "大安診所", "Formosa Tea", "永和印刷")
_WORKDAYS = range(5)

SEAT_AGENT_ID = "a1009"
"""The seat that no synthetic agent takes: it is for whoever looks at the demo."""
SEAT_QUEUE_ID = "concierge"
SEAT_ENTRY_POINT = "0277000005"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoCustomer:
    """A customer of the demo; *numbers* as they call in, the first is the usual one."""

    party_id: UUID
    kind: str
    display_name: str
    language: str
    numbers: tuple[str, ...]
    tier: str = "regular"

    @property
    def shown_number(self) -> str:
        """The usual number as a trunk shows it: digits, without the extension behind a switchboard."""
        return "".join(letter for letter in self.numbers[0].partition("轉")[0] if letter.isdigit())


def demo_centre() -> Centre:
    """Return the demo's configuration."""
    levels: dict[str, dict[str, int]] = {
        "a1001": {"sales": 9, "mandarin": 10, "english": 4},
        "a1002": {"sales": 7, "mandarin": 8},
        "a1003": {"sales": 5, "support": 4, "mandarin": 9, "english": 7},
        "a1004": {"support": 9, "mandarin": 8, "english": 8},
        "a1005": {"support": 7, "mandarin": 10},
        "a1006": {"support": 5, "billing": 5, "mandarin": 7, "english": 5},
        "a1007": {"billing": 9, "mandarin": 9, "english": 6},
        "a1008": {"sales": 4, "support": 6, "billing": 6, "mandarin": 6, "english": 9},
        SEAT_AGENT_ID: {"concierge": 8, "mandarin": 8, "english": 8},
    }
    names = (
        "王雅文",
        "林志明",
        "Carol Chen",
        "David Wu",
        "陳美玉",
        "Ella Huang",
        "張家豪",
        "Frank Lin",
        "You",
    )
    codes = ("sold", "not_interested", "solved", "follow_up", "refund", "invoice_sent", "wrong_number")
    return Centre(
        skill=tuple(
            SkillPart(skill_id=skill, display_name=skill.capitalize())
            for skill in ("sales", "support", "billing", "concierge", "mandarin", "english")
        ),
        team=(
            TeamPart(team_id="front", display_name="Front desk"),
            TeamPart(team_id="care", display_name="Care"),
        ),
        site=(
            SitePart(site_id="tainan", display_name="Tainan", zone="Asia/Taipei"),
            SitePart(site_id="taipei", display_name="Taipei", zone="Asia/Taipei"),
        ),
        employer=(
            EmployerPart(employer_id="house", display_name="The house"),
            EmployerPart(employer_id="partner", display_name="A partner"),
        ),
        calendar=(
            CalendarPart(
                calendar_id="always",
                display_name="Round the clock",
                zone="Asia/Taipei",
                region="TW-TPE",
                intervals=tuple(IntervalPart(weekday=day, shift="00:00-24:00") for day in range(7)),
            ),
            CalendarPart(
                calendar_id="office",
                display_name="Office hours",
                zone="Asia/Taipei",
                region="TW-TPE",
                intervals=tuple(
                    IntervalPart(weekday=day, shift=shift)
                    for day in _WORKDAYS
                    for shift in ("09:00-12:30", "13:30-18:00")
                ),
            ),
        ),
        wrap_up_code=tuple(
            WrapUpCodePart(code=code, display_name=code.replace("_", " ").capitalize()) for code in codes
        ),
        not_ready_reason=(
            NotReadyReasonPart(reason="break", limit_s=900, ordinal=1),
            NotReadyReasonPart(reason="lunch", is_paid=False, limit_s=3600, ordinal=2),
            NotReadyReasonPart(reason="meeting", ordinal=3),
            NotReadyReasonPart(reason="training", ordinal=4),
            NotReadyReasonPart(
                reason="ring_no_answer", display_name="Did not answer", is_system=True, ordinal=90
            ),
            NotReadyReasonPart(reason="device_lost", display_name="Phone lost", is_system=True, ordinal=91),
        ),
        queue=(
            QueuePart(
                queue_id="sales",
                display_name="Sales",
                requires={"sales": 4},
                threshold_s=15,
                service_level_target=0.85,
                ring_timeout_s=12,
                wrap_up_s=15,
                calendar_id="always",
                wrap_up_codes=("sold", "not_interested", "follow_up", "wrong_number"),
            ),
            QueuePart(
                queue_id="support",
                display_name="Support",
                requires={"support": 4},
                threshold_s=20,
                wrap_up_s=20,
                is_default=True,
                calendar_id="always",
                wrap_up_codes=("solved", "follow_up", "wrong_number"),
            ),
            QueuePart(
                queue_id="billing",
                display_name="Billing",
                requires={"billing": 5},
                threshold_s=40,
                service_level_target=0.75,
                max_wait_s=300,
                wrap_up_mode="optional",
                calendar_id="always",
                wrap_up_codes=("refund", "invoice_sent", "follow_up", "wrong_number"),
            ),
            QueuePart(
                queue_id=SEAT_QUEUE_ID,
                display_name="Concierge",
                requires={"concierge": 1},
                ring_timeout_s=30,
                wrap_up_s=60,
                calendar_id="always",
                wrap_up_codes=("solved", "sold", "follow_up", "wrong_number"),
            ),
        ),
        agent=tuple(
            AgentPart(
                agent_id=agent_id,
                display_name=name,
                device=f"PJSIP/{agent_id}",
                skills=skills,
                team_id="front" if "sales" in skills else "care",
                site_id="tainan" if agent_id in ("a1003", "a1006", "a1008") else "taipei",
                employer_id="partner" if agent_id in ("a1006", "a1007") else "house",
            )
            for (agent_id, skills), name in zip(levels.items(), names, strict=True)
        ),
        trunk=(TrunkPart(trunk_id="trunk", display_name="Trunk", region=REGION, area_code=AREA_CODE),),
        entry_point=(
            EntryPointPart(
                entry_point="0277000001",
                display_name="Sales",
                queue_id="sales",
                trunk_id="trunk",
                calendar_id="always",
                language="zh_TW",
            ),
            EntryPointPart(
                entry_point="0277000002",
                display_name="Support",
                queue_id="support",
                trunk_id="trunk",
                calendar_id="always",
                language="zh_TW",
            ),
            EntryPointPart(
                entry_point="0277000003",
                display_name="Billing",
                queue_id="billing",
                trunk_id="trunk",
                calendar_id="always",
                language="zh_TW",
            ),
            EntryPointPart(
                entry_point="0277000004",
                display_name="Support in English",
                queue_id="support",
                trunk_id="trunk",
                calendar_id="always",
                language="en",
                priority_s=10,
            ),
            EntryPointPart(
                entry_point=SEAT_ENTRY_POINT,
                display_name="Concierge",
                queue_id=SEAT_QUEUE_ID,
                trunk_id="trunk",
                calendar_id="always",
                language="zh_TW",
            ),
        ),
    ).sorted()


def demo_customers() -> tuple[DemoCustomer, ...]:
    """Return the demo's customers: companies with switchboards, families on one line, people with two."""
    dice = Random(_SEED)  # a fixed cast
    customers: list[DemoCustomer] = []
    for number, company in enumerate(_COMPANIES):
        board = f"02-2700-{1000 + number:04d}"
        customers.append(_customer(len(customers), "organisation", company, "zh_TW", (board,)))
        for extension in ("101", "102"):
            name = _chinese(dice)
            customers.append(
                _customer(
                    len(customers),
                    "person",
                    name,
                    "zh_TW",
                    (f"{board}轉{extension}", _mobile(len(customers))),
                )
            )
    for number in range(10):
        line = f"02-2800-{2000 + number:04d}"
        family = dice.choice(_CHINESE_FAMILY)
        for _ in range(2):
            name = family + dice.choice(_CHINESE_GIVEN)
            customers.append(
                _customer(len(customers), "person", name, "zh_TW", (line, _mobile(len(customers))))
            )
    while len(customers) < CUSTOMER_COUNT:
        at = len(customers)
        english = at % 3 == 0
        name = f"{dice.choice(_ENGLISH_GIVEN)} {dice.choice(_ENGLISH_FAMILY)}" if english else _chinese(dice)
        numbers = (_mobile(at), f"0912-{at:03d}-777") if at % 7 == 0 else (_mobile(at),)
        tier = "vip" if at % 20 == 0 else "regular"
        customers.append(_customer(at, "person", name, "en" if english else "zh_TW", numbers, tier))
    return tuple(customers)


async def seed_demo_centre(database: Database, tenant_id: TenantId) -> int:
    """Put the demo's centre and customers in force; return the version. Repeating changes nothing."""
    async with database.transaction(tenant_id) as connection:
        version = await current_version(connection, tenant_id)
        found = await load_centre(connection, tenant_id)
        if SEAT_AGENT_ID not in {agent.agent_id for agent in found.agent}:
            version = await save_centre(
                connection, tenant_id, demo_centre(), made_by="demo", note="demo centre"
            )
        await _seed_customers(connection, tenant_id)
    return version


async def _seed_customers(connection: AsyncConnection, tenant_id: TenantId) -> None:
    customers = demo_customers()
    ours = [customer.party_id for customer in customers]
    for table in (tables.party_identifier, tables.party_gram):
        await connection.execute(
            delete(table).where(table.c.tenant_id == tenant_id, table.c.party_id.in_(ours))
        )
    found = await connection.execute(
        tables.party.select().where(tables.party.c.tenant_id == tenant_id, tables.party.c.party_id.in_(ours))
    )
    known = {row.party_id for row in found}
    new = [_party_row(tenant_id, customer) for customer in customers if customer.party_id not in known]
    if new:
        await connection.execute(insert(tables.party), new)
    identifiers, links = _identifier_rows(tenant_id, customers)
    await connection.execute(upsert(tables.identifier).on_conflict_do_nothing(), identifiers)
    await connection.execute(insert(tables.party_identifier), links)
    await connection.execute(
        insert(tables.party_gram),
        [
            {"tenant_id": tenant_id, "party_id": customer.party_id, "gram": gram}
            for customer in customers
            for gram in sorted(grams(customer.display_name))
        ],
    )


def _party_row(tenant_id: TenantId, customer: DemoCustomer) -> dict[str, object]:
    return {
        "tenant_id": tenant_id,
        "party_id": customer.party_id,
        "kind": customer.kind,
        "display_name": customer.display_name,
        "language": customer.language,
        "custom": {"tier": customer.tier},
    }


def _identifier_rows(
    tenant_id: TenantId, customers: tuple[DemoCustomer, ...]
) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    identifiers: dict[str, dict[str, object]] = {}
    links: list[dict[str, object]] = []
    for customer in customers:
        for ordinal, written in enumerate(customer.numbers):
            number = parse_number(written, REGION, AREA_CODE)
            identifier_id = uuid5(_NAMESPACE, f"{number.kind}:{number.normal}")
            identifiers[number.normal] = {
                "tenant_id": tenant_id,
                "identifier_id": identifier_id,
                "kind": number.kind,
                "raw": written,
                "normal": number.normal,
                "region": REGION,
            }
            links.append(
                {
                    "tenant_id": tenant_id,
                    "party_id": customer.party_id,
                    "identifier_id": identifier_id,
                    "extension": number.extension,
                    "is_preferred": ordinal == 0,
                    "source": "demo",
                }
            )
    return list(identifiers.values()), links


def _customer(
    at: int, kind: str, name: str, language: str, numbers: tuple[str, ...], tier: str = "regular"
) -> DemoCustomer:
    return DemoCustomer(
        party_id=uuid5(_NAMESPACE, f"customer:{at}"),
        kind=kind,
        display_name=name,
        language=language,
        numbers=numbers,
        tier=tier,
    )


def _chinese(dice: Random) -> str:
    return dice.choice(_CHINESE_FAMILY) + dice.choice(_CHINESE_GIVEN)


def _mobile(at: int) -> str:
    return f"0911-{at:03d}-{(at * 37) % 1000:03d}"
