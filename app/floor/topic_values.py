"""The values that boards show, by key of their topics: what pages' types are generated from. Pure.

Law: a value on the wire has these fields, all of them and no others.
"""

from __future__ import annotations

from typing_extensions import TypedDict

from app.wall.rules import Figures
from routing.events import AgentState
from routing.ids import AgentId, InteractionId, QueueId
from routing.phone_signals import PhoneKind


class BoardMeta(TypedDict):
    """How far the board can be believed; moments in milliseconds since the epoch (UTC).

    Attributes:
        day_start_ms: The centre's local midnight.
        not_ready: What keeps the server from serving calls, by its part.
    """

    at_ms: int
    link_up: bool
    day_start_ms: int
    not_ready: dict[str, str]


class BoardFormula(TypedDict):
    """What a figure is made of, by the one table: sum of ``over`` ÷ (sum of ``under`` less ``less``)."""

    over: list[str]
    under: list[str]
    less: list[str]


class WaitingNow(TypedDict):
    """How many wait, and since when the longest; null: nobody does."""

    waiting_count: int
    oldest_since_ms: int | None


class QueueTile(WaitingNow):
    """A queue as its agents see it."""

    queue_id: QueueId
    display_name: str


class FloorTotal(WaitingNow):
    """All queues and agents together; ``agent_counts`` by displayed state."""

    agent_counts: dict[str, int]
    today: Figures
    last_15_min: Figures


class QueueRow(QueueTile):
    """A queue as a board shows it.

    Attributes:
        agent_counts: Its agents by displayed state.
    """

    threshold_s: float
    service_level_target: float
    agent_counts: dict[str, int]
    today: Figures
    last_15_min: Figures


class AgentRowPhone(TypedDict):
    """What an agent is rung on."""

    kind: PhoneKind
    reachable: bool


class AgentRow(TypedDict):
    """An agent as a supervisor's board shows them.

    Attributes:
        reason_name: The centre's own name of the reason; empty: the page has a word, or shows the id.
        unseen_pop_since_ms: Since when they talk without the pop having been on their screen; null: it was.
    """

    agent_id: AgentId
    display_name: str
    team_id: str | None
    team_name: str | None
    state: AgentState
    reason: str
    reason_name: str
    since_ms: int
    interaction_id: InteractionId | None
    queue_ids: list[QueueId]
    phone: AgentRowPhone
    unseen_pop_since_ms: int | None


WallTopic = TypedDict(
    "WallTopic",
    {"meta": BoardMeta, "formulas": dict[str, BoardFormula], "total": FloorTotal, "queue/*": QueueRow},
)
"""``wall:all``: no agent by name."""

FloorTopic = TypedDict(
    "FloorTopic",
    {
        "meta": BoardMeta,
        "formulas": dict[str, BoardFormula],
        "total": FloorTotal,
        "queue/*": QueueRow,
        "agent/*": AgentRow,
    },
)
"""``floor:all`` and ``floor:team:*``."""
