"""One interaction while its events are folded: tracks, visits, offers, legs and facts so far. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from app.live.record_consults import TransferEvent, fold_transfer
from app.live.record_rows import AttemptRow, ReasonRow
from app.live.record_track import CUSTOMER, WRAP_UP, Track
from routing import events as ev
from routing import phone_events as phone
from routing.desk_events import ContactReasonNoted
from routing.ids import AgentId, LegId, QueueId, bare_id

_ADOPTED_KIND: Mapping[str, str] = {
    "entry": "entry",
    "queued": "queued",
    "waiting": "queued",
    "offered": "ringing",
    "connected": "talking",
    "talking": "talking",
    "held": "held",
    "fallback": "external",
    "external": "external",
    "unattended": "ivr",
}
_PBX_OF_LEG = re.compile(r"(?P<pbx>.+)-(?:o[0-9a-f-]{36}|\d+\.\d+)")
FALLBACK_ATTEMPT = 0  # the PBX's own queue numbers no attempts
_CONNECTED = ("talking", "held")
_WITH_AGENT = (*_CONNECTED, "re_attach", "conference")
BLINK_MS_MAX = 50  # the dialplan's own step from a talk to what follows it (measured 1 to 3 ms) is no stay


class Folding:
    """What is known of one interaction so far."""

    def __init__(self) -> None:
        self.customer = Track(CUSTOMER)
        self.agents: dict[tuple[AgentId, int], Track] = {}  # by agent and attempt, in order of beginning
        self.visits: dict[int, dict[str, Any]] = {}
        self.offers: dict[int, dict[str, Any]] = {}
        self.legs: dict[LegId, dict[str, Any]] = {}
        self.facts: dict[str, Any] = {}
        self.reasons: list[ReasonRow] = []
        self.attempts: list[AttemptRow] = []
        self.handed_over = False
        self.corrections: list[ev.FactCorrected] = []
        self._open_visit: int | None = None

    # ------------------------------------------------------------ events

    def apply(self, event: ev.Event, boot_id: str) -> None:
        """Take one more event in."""
        at_ms = event.occurred_ms
        self.facts.setdefault("first_ms", at_ms)
        self.facts.setdefault("interaction_id", getattr(event, "interaction_id", None))
        match event:
            case ev.ContactStarted():
                self._start(event, boot_id)
            case ev.QueueEntered():
                self._enter(event)
            case ev.QueueLeft():
                self._leave(event)
            case ev.InteractionOffered():
                self._offer(event)
            case ev.AgentRang():
                self._ring(event, boot_id)
            case ev.InteractionAnswered():
                self._answer(event, boot_id)
            case ev.OfferNotAnswered():
                self._end_offer(event.attempt, event.agent_id, at_ms, "no_answer", None, event.rang_ms)
            case ev.OfferDeclined():
                self._end_offer(event.attempt, event.agent_id, at_ms, event.cause.value, None, event.rang_ms)
            case ev.OfferWithdrawn():
                self._end_offer(
                    event.attempt, event.agent_id, at_ms, "withdrawn", event.reason, event.rang_ms
                )
            case ev.HoldStarted():
                self.switch(event.agent_id, at_ms, "held", "hold")
            case ev.HoldEnded():
                self.switch(event.agent_id, at_ms, "talking", "talk")
            case phone.ReattachBegan():
                self.switch(event.agent_id, at_ms, "re_attach", "re_attach")
            case phone.Reattached():
                self._reattach(event, boot_id)
            case ev.TalkEnded():
                self._end_talk(event)
            case ev.InteractionHandedOver():
                self._hand_over(event)
            case ev.InteractionAdopted():
                self._adopt(event)
            case ev.ContactEnded():
                self._end(event)
            case ev.WrapUpStarted():
                self._wrap_up(event.agent_id, event.queue_id, at_ms)
            case ev.WrapUpDone():
                for (agent_id, _), track in self.agents.items():
                    running = track.running if agent_id == event.agent_id else None
                    if running is not None and running.kind == WRAP_UP:
                        track.close(at_ms)
            case ev.WrapUpCodeGiven():
                self.facts["wrap_up_code"] = event.code
            case ContactReasonNoted():
                self._note_reason(event)
            case ev.FactCorrected():
                self.corrections.append(event)
            case _ if isinstance(event, TransferEvent):
                fold_transfer(self, event, boot_id)

    def _note_reason(self, event: ContactReasonNoted) -> None:
        """Each saying is kept; the newest counts."""
        self.reasons.append(
            ReasonRow(
                ordinal=len(self.reasons),
                tree_version=event.tree_version,
                reason_id=event.reason_id,
                set_by=event.set_by,
                actor=event.agent_id,
                at_ms=event.occurred_ms,
            )
        )

    def _start(self, event: ev.ContactStarted, boot_id: str) -> None:
        known = bool(self.facts.get("started"))
        self.facts["started"] = True
        for name in ("medium", "direction", "entry_point", "caller_number", "caller_name", "attributes"):
            if not self.facts.get(name):
                self.facts[name] = getattr(event, name)
        if "ended_ms" in self.facts:
            self._reopen()
        elif self.customer.running is None:
            self.go("entry", event.occurred_ms)
        if event.medium == "voice" and not known:
            leg_id = LegId(bare_id(event.interaction_id))
            self.leg(leg_id, boot_id, "customer", None, event.occurred_ms)

    def _enter(self, event: ev.QueueEntered) -> None:
        self._reopen()
        self._open_visit = event.visit
        self.visits[event.visit] = {
            "visit": event.visit,
            "queue_id": event.queue_id,
            "entered_ms": event.occurred_ms,
            "queued_ms": min(event.queued_at_ms, event.occurred_ms),
            "priority_ms": event.priority_ms,
        }
        self.go("queued", event.occurred_ms, queue_id=event.queue_id, visit=event.visit)

    def _leave(self, event: ev.QueueLeft) -> None:
        entered_ms = event.occurred_ms - event.wait_ms
        visit = self.visits.setdefault(
            event.visit,
            {
                "visit": event.visit,
                "queue_id": event.queue_id,
                "entered_ms": entered_ms,
                "queued_ms": entered_ms,
            },
        )
        visit.update(left_ms=event.occurred_ms, exit_cause=event.exit.value, wait_ms=event.wait_ms)
        self._open_visit = None
        at_ms = self.customer.close(event.occurred_ms)
        self.customer.mark_exit(event.visit, event.exit.value, at_ms, event.queue_id)
        handed_over = event.exit in (ev.QueueExit.FALLBACK, ev.QueueExit.QUEUE_TIMEOUT)
        self.go("external" if handed_over else "ivr", at_ms)

    def _offer(self, event: ev.InteractionOffered) -> None:
        self.offers[event.attempt] = {
            "attempt": event.attempt,
            "agent_id": event.agent_id,
            "queue_id": event.queue_id,
            "visit": event.visit,
            "offered_ms": event.occurred_ms,
            "wait_ms": event.wait_ms,
            "explanation": event.explanation,
        }

    def _ring(self, event: ev.AgentRang, boot_id: str) -> None:
        offer = self._offer_of(event.attempt, event.agent_id, event.offered_at_ms)
        offer["rang_at_ms"] = event.occurred_ms
        self.go("ringing", event.occurred_ms, **self._where(offer))
        self.track(event.agent_id, event.attempt).move("ring", event.occurred_ms, **self._where(offer))
        if event.leg_id is not None:
            self.leg(event.leg_id, boot_id, "agent", event.agent_id, event.occurred_ms)

    def _answer(self, event: ev.InteractionAnswered, boot_id: str) -> None:
        at_ms = event.occurred_ms
        offer = self._offer_of(event.attempt, event.agent_id, at_ms - event.ring_ms)
        offer.update(ended_ms=at_ms, outcome="answered", rang_ms=event.ring_ms)
        if event.visit in self.visits:
            self.visits[event.visit]["agent_id"] = event.agent_id
        self.connect(event.agent_id, event.attempt, at_ms, self._where(offer))
        if event.leg_id is not None:
            leg = self.leg(event.leg_id, boot_id, "agent", event.agent_id, at_ms - event.ring_ms)
            leg["answered_ms"] = at_ms
        self.facts["answered_by_offer"] = True

    def connect(self, agent_id: AgentId, attempt: int, at_ms: int, where: dict[str, Any]) -> None:
        where = where | {"agent_id": agent_id, "attempt": attempt}
        self.go("talking", at_ms, **where)
        self.track(agent_id, attempt).move("talk", at_ms, **where)
        self.facts.setdefault("answered_ms", at_ms)
        self.facts.setdefault("agent_id", agent_id)

    def _end_offer(
        self, attempt: int, agent_id: AgentId, at_ms: int, outcome: str, reason: str | None, rang_ms: int
    ) -> None:
        offer = self._offer_of(attempt, agent_id, at_ms - rang_ms)
        offer.update(ended_ms=at_ms, outcome=outcome, outcome_reason=reason, rang_ms=rang_ms)
        self.track(agent_id, attempt).close(at_ms)
        self.end_leg(agent_id, at_ms)
        running = self.customer.running
        if running is None or running.kind != "ringing" or running.attempt != attempt:
            return
        if self._open_visit is None:
            self.go("ivr", at_ms)
        else:
            queue_id = self.visits[self._open_visit]["queue_id"]
            self.go("queued", at_ms, queue_id=queue_id, visit=self._open_visit)

    def switch(
        self, agent_id: AgentId, at_ms: int, customer_kind: str, agent_kind: str, consult: int | None = None
    ) -> None:
        """Talk to hold, to a consult or a conference, or to the wait for a lost phone, or back.

        Args:
            consult: The attempt of the consult that begins.
        """
        running = self.customer.running
        if running is None or running.kind not in _WITH_AGENT:
            return
        where: dict[str, Any] = {
            "queue_id": running.queue_id,
            "visit": running.visit,
            "attempt": running.attempt,
        }
        self.go(customer_kind, at_ms, agent_id=agent_id, **where)
        if (track := self.participation(agent_id)) is not None:
            track.move(
                agent_kind, at_ms, agent_id=agent_id, **where | ({"attempt": consult} if consult else {})
            )

    def _reattach(self, event: phone.Reattached, boot_id: str) -> None:
        """The talk goes on, over another leg of the same agent."""
        self.switch(event.agent_id, event.occurred_ms, "talking", "talk")
        self.end_leg(event.agent_id, event.occurred_ms - event.gap_ms)
        if event.leg_id is not None:
            leg = self.leg(event.leg_id, boot_id, "agent", event.agent_id, event.occurred_ms)
            leg["answered_ms"] = event.occurred_ms

    def _end_talk(self, event: ev.TalkEnded) -> None:
        running = self.customer.running
        if running is not None and running.kind in _WITH_AGENT and running.agent_id in (None, event.agent_id):
            self.go("ivr", event.occurred_ms)  # else a colleague goes on with the customer
        if (track := self.participation(event.agent_id)) is not None:
            track.end(
                event.occurred_ms, event.ended_by.value, event.reason or "hangup", was_held=event.was_held
            )
        self.end_leg(event.agent_id, event.occurred_ms)

    def _hand_over(self, event: ev.InteractionHandedOver) -> None:
        self.handed_over = True
        running = self.customer.running
        if event.agent_id is not None:
            self.connect(event.agent_id, FALLBACK_ATTEMPT, event.occurred_ms, {})
        elif running is None or running.kind != "external":
            self.go("external", event.occurred_ms)

    def _adopt(self, event: ev.InteractionAdopted) -> None:
        self._reopen()
        kind = _ADOPTED_KIND.get(event.phase, "re_attach")
        running = self.customer.running
        if running is None:
            self.go("re_attach", event.occurred_ms)
        elif running.kind == "entry" and kind != "entry":
            self.customer.relabel("re_attach")  # what happened in it, nobody of us saw
        running = self.customer.running
        same = running is not None and (running.kind == kind or {running.kind, kind} == {"talking", "held"})
        if event.agent_id is not None and kind == "external" and running is not None:
            same = same or running.kind in ("talking", "held")  # the PBX's own queue has an agent for it
        if same or kind in ("entry", "queued", "ringing"):
            return  # the queue's and the offer's own events tell more
        if kind in ("talking", "held") and event.agent_id is not None:
            attempt = max(self.offers, default=FALLBACK_ATTEMPT)
            self.connect(event.agent_id, attempt, event.occurred_ms, {"queue_id": event.queue_id})
            if kind == "held":
                self.switch(event.agent_id, event.occurred_ms, "held", "hold")
        else:
            self.go(kind, event.occurred_ms, queue_id=event.queue_id)

    def _end(self, event: ev.ContactEnded) -> None:
        if "ended_ms" in self.facts:
            return
        if self.customer.running is None:
            self.go("re_attach", event.occurred_ms)
        self.customer.absorb("ivr", _CONNECTED, event.occurred_ms, BLINK_MS_MAX)
        at_ms = self.customer.close(event.occurred_ms)
        self.facts.update(
            ended_ms=at_ms,
            ended_by=event.ended_by.value,
            end_reason=event.reason,
            hangup_cause=event.hangup_cause,
        )
        for track in self.agents.values():
            if track.running is not None and track.running.kind != "wrap_up":
                track.close(at_ms)
        for leg in self.legs.values():
            if leg.get("ended_ms") is None:
                leg["ended_ms"] = at_ms
                leg["hangup_cause"] = event.hangup_cause if leg["party"] == "customer" else None

    def _wrap_up(self, agent_id: AgentId, queue_id: QueueId | None, at_ms: int) -> None:
        track = self.participation(agent_id)
        if track is not None and (track.running is None or track.running.kind != "wrap_up"):
            track.move("wrap_up", at_ms, agent_id=agent_id, queue_id=queue_id)

    # ------------------------------------------------------------ what the events speak of

    def go(self, kind: str, at_ms: int, **where: Any) -> None:
        """Move the customer on, unless the contact is over: what is reported later changes nothing."""
        if "ended_ms" not in self.facts:
            self.customer.absorb("ivr", _CONNECTED, at_ms, BLINK_MS_MAX)
            self.customer.move(kind, at_ms, **where)

    @property
    def is_over(self) -> bool:
        """Whether the contact has ended."""
        return "ended_ms" in self.facts

    def _reopen(self) -> None:
        """The contact was thought over, and the customer is there again."""
        ended_ms = self.facts.pop("ended_ms", None)
        if ended_ms is not None:
            for name in ("ended_by", "end_reason", "hangup_cause"):
                self.facts.pop(name, None)
            self.customer.move("re_attach", ended_ms)

    def _offer_of(self, attempt: int, agent_id: AgentId, offered_ms: int) -> dict[str, Any]:
        """The offer's row so far; begun here when its own event is missing."""
        return self.offers.setdefault(
            attempt,
            {
                "attempt": attempt,
                "agent_id": agent_id,
                "queue_id": None,
                "visit": self._open_visit,
                "offered_ms": offered_ms,
            },
        )

    def _where(self, offer: Mapping[str, Any]) -> dict[str, Any]:
        """What a segment says of the offer that it belongs to."""
        return {name: offer[name] for name in ("queue_id", "agent_id", "visit", "attempt")}

    def track(self, agent_id: AgentId, attempt: int) -> Track:
        return self.agents.setdefault((agent_id, attempt), Track(f"{agent_id}#{attempt}"))

    def participation(self, agent_id: AgentId) -> Track | None:
        """The agent's latest track."""
        for (owner, _), track in reversed(self.agents.items()):
            if owner == agent_id:
                return track
        return None

    def leg(
        self, leg_id: LegId, boot_id: str, party: str, agent_id: AgentId | None, started_ms: int
    ) -> dict[str, Any]:
        found = _PBX_OF_LEG.fullmatch(leg_id)
        return self.legs.setdefault(
            leg_id,
            {
                "pbx_id": found["pbx"] if found else "",
                "boot_id": boot_id,
                "leg_id": leg_id,
                "party": party,
                "agent_id": agent_id,
                "started_ms": started_ms,
            },
        )

    def end_leg(self, agent_id: AgentId, at_ms: int) -> None:
        for leg in self.legs.values():
            if leg["agent_id"] == agent_id and leg.get("ended_ms") is None:
                leg["ended_ms"] = at_ms
