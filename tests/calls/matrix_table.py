"""The matrix: how a caller gets through (or not) x what happens to the call then, and what the log must say.

Each cell is one call on a real Asterisk. A track is written as ``kind@moment`` from its beginning to its end
``.@moment``. A moment is one of the script: ``a.rang`` (the phone of a said 180), ``a.answered``, ``a.ended``
and so for the others, ``queued`` (the PBX answered the caller), ``gone`` (the caller hung up), what was asked
of the API (``move``, ``consult``, ``cancel``, ``complete``, ``conference``) or pressed (``key``); ``+ms``: so
much later.

Who is who: ``a`` is the agent of the queue *m* where the call comes in; ``s`` that of the queue *n* behind it
(of *m* too where somebody lets it ring out); ``t`` that of the queue *x*, asked and transferred to; ``o`` a
number outside. ``H`` stands for whoever has the caller first.
"""

from __future__ import annotations

from dataclasses import dataclass, field

RING_MS = 250  # until a phone is answered
TALK_MS = 900
WRAP_UP_MS = 1_000
RING_TIMEOUT_S = 2  # an offer that rings out
TIMEOUT_MS = OVERFLOW_MS = 2_000
SHORT_ABANDON_MS = 1_000
PATIENCE_MS, SHORT_PATIENCE_MS = 1_600, 500
LAP_MS = 3_000  # the dialplan's first lap; behind the last one the PBX's own queue serves


@dataclass(frozen=True)
class Lead:
    """How the caller gets to whoever has him first.

    Attributes:
        holder: Who that is.
        customer: The customer's track until the talk.
        exits: Queue and exit of each visit.
        offers: Agent and outcome of each offer.
        before: Tracks of agents who had no talk.
        attempt: Of the holder's participation.
    """

    holder: str
    customer: str
    exits: tuple[tuple[str, str], ...]
    offers: tuple[tuple[str, str], ...]
    before: dict[str, str] = field(default_factory=dict)
    ring: str = "ring@H.rang "


LEADS = {
    "answer": Lead(
        "a",
        "entry@start queued@queued ringing@a.rang talking@a.answered",
        (("m", "answered"),),
        (("a", "answered"),),
    ),
    "timeout": Lead(
        "s",
        f"entry@start queued@queued queued@queued+{TIMEOUT_MS} ringing@s.rang talking@s.answered",
        (("m", "queue_timeout"), ("n", "answered")),
        (("s", "answered"),),
    ),
    "key": Lead(
        "s",
        "entry@start queued@queued queued@key ringing@s.rang talking@s.answered",
        (("m", "key"), ("n", "answered")),
        (("s", "answered"),),
    ),
    "overflow": Lead(
        "s",
        f"entry@start queued@queued queued@queued+{OVERFLOW_MS} ringing@s.rang talking@s.answered",
        (("m", "overflowed"), ("n", "answered")),
        (("s", "answered"),),
    ),
    "rona": Lead(
        "s",
        "entry@start queued@queued ringing@a.rang queued@a.ended ringing@s.rang talking@s.answered",
        (("m", "answered"),),
        (("a", "no_answer"), ("s", "answered")),
        {"a": "ring@a.rang .@a.ended"},
    ),
    "fallback": Lead(
        "a",
        f"entry@start queued@queued external@queued+{LAP_MS} talking@a.answered",
        (("m", "fallback"),),
        (),
        ring="",
    ),
    "timeout_fallback": Lead(  # the timeout names no queue: the PBX's own serves
        "a",
        f"entry@start queued@queued external@queued+{TIMEOUT_MS} talking@a.answered",
        (("m", "queue_timeout"),),
        (),
        ring="",
    ),
}


@dataclass(frozen=True)
class Move:
    """What happens to the call then.

    Attributes:
        customer: The customer's track from the talk on.
        holder: The holder's track from the ring on; others: those of who comes in.
        ended: Agent, who ended his participation, and how.
        exits, offers: As in ``Lead``, behind it.
        transferred: Kind and target (``agent``, ``queue``, ``outside``) of the transfer.
        ended_by: Who ended the contact.
    """

    customer: str
    holder: str
    ended: tuple[tuple[str, str, str], ...]
    others: dict[str, str] = field(default_factory=dict)
    exits: tuple[tuple[str, str], ...] = ()
    offers: tuple[tuple[str, str], ...] = ()
    transferred: tuple[str, str] | None = None
    ended_by: str = "agent"


