"""What the agents' endpoints take."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.http.ids import INTERACTION_PATTERN, SLUG_PATTERN

EXTEND_S_MAX = 3_600


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SignedIn(_Body):
    """Begin work; the agent is not ready yet."""

    state: Literal["signed_in"]


class SignedOut(_Body):
    """Stop work. During a call it takes effect afterwards."""

    state: Literal["signed_out"]


class Ready(_Body):
    """Want work. Ends a wrap-up."""

    state: Literal["ready"]


class NotReady(_Body):
    """Want no work. During a call it takes effect afterwards."""

    state: Literal["not_ready"]
    reason: str = Field(pattern=SLUG_PATTERN, description="The reason's id, for instance lunch")


AgentStateBody = Annotated[SignedIn | SignedOut | Ready | NotReady, Field(discriminator="state")]


class EndWrapUp(_Body):
    """The wrap-up is finished."""

    action: Literal["end"]


class ExtendWrapUp(_Body):
    """The wrap-up needs longer."""

    action: Literal["extend"]
    extend_s: int = Field(ge=1, le=EXTEND_S_MAX)


class CodeWrapUp(_Body):
    """What the call was about."""

    action: Literal["code"]
    interaction_id: str = Field(pattern=INTERACTION_PATTERN)
    code: str = Field(pattern=SLUG_PATTERN)


WrapUpBody = Annotated[EndWrapUp | ExtendWrapUp | CodeWrapUp, Field(discriminator="action")]
