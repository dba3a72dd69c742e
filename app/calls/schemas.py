"""What the calls' endpoints take and give."""

from __future__ import annotations

from typing import Annotated, Any, Self

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.http.ids import INTERACTION_PATTERN, SLUG_PATTERN

CallPath = Annotated[
    str,
    Path(pattern=INTERACTION_PATTERN, description="The call's id, for instance pbx1-1763790000.7"),
]


class TransferBody(BaseModel):
    """Blind transfer: exactly one target."""

    model_config = ConfigDict(extra="forbid")

    to_queue_id: str | None = Field(default=None, pattern=SLUG_PATTERN)
    to_agent_id: str | None = Field(default=None, pattern=SLUG_PATTERN)

    @model_validator(mode="after")
    def _has_one_target(self) -> Self:
        if (self.to_queue_id is None) == (self.to_agent_id is None):
            raise ValueError("name exactly one of to_queue_id and to_agent_id")
        return self


class CallList(BaseModel):
    """One page of the call log, newest first.

    Attributes:
        next_cursor: Send it as ``cursor`` for the next page; null on the last.
    """

    calls: list[dict[str, Any]]
    next_cursor: str | None
