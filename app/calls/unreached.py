"""Who gave up and was not reached since, the list that empties by itself: a condition on the calls' rows."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, exists, or_, tuple_

from app.calls.rules import WITHHELD
from app.db import tables as t

_CONTACTS: Final = ("contact", "callback_attempt")  # not a consultation or a supervisor who listens
_DAY: Final = timedelta(days=1)  # a call that was answered after this one may have begun before it


def unreached(outcome: str) -> ColumnElement[bool]:
    """Return when a call with this outcome is the last such one of somebody who still waits to be reached.

    The same person is the same party, or the same number where it was shown. They were reached when any of
    their calls was answered after this one began; somebody without party and number cannot be reached.
    A call that was settled by hand (``app.calls.settling``) is off the list; a later one is on it again.
    """
    call, later = t.interaction.c, t.interaction.alias("later")
    is_reached = and_(later.c.answered_at > call.started_at, later.c.kind.in_(_CONTACTS))
    is_newer = and_(
        later.c.outcome == outcome,
        tuple_(later.c.started_at, later.c.interaction_id) > tuple_(call.started_at, call.interaction_id),
    )
    settles = and_(
        later.c.tenant_id == call.tenant_id,
        later.c.started_at > call.started_at - _DAY,
        or_(is_reached, is_newer),
    )
    is_shown = call.caller_number.not_in(WITHHELD)
    settled = t.settled_call.c
    is_settled = and_(
        settled.tenant_id == call.tenant_id,
        settled.interaction_id == call.interaction_id,
        settled.undone_at.is_(None),
    )
    return and_(
        call.outcome == outcome,
        ~exists().where(is_settled),
        or_(call.party_id.is_not(None), is_shown),
        ~exists().where(settles, later.c.party_id == call.party_id),
        or_(~is_shown, ~exists().where(settles, later.c.caller_number == call.caller_number)),
    )
