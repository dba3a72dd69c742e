"""The one table of rights: what each role may do, and how far. It drives the routes and their tests.

Deny by default: a permission that is not in the table does not exist, a role that is not in its row
has no part in it. ``Reach`` says how far: everything of the tenant, the supervisor's own teams, or
the agent's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from typing import Literal, get_args


class Role(StrEnum):
    """Who somebody is; one role per session or key."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    PLANNER = "planner"
    ADMINISTRATOR = "administrator"
    INTEGRATION = "integration"
    WALL = "wall"  # a screen behind a link of the wall; no account has it


class Reach(IntEnum):
    """How far a permission goes."""

    OWN = 1
    TEAMS = 2
    ALL = 3


Permission = Literal[
    "call.read",
    "call.transfer",
    "call.hangup",
    "call.settle",
    "floor.read",
    "agent.state",
    "agent.wrap_up",
    "agent.pop",
    "agent.phone",
    "presence.read",
    "session.use",
    "account.read",
    "account.write",
    "wall.read",
    "wall.link",
    "centre.read",
    "party.read",
    "party.write",
    "party.merge",
    "party.import",
    "party.export",
    "job.read",
    "job.write",
    "plan.read",
    "plan.write",
    "figures.read",
    "report.read",
    "report.write",
    "report.send",
    "metrics.read",
]

_AGENT, _SUPERVISOR, _PLANNER, _ADMINISTRATOR, _INTEGRATION, _WALL = Role

