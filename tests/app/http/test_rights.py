"""Who may do what: every route declares it, nobody is let in by silence, the table decides."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from app.auth.gate import may
from app.auth.keys import KeyRing
from app.auth.permissions import TABLE, Permission, Reach, Role, reach_of
from app.auth.principal import Principal
from app.http.app import API_PREFIX
from app.http.errors import ApiError
from routing.ids import AgentId
from tests.app.http.route_table import route_table
from tests.app.http.web import KEY, KEYS, SmallServer, app_of, serving

# Whoever signs in is nobody yet, a screen shows the token of its link. Nothing else under the API is open.
OPEN = {
    "POST /api/v1/session",
    "POST /api/v1/session/link",
    "POST /api/v1/wall/ticket",
    "GET /api/v1/openapi.json",
}
# These look at the ticket that the page shows (tests/app/auth/test_every_route.py).
SOCKETS = {"WEBSOCKET /ws", "WEBSOCKET /phone"}


def test_every_route_declares_a_right_or_says_why_it_is_open() -> None:
    table = route_table(app_of(SmallServer()))
    assert len(table) >= 70
    for route in table:
        name = str(route)
        is_open = route.open_because is not None
        assert len(route.rights) == (0 if is_open or name in SOCKETS else 1), f"{name}: {set(route.rights)}"
        assert not is_open or name in OPEN or not route.path.startswith(API_PREFIX), f"{name} is open"
    assert {str(route) for route in table} >= OPEN | SOCKETS


def test_the_table_has_a_row_for_every_right_and_no_right_for_everybody() -> None:
    assert set(TABLE) == set(get_args(Permission))
    for permission, row in TABLE.items():
        assert row, permission
        assert Role.AGENT not in row or row[Role.AGENT] is Reach.OWN, (
            f"{permission}: an agent reaches their own"
        )


OPERATIONS = [
    ("GET", "/api/v1/calls"),
    ("GET", "/api/v1/calls/pbx1-1763790000.7"),
    ("GET", "/api/v1/floor"),
    ("POST", "/api/v1/agents/a1001/state"),
    ("POST", "/api/v1/agents/a1001/wrap-up"),
    ("POST", "/api/v1/calls/pbx1-1763790000.7/transfer"),
    ("POST", "/api/v1/calls/pbx1-1763790000.7/hangup"),
]


@pytest.mark.parametrize("key", [None, "", "wrong", KEY + "x", KEY.upper()])
async def test_without_a_valid_key_every_operation_is_refused(key: str | None) -> None:
    server = SmallServer()
    async with serving(server, key=key) as client:
        before = len(server.steps)
        for method, path in OPERATIONS:
            answer = await client.request(method, path, json={})
            assert answer.status_code == 401, path
            assert answer.json()["error_id"] == "not_signed_in"
            assert answer.headers["www-authenticate"] == "Bearer"
        assert len(server.steps) == before, "nothing reached the engine"


class _Ring(KeyRing):
    """Lets one principal in, whatever is sent: stands for sign-in."""

    def __init__(self, principal: Principal) -> None:
        super().__init__(())
        self._principal = principal

    def principal_of(self, key: str) -> Principal | None:
        return self._principal


class _Request:
    """As much of a request as a gate reads."""

    def __init__(self, principal: Principal, path: dict[str, str]) -> None:
        self.app = app_of(SmallServer())
        self.app.state.keys = _Ring(principal)
        self.headers = {"authorization": "Bearer any"}
        self.path_params = path
        self.state = self.app.state


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("permission", get_args(Permission))
async def test_a_role_passes_as_far_as_its_reach(role: Role, permission: Permission) -> None:
    own = AgentId("a1001") if role is Role.AGENT else None
    principal = Principal(role=role, name="x", agent_id=own)
    reach = reach_of(role, permission)
    for agent_id, is_own in (("a1001", True), ("a1002", False)):
        request: Any = _Request(principal, {"agent_id": agent_id})
        passes = reach is Reach.ALL or (reach is Reach.OWN and is_own)
        if passes:
            assert await may(permission, scope="agent")(request) is principal
        else:
            with pytest.raises(ApiError) as refused:
                await may(permission, scope="agent")(request)
            assert refused.value.status == 403


async def test_what_cannot_be_shown_to_be_ones_own_is_not() -> None:
    principal = Principal(role=Role.AGENT, name="a1001", agent_id=AgentId("a1001"))
    request: Any = _Request(principal, {"interaction_id": "pbx1-1763790000.7"})
    with pytest.raises(ApiError, match="role"):
        await may("call.hangup", scope="interaction")(request)


def test_a_key_is_known_by_its_hash_alone() -> None:
    ring = KeyRing(KEYS)
    found = ring.principal_of(KEY)
    assert found == Principal(role=Role.INTEGRATION, name="crm")
    assert ring.principal_of(KEYS[0].sha256) is None
    assert ring.principal_of(KEY + "x" * 10_000) is None
    assert KeyRing(()).principal_of("") is None
