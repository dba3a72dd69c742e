"""What is counted beside visits and participations: contacts per person, and transfers by pair.

A person is the party that the caller was taken for, or the one into which that was merged (undone merges do
not count), else the number where it was shown; somebody else is nobody. Only contacts that customers made
count: neither consultations nor calls of ours.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from app.calls.rules import MERGES_DEEP_MAX, WITHHELD
from app.figures.counted import PAIR, Subject
from routing.transfer_events import GIVEN_ON
from workforce.contact_formulas import PERSON_FORMULAS, TRANSFER_FORMULAS

_PERSONS: Final = """
WITH RECURSIVE chain AS (
    SELECT merged_party_id, party_id, 1 AS depth FROM party_alias
    WHERE tenant_id = :tenant_id AND undone_at IS NULL
    UNION ALL
    SELECT chain.merged_party_id, next.party_id, chain.depth + 1 FROM chain
    JOIN party_alias AS next ON next.tenant_id = :tenant_id AND next.undone_at IS NULL
        AND next.merged_party_id = chain.party_id
    WHERE chain.depth < :merges_deep_max
), same AS (
    SELECT DISTINCT ON (merged_party_id) merged_party_id, party_id FROM chain
    ORDER BY merged_party_id, depth DESC
), contact AS (
    SELECT called.day, called.interaction_id, called.started_at, called.queue_id, called.agent_id,
        called.entry_point, called.party_id, called.wrap_up_code, called.grade,
        coalesce(same.party_id, called.party_id)::text AS party,
        CASE WHEN called.caller_number <> ALL(CAST(:withheld AS text[])) THEN called.caller_number
            END AS number
    FROM interaction AS called LEFT JOIN same ON same.merged_party_id = called.party_id
    WHERE called.tenant_id = :tenant_id AND called.kind = 'contact' AND called.direction = 'in'
        AND called.day BETWEEN CAST(:first_day AS date) - CAST(:within_days AS integer)
            AND CAST(:last_day AS date) + CAST(:within_days AS integer)
        AND called.started_at >= CAST(:since AS timestamptz) - CAST(:within AS interval)
        AND called.started_at < CAST(:until AS timestamptz) + CAST(:within AS interval)
), sided AS (
    SELECT contact.*, coalesce('party:' || party, 'number:' || number) AS person,
        lag(started_at) OVER by_person AS before_at, lead(started_at) OVER by_person AS after_at
    FROM contact
    WINDOW by_person AS (
        PARTITION BY coalesce('party:' || party, 'number:' || number) ORDER BY started_at, interaction_id
    )
), told AS (
    SELECT sided.*, started_at AS at, person IS NULL AS is_nobody,
        person IS NOT NULL AND before_at >= started_at - CAST(:within AS interval) AS is_repeat,
        person IS NOT NULL AND started_at + CAST(:within AS interval) <= :now AS is_over,
        coalesce(after_at <= started_at + CAST(:within AS interval), false) AS came_again
    FROM sided WHERE started_at >= :since AND started_at < :until
), fact AS (
    SELECT told.*, CASE WHEN is_nobody THEN 'nobody' WHEN came_again THEN 'came_again'
        WHEN is_over THEN 'resolved' ELSE 'open' END AS detail
    FROM told
)
"""


def persons(within_days: int, now_ms: int) -> Subject:
    """Return contacts by whether their person came before, and came again, within so many times 24 hours.

    Args:
        now_ms: Contacts whose days are not over then are not known yet.
    """
    return Subject(
        name="persons",
        facts=_PERSONS,
        terms={
            "contact_count": "true",
            "nobody_count": "fact.is_nobody",
            "repeat_count": "fact.is_repeat",
            "over_count": "fact.is_over",
            "resolved_count": "fact.is_over AND NOT fact.came_again",
            "open_count": "NOT fact.is_nobody AND NOT fact.is_over",
        },
        formulas=PERSON_FORMULAS,
        values={
            "within_days": within_days,
            "within": timedelta(days=within_days),
            "now": datetime.fromtimestamp(now_ms / 1000, UTC),
            "withheld": list(WITHHELD),
            "merges_deep_max": MERGES_DEEP_MAX,
        },
    )


_TRANSFERS: Final = """
WITH given AS (
    SELECT day, interaction_id, occurred_at AS at, body->>'from_agent_id' AS agent_id,
        CASE WHEN body->>'to_queue_id' IS NOT NULL THEN 'queue:' || (body->>'to_queue_id')
            WHEN body->>'to_agent_id' IS NOT NULL THEN 'agent:' || (body->>'to_agent_id')
            ELSE 'outside' END AS to_key,
        coalesce(body->>'kind', 'blind') AS detail
    FROM event WHERE tenant_id = :tenant_id AND day BETWEEN :first_day AND :last_day
        AND type = 'InteractionTransferred' AND occurred_at >= :since AND occurred_at < :until
    UNION ALL
    SELECT day, interaction_id, occurred_at, body->>'agent_id',
        coalesce('agent:' || (body->>'to_agent_id'), 'outside'), 'cancelled'
    FROM event WHERE tenant_id = :tenant_id AND day BETWEEN :first_day AND :last_day
        AND type = 'ConsultEnded' AND body->>'outcome' <> ALL(CAST(:given_on AS text[]))
        AND occurred_at >= :since AND occurred_at < :until
), fact AS (
    SELECT given.*, coalesce(part.queue_id, visit.queue_id) AS queue_id,
        contact.entry_point, contact.party_id, contact.wrap_up_code, contact.grade
    FROM given
    JOIN interaction AS contact ON contact.tenant_id = :tenant_id AND contact.day = given.day
        AND contact.interaction_id = given.interaction_id
        AND contact.day BETWEEN :first_day AND :last_day
    LEFT JOIN LATERAL (
        SELECT offer.queue_id FROM offer
        WHERE offer.tenant_id = :tenant_id AND offer.day = given.day
            AND offer.interaction_id = given.interaction_id AND offer.agent_id = given.agent_id
            AND offer.outcome IN ('answered', 'taken') AND offer.ended_at <= given.at
        ORDER BY offer.attempt DESC LIMIT 1
    ) AS part ON true
    LEFT JOIN LATERAL (
        SELECT visit.queue_id FROM queue_visit AS visit
        WHERE given.agent_id IS NULL AND visit.tenant_id = :tenant_id AND visit.day = given.day
            AND visit.interaction_id = given.interaction_id AND visit.left_at <= given.at
        ORDER BY visit.visit DESC LIMIT 1
    ) AS visit ON true
)
"""
TRANSFERS: Final = Subject(
    name="transfers",
    facts=_TRANSFERS,
    terms={
        "blind_count": "fact.detail = 'blind'",
        "attended_count": "fact.detail = 'attended'",
        "cancelled_count": "fact.detail = 'cancelled'",
    },
    formulas=TRANSFER_FORMULAS,
    key=f" || '{PAIR}' || fact.to_key",
    with_handled=True,
    values={"given_on": sorted(GIVEN_ON)},
)
"""Transfers, and consults that ended without one, by from whom to whom."""