def _wrap(moment: str) -> str:
    return f"wrap_up@{moment} .@{moment}+{WRAP_UP_MS}"


_GIVEN = f"talk@H.answered {_wrap('move')}"
_ASKING = "talk@H.answered consult@consult"
_TARGET = {"t": f"ring@t.rang talk@t.answered {_wrap('t.ended')}"}
_TALKED_AGAIN = "queued@move ringing@t.rang talking@t.answered .@t.ended"

MOVES = {
    "none": Move(".@H.ended", f"talk@H.answered {_wrap('H.ended')}", (("H", "agent", "hangup"),)),
    "blind_agent": Move(
        _TALKED_AGAIN,
        _GIVEN,
        (("H", "system", "transfer"), ("t", "agent", "hangup")),
        _TARGET,
        (("back", "answered"),),
        (("t", "answered"),),
        ("blind", "agent"),
    ),
    "blind_queue": Move(
        _TALKED_AGAIN,
        _GIVEN,
        (("H", "system", "transfer"), ("t", "agent", "hangup")),
        _TARGET,
        (("x", "answered"),),
        (("t", "answered"),),
        ("blind", "queue"),
    ),
    "blind_outside": Move(
        "external@move .@o.ended",
        _GIVEN,
        (("H", "system", "transfer"),),
        transferred=("blind", "outside"),
        ended_by="outside",
    ),
    "attended_agent": Move(
        "held@consult talking@complete .@t.ended",
        f"{_ASKING} {_wrap('complete')}",
        (("H", "system", "attended_transfer"), ("t", "agent", "hangup")),
        {"t": f"ring@t.rang consult@t.answered talk@complete {_wrap('t.ended')}"},
        offers=(("t", "taken"),),
        transferred=("attended", "agent"),
    ),
    "attended_outside": Move(
        "held@consult external@complete .@o.ended",
        f"{_ASKING} {_wrap('complete')}",
        (("H", "system", "attended_transfer"),),
        transferred=("attended", "outside"),
        ended_by="outside",
    ),
    "attended_cancelled": Move(
        "held@consult talking@cancel .@H.ended",
        f"{_ASKING} talk@cancel {_wrap('H.ended')}",
        (("H", "agent", "hangup"), ("t", "system", "consult_cancelled")),
        {"t": "ring@t.rang consult@t.answered .@cancel"},
    ),
    "conference_asked_leaves": Move(
        "held@consult conference@conference talking@t.ended .@H.ended",
        f"{_ASKING} conference@conference talk@t.ended {_wrap('H.ended')}",
        (("H", "agent", "hangup"), ("t", "agent", "left_conference")),
        {"t": f"ring@t.rang consult@t.answered conference@conference {_wrap('t.ended')}"},
        offers=(("t", "taken"),),
    ),
    "conference_agent_leaves": Move(
        "held@consult conference@conference talking@H.ended .@t.ended",
        f"{_ASKING} conference@conference {_wrap('H.ended')}",
        (("H", "agent", "left_conference"), ("t", "agent", "hangup")),
        {"t": f"ring@t.rang consult@t.answered conference@conference talk@H.ended {_wrap('t.ended')}"},
        offers=(("t", "taken"),),
        transferred=("attended", "agent"),
    ),
    "conference_outside": Move(
        "held@consult conference@conference talking@o.ended .@H.ended",
        f"{_ASKING} conference@conference talk@o.ended {_wrap('H.ended')}",
        (("H", "agent", "hangup"),),
    ),
}

# The caller gives up, and the transfer came before: nobody can transfer who was never talked to.
_GIVES_UP = {
    "blind_agent": Move(
        "queued@move .@gone",
        _GIVEN,
        (("H", "system", "transfer"),),
        exits=(("back", "GAVE_UP"),),
        transferred=("blind", "agent"),
        ended_by="customer",
    ),
    "blind_queue": Move(
        "queued@move .@gone",
        _GIVEN,
        (("H", "system", "transfer"),),
        exits=(("x", "GAVE_UP"),),
        transferred=("blind", "queue"),
        ended_by="customer",
    ),
    "blind_outside": Move(  # no queue's affair: it rang outside
        "external@move .@gone",
        _GIVEN,
        (("H", "system", "transfer"),),
        transferred=("blind", "outside"),
        ended_by="customer",
    ),
    "attended_cancelled": Move(  # on hold, by the caller: the consult ends with him
        "held@consult .@gone",
        f"{_ASKING} {_wrap('gone')}",
        (("H", "customer", "hangup"), ("t", "customer", "consult_caller_left")),
        {"t": "ring@t.rang consult@t.answered .@gone"},
        ended_by="customer",
    ),
    "conference_asked_leaves": Move(  # all three talk, and the caller hangs up
        "held@consult conference@conference .@gone",
        f"{_ASKING} conference@conference {_wrap('gone')}",
        (("H", "customer", "hangup"), ("t", "customer", "hangup")),
        {"t": f"ring@t.rang consult@t.answered conference@conference {_wrap('gone')}"},
        offers=(("t", "taken"),),
        ended_by="customer",
    ),
}

