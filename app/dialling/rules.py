"""The number gate: what must hold before a number is dialled. Pure: the facts are given, the answer is data.

Order is law: the pattern first (it keeps dialplan, AMI and trunk safe), then emergency numbers, which pass
whatever else is said and are dialled exactly as they were given, then everything that may refuse. The
first refusal is the answer; its id is stable and stands in the API, the log and the catalogue of sentences.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import phonenumbers
from phonenumbers import PhoneNumberType

from app.calendars.rules import OpenState
from app.customers.number_plans import is_emergency
from app.customers.numbers import parse_number

DIALLED = re.compile(r"\+?[0-9*#]{1,32}")

DialReason = Literal[
    "allowed",
    "emergency",
    "number_pattern",
    "feature_code",
    "number_unreadable",
    "extension_not_allowed",
    "short_not_allowed",
    "premium_rate",
    "prefix_not_allowed",
    "prefix_blocked",
    "do_not_contact",
    "no_consent",
    "outside_calling_hours",
    "attempts_used_up",
    "too_soon_after_last_attempt",
    "rate_cap",
    "spend_cap",
]

_EXPENSIVE = frozenset(
    {PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST, PhoneNumberType.PERSONAL_NUMBER}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DialPolicy:
    """What a tenant (or a campaign) allows. The defaults allow least.

    Attributes:
        prefixes_allowed: E.164 prefixes such as ``+886``; empty: nothing beyond extensions and emergency.
        prefixes_blocked: Win over the allowed ones.
        attempts_max: Attempts in the policy's window, which whoever counts knows; None: no cap.
        attempt_gap_s: Least seconds between two attempts.
        dials_per_hour_max: Of the tenant; None: no cap.
        spend_max: Of the tenant's period, in its currency; None: no cap.
    """

    prefixes_allowed: tuple[str, ...] = ()
    prefixes_blocked: tuple[str, ...] = ()
    extensions_allowed: bool = True
    shorts_allowed: bool = False
    premium_allowed: bool = False
    consent_required: bool = False
    attempts_max: int | None = None
    attempt_gap_s: int = 0
    dials_per_hour_max: int | None = None
    spend_max: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DialFacts:
    """What is known when the number is about to be dialled.

    Attributes:
        number: As asked for.
        region: Of the trunk that would dial, ISO 3166 alpha-2; with its *area_code*.
        do_not_contact: On the tenant's or the country's list.
        consent: True given, False refused or withdrawn, None never asked.
        calling_hours: The state of the calling calendar; None: no calendar, any hour.
        attempts: Made so far in the policy's window; *last_attempt_at* aware.
        dials_last_hour: Of the tenant.
        spent: Of the tenant's period.
    """

    number: str
    region: str
    at: datetime
    area_code: str = ""
    do_not_contact: bool = False
    consent: bool | None = None
    calling_hours: OpenState | None = None
    attempts: int = 0
    last_attempt_at: datetime | None = None
    dials_last_hour: int = 0
    spent: float = 0.0
    policy: DialPolicy = field(default_factory=DialPolicy)


@dataclass(frozen=True, slots=True, kw_only=True)
class DialDecision:
    """The answer.

    Attributes:
        reason: ``allowed``, ``emergency``, or why not.
        dial: What to dial: E.164 where it is one, an emergency number exactly as given; "" when refused.
        retry_at: When the same question may get another answer, where that is known.
    """

    allowed: bool
    reason: DialReason
    dial: str = ""
    retry_at: datetime | None = None


def may_dial(facts: DialFacts) -> DialDecision:
    """Return whether the number may be dialled now, and what to dial."""
    if not DIALLED.fullmatch(facts.number) or not facts.number.isascii():
        return _refused("number_pattern")
    if is_emergency(facts.number, facts.region.upper()):
        return DialDecision(allowed=True, reason="emergency", dial=facts.number)
    dial, reason = _readable(facts)
    if reason is None:
        reason = _person_refuses(facts) or _caps_refuse(facts)
    if reason is None:
        return DialDecision(allowed=True, reason="allowed", dial=dial)
    return DialDecision(allowed=False, reason=reason, retry_at=_retry_at(facts, reason))


def _refused(reason: DialReason) -> DialDecision:
    return DialDecision(allowed=False, reason=reason)


def _readable(facts: DialFacts) -> tuple[str, DialReason | None]:
    policy = facts.policy
    if "*" in facts.number or "#" in facts.number:
        return "", "feature_code"  # *72 forwards a line: never ours to dial
    found = parse_number(facts.number, facts.region, facts.area_code)
    if found.kind == "extension":
        return found.normal, None if policy.extensions_allowed else "extension_not_allowed"
    if found.kind == "short":
        return found.normal, None if policy.shorts_allowed else "short_not_allowed"
    if found.kind != "e164" or found.extension:
        return "", "number_unreadable"
    return found.normal, _prefix_refuses(found.normal, policy)


def _prefix_refuses(e164: str, policy: DialPolicy) -> DialReason | None:
    if any(e164.startswith(prefix) for prefix in policy.prefixes_blocked):
        return "prefix_blocked"
    if not any(e164.startswith(prefix) for prefix in policy.prefixes_allowed):
        return "prefix_not_allowed"
    if not policy.premium_allowed and phonenumbers.number_type(phonenumbers.parse(e164)) in _EXPENSIVE:
        return "premium_rate"
    return None


def _person_refuses(facts: DialFacts) -> DialReason | None:
    if facts.do_not_contact:
        return "do_not_contact"
    if facts.consent is False or (facts.policy.consent_required and facts.consent is not True):
        return "no_consent"
    if facts.calling_hours is not None and not facts.calling_hours.open:
        return "outside_calling_hours"
    return None


def _caps_refuse(facts: DialFacts) -> DialReason | None:
    policy = facts.policy
    if policy.attempts_max is not None and facts.attempts >= policy.attempts_max:
        return "attempts_used_up"
    if facts.last_attempt_at is not None and _gap_s(facts) < policy.attempt_gap_s:
        return "too_soon_after_last_attempt"
    if policy.dials_per_hour_max is not None and facts.dials_last_hour >= policy.dials_per_hour_max:
        return "rate_cap"
    if policy.spend_max is not None and facts.spent >= policy.spend_max:
        return "spend_cap"
    return None


def _gap_s(facts: DialFacts) -> float:
    assert facts.last_attempt_at is not None
    return (facts.at - facts.last_attempt_at).total_seconds()


def _retry_at(facts: DialFacts, reason: DialReason) -> datetime | None:
    if reason == "outside_calling_hours" and facts.calling_hours is not None:
        return facts.calling_hours.next_change
    if reason == "too_soon_after_last_attempt" and facts.last_attempt_at is not None:
        return datetime.fromtimestamp(
            facts.last_attempt_at.timestamp() + facts.policy.attempt_gap_s, facts.at.tzinfo
        )
    return None
