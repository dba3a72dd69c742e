"""Ask the engine: one signal into the inbox, and the answer is what its step made a fact.

The PBX's own answer comes later, as events; nobody waits for it here.
"""

from __future__ import annotations

import asyncio
import dataclasses
import re
import uuid
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from pydantic import BaseModel

from app.auth.principal import Principal
from app.http.errors import ApiError
from app.http.state import SignalInbox, state_of
from routing.events import Event, SignalIgnored
from routing.signals import Signal

ANSWER_MAX_S = 5.0
_ALREADY = "already_"
"""Begins the reasons of what was ignored because it was so before: two clicks are no error."""
_KEY = re.compile(r"[\x21-\x7e]{1,128}")


class Fact(BaseModel):
    """One event: its type and its own fields; times in milliseconds since the Unix epoch (UTC)."""

    type: str
    at_ms: int
    occurred_ms: int
    fields: dict[str, Any]


class Outcome(BaseModel):
    """What a request made true. No facts: it was in order and changes nothing yet (or no more).

    Attributes:
        request_id: Under which the engine knows the request; repeating it gives the same answer.
    """

    request_id: str
    at_ms: int
    facts: list[Fact]


def request_id_of(
    request: Request,
    idempotency_key: Annotated[
        str | None, Header(description="Repeating a request with the same key changes nothing twice.")
    ] = None,
) -> str:
    """Return the request id: the caller's key within their own name, else a new one (a dependency)."""
    if idempotency_key is None:
        return str(uuid.uuid4())
    if not _KEY.fullmatch(idempotency_key):
        raise ApiError(422, "bad_idempotency_key", "1 to 128 printable ASCII characters without spaces")
    principal: Principal = request.state.principal
    return f"{principal.role}:{principal.name}:{idempotency_key}"


RequestId = Annotated[str, Depends(request_id_of)]


def inbox_of(request: Request) -> SignalInbox:
    """Return the inbox (a dependency)."""
    return state_of(request).inbox


InboxDependency = Annotated[SignalInbox, Depends(inbox_of)]


async def ask(inbox: SignalInbox, signal: Signal) -> Outcome:
    """Put *signal* and return what it made true.

    Raises:
        ApiError: 409 with the engine's reason when it does not fit the present state, unless that is what
            was asked for; 503 when the engine did not answer in time (the request stays in force; ask
            again with its key).
    """
    assert signal.request_id is not None, "without a request id the signal would count as a fact of the PBX"
    try:
        step = await asyncio.wait_for(inbox.put(signal), ANSWER_MAX_S)
    except TimeoutError:
        raise ApiError(503, "engine_slow", "no answer in time; the request may still take effect") from None
    for event in step.events:
        if isinstance(event, SignalIgnored) and event.signal == type(signal).__name__:
            if event.reason.startswith(_ALREADY):
                return Outcome(request_id=signal.request_id, at_ms=step.signal.at_ms, facts=[])
            params = {"interaction_id": event.interaction_id, "agent_id": event.agent_id}
            raise ApiError(409, event.reason, "this does not fit the present state", params=params)
    facts = [_fact(event) for event in step.events if _is_about(event, signal)]
    return Outcome(request_id=signal.request_id, at_ms=step.signal.at_ms, facts=facts)


def _is_about(event: Event, signal: Signal) -> bool:
    """One step may match other pairs too; whoever asked learns what concerns their agent or call."""
    names = {getattr(signal, "interaction_id", None), getattr(signal, "agent_id", None)} - {None}
    return bool(names & {getattr(event, "interaction_id", None), getattr(event, "agent_id", None)})


def _fact(event: Event) -> Fact:
    fields = {
        name: getattr(event, name)
        for name in (field.name for field in dataclasses.fields(event))
        if name not in {"at_ms", "occurred_ms"}
    }
    return Fact(type=type(event).__name__, at_ms=event.at_ms, occurred_ms=event.occurred_ms, fields=fields)