TABLE: Mapping[Permission, Mapping[Role, Reach]] = {
    "call.read": {
        _AGENT: Reach.OWN,
        _SUPERVISOR: Reach.TEAMS,
        _PLANNER: Reach.ALL,
        _ADMINISTRATOR: Reach.ALL,
        _INTEGRATION: Reach.ALL,
    },
    "call.transfer": {_AGENT: Reach.OWN, _SUPERVISOR: Reach.TEAMS, _INTEGRATION: Reach.ALL},
    "call.hangup": {_AGENT: Reach.OWN, _SUPERVISOR: Reach.TEAMS, _INTEGRATION: Reach.ALL},
    "call.settle": {  # who gave up is taken off the list by hand, and put back
        _SUPERVISOR: Reach.TEAMS,
        _ADMINISTRATOR: Reach.ALL,
        _INTEGRATION: Reach.ALL,
    },
    "floor.read": {
        _SUPERVISOR: Reach.TEAMS,
        _PLANNER: Reach.ALL,
        _ADMINISTRATOR: Reach.ALL,
        _INTEGRATION: Reach.ALL,
    },
    "agent.state": {_AGENT: Reach.OWN, _SUPERVISOR: Reach.TEAMS, _INTEGRATION: Reach.ALL},
    "agent.wrap_up": {_AGENT: Reach.OWN, _SUPERVISOR: Reach.TEAMS, _INTEGRATION: Reach.ALL},
    "agent.pop": {_AGENT: Reach.OWN, _SUPERVISOR: Reach.TEAMS, _INTEGRATION: Reach.ALL},
    "agent.phone": {
        _AGENT: Reach.OWN,
        _SUPERVISOR: Reach.TEAMS,
        _ADMINISTRATOR: Reach.ALL,
        _INTEGRATION: Reach.ALL,
    },
    "presence.read": {  # who of the colleagues is there: a call is handed to somebody, not to an empty chair
        _AGENT: Reach.OWN,
        _SUPERVISOR: Reach.ALL,
        _ADMINISTRATOR: Reach.ALL,
        _INTEGRATION: Reach.ALL,
    },
    "session.use": {  # one's own session, whoever one is: the endpoint knows no other
        _AGENT: Reach.OWN,
        _SUPERVISOR: Reach.ALL,
        _PLANNER: Reach.ALL,
        _ADMINISTRATOR: Reach.ALL,
    },
    "account.read": {_SUPERVISOR: Reach.TEAMS, _ADMINISTRATOR: Reach.ALL},
    "account.write": {_ADMINISTRATOR: Reach.ALL},
    "wall.read": {
        _AGENT: Reach.OWN,
        _SUPERVISOR: Reach.ALL,
        _PLANNER: Reach.ALL,
        _ADMINISTRATOR: Reach.ALL,
        _INTEGRATION: Reach.ALL,
        _WALL: Reach.ALL,
    },
    "wall.link": {_SUPERVISOR: Reach.ALL, _ADMINISTRATOR: Reach.ALL},
    "centre.read": {
        _AGENT: Reach.OWN,
        _SUPERVISOR: Reach.ALL,
        _PLANNER: Reach.ALL,
        _ADMINISTRATOR: Reach.ALL,
        _INTEGRATION: Reach.ALL,
    },
    "party.read": {
        _AGENT: Reach.OWN,
        _SUPERVISOR: Reach.ALL,
        _PLANNER: Reach.ALL,
        _ADMINISTRATOR: Reach.ALL,
        _INTEGRATION: Reach.ALL,
    },
    "party.write": {
        _AGENT: Reach.OWN,
        _SUPERVISOR: Reach.ALL,
        _ADMINISTRATOR: Reach.ALL,
        _INTEGRATION: Reach.ALL,
    },
    "party.merge": {_SUPERVISOR: Reach.ALL, _ADMINISTRATOR: Reach.ALL, _INTEGRATION: Reach.ALL},
    "party.import": {_SUPERVISOR: Reach.ALL, _ADMINISTRATOR: Reach.ALL, _INTEGRATION: Reach.ALL},
    "party.export": {_SUPERVISOR: Reach.ALL, _ADMINISTRATOR: Reach.ALL, _INTEGRATION: Reach.ALL},
    "job.read": {
        _SUPERVISOR: Reach.ALL,
        _PLANNER: Reach.ALL,
        _ADMINISTRATOR: Reach.ALL,
        _INTEGRATION: Reach.ALL,
    },
    "job.write": {
        _SUPERVISOR: Reach.ALL,
        _PLANNER: Reach.ALL,
        _ADMINISTRATOR: Reach.ALL,
        _INTEGRATION: Reach.ALL,
    },
    "plan.read": {
        _SUPERVISOR: Reach.ALL,
        _PLANNER: Reach.ALL,
        _ADMINISTRATOR: Reach.ALL,
        _INTEGRATION: Reach.ALL,
    },
    "plan.write": {_PLANNER: Reach.ALL, _ADMINISTRATOR: Reach.ALL, _INTEGRATION: Reach.ALL},
    "figures.read": {
        _SUPERVISOR: Reach.ALL,
        _PLANNER: Reach.ALL,
        _ADMINISTRATOR: Reach.ALL,
        _INTEGRATION: Reach.ALL,
    },
    "report.read": {  # one's own, and what is shared with one's role, one's teams or all
        _SUPERVISOR: Reach.TEAMS,
        _PLANNER: Reach.TEAMS,
        _ADMINISTRATOR: Reach.ALL,
        _INTEGRATION: Reach.TEAMS,
    },
    "report.write": {  # below all: one's own alone
        _SUPERVISOR: Reach.TEAMS,
        _PLANNER: Reach.TEAMS,
        _ADMINISTRATOR: Reach.ALL,
        _INTEGRATION: Reach.TEAMS,
    },
    "report.send": {_SUPERVISOR: Reach.TEAMS, _PLANNER: Reach.TEAMS, _ADMINISTRATOR: Reach.ALL},
    "metrics.read": {_ADMINISTRATOR: Reach.ALL, _INTEGRATION: Reach.ALL},
}

assert set(TABLE) == set(get_args(Permission))


def reach_of(role: Role, permission: Permission) -> Reach | None:
    """Return how far *role* may go with *permission*; None: not at all.

    >>> reach_of(Role.AGENT, "call.read").name
    'OWN'
    >>> reach_of(Role.PLANNER, "call.hangup") is None
    True
    """
    return TABLE[permission].get(role)