_NOT_OURS = "the engine moves no leg of the PBX's own queue: refused (not_connected)"
NO_SENSE = {
    ("abandon", "attended_agent"): "a consult that is completed has a talk behind it; nobody waits",
    ("abandon", "attended_outside"): "as with an agent",
    ("abandon", "conference_agent_leaves"): "whoever is left talks with the caller; nobody waits",
    ("abandon", "conference_outside"): "as in the conference with an agent",
    ("short_abandon", "conference_outside"): "in a conference nobody is in a queue: see abandon",
    ("fallback", "conference_outside"): _NOT_OURS,
    ("short_abandon", "blind_outside"): "short is a word of queues; outside there is none",
    ("short_abandon", "attended_cancelled"): "on hold nobody is in a queue: see abandon",
    ("short_abandon", "attended_agent"): "on hold nobody is in a queue: see abandon",
    ("short_abandon", "attended_outside"): "on hold nobody is in a queue: see abandon",
    ("short_abandon", "conference_asked_leaves"): "in a conference nobody is in a queue: see abandon",
    ("short_abandon", "conference_agent_leaves"): "in a conference nobody is in a queue: see abandon",
    (
        "fallback",
        "blind_outside",
    ): "as with a consult; and a phone's key reaches no number",
    ("fallback", "attended_agent"): _NOT_OURS,
    (
        "fallback",
        "attended_outside",
    ): _NOT_OURS,
    (
        "fallback",
        "attended_cancelled",
    ): _NOT_OURS,
    (
        "fallback",
        "conference_asked_leaves",
    ): _NOT_OURS,
    (
        "fallback",
        "conference_agent_leaves",
    ): _NOT_OURS,
}
NO_SENSE |= {
    ("timeout_fallback", transfer): why
    for (outcome, transfer), why in NO_SENSE.items()
    if outcome == "fallback"
}
_ALONE = "entry@start queued@queued .@gone"
OUTCOMES = (*LEADS, "abandon", "short_abandon")


@dataclass(frozen=True)
class Cell:
    """One call of the matrix."""

    outcome: str
    transfer: str
    lead: Lead | None
    move: Move

    @property
    def name(self) -> str:
        return f"{self.outcome}-{self.transfer}"

    @property
    def is_pbxs_own(self) -> bool:
        """Whether the PBX's own queue serves the caller."""
        return self.outcome in ("fallback", "timeout_fallback")

    @property
    def gives_up(self) -> bool:
        return self.outcome in ("abandon", "short_abandon")


def _gave_up(outcome: str) -> str:
    return {"abandon": "abandoned", "short_abandon": "short_abandon"}[outcome]


def cells() -> list[Cell]:
    """Every combination that makes sense."""
    found = []
    for outcome in OUTCOMES:
        for transfer, move in MOVES.items():
            if (outcome, transfer) in NO_SENSE:
                continue
            if outcome in LEADS:
                found.append(Cell(outcome, transfer, LEADS[outcome], move))
            elif transfer == "none":
                alone = Move(_ALONE, "", (), exits=(("m", "GAVE_UP"),), ended_by="customer")
                found.append(Cell(outcome, transfer, None, alone))
            else:
                found.append(Cell(outcome, transfer, LEADS["answer"], _GIVES_UP[transfer]))
    return found


def exits_of(cell: Cell) -> list[tuple[str, str]]:
    """Queue and exit of each visit, in order; ``back`` is the queue where the holder took the call."""
    led = cell.lead.exits if cell.lead is not None else ()
    back = led[-1][0] if led else "m"
    gave_up = _gave_up(cell.outcome) if cell.gives_up else ""
    return [
        (back if queue == "back" else queue, gave_up if way == "GAVE_UP" else way)
        for queue, way in (*led, *cell.move.exits)
    ]
