"""Who may look at the demo: accounts for every role, and a link that signs in once for every page.

A browser keeps one session per host. The desk is therefore opened on one of the machine's names and the other
pages on the other one, so that somebody can take calls and watch the floor in one browser.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.auth.account_rows import NewAccount, account_of_login, insert_account
from app.auth.links import LINK_PATH, make_link
from app.auth.permissions import Role
from app.centre.demo import SEAT_AGENT_ID, demo_centre
from app.db.session import Database, TenantId
from app.http.pages import built_pages

LINK_LIFE_MS: Final = 12 * 60 * 60_000
_DESK_HOST: Final = "127.0.0.1"
_OTHER_HOST: Final = "localhost"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    path: str
    role: Role
    what: str


# In the order in which they are printed. Whoever opens a later one may still use the earlier ones.
_PAGES: Final = (
    _Page(path="/desk", role=Role.AGENT, what="take calls: choose the browser phone, become ready"),
    _Page(path="/floor", role=Role.SUPERVISOR, what="who waits, talks and is ready now"),
    _Page(path="/wall", role=Role.SUPERVISOR, what="the same in large, for a screen on the wall"),
    _Page(path="/customers", role=Role.SUPERVISOR, what="people, numbers, what they were promised"),
    _Page(path="/calls", role=Role.SUPERVISOR, what="every call, and why it reached whom"),
    _Page(path="/figures", role=Role.SUPERVISOR, what="service levels and times, and the calls behind each"),
    _Page(path="/plan", role=Role.PLANNER, what="tomorrow's calls and the staff for them"),
    _Page(path="/people", role=Role.ADMINISTRATOR, what="accounts, what they may do, their sign-in links"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageLink:
    """A page, the link that opens it signed in, and what it is for."""

    path: str
    url: str
    what: str


async def page_links(
    database: Database, tenant_id: TenantId, http_port: int, *, paths: Sequence[str] | None = None
) -> list[PageLink]:
    """Make a link for every page of this build; each signs in once, within hours.

    Args:
        paths: The pages that exist; None: those of this installation's build.
    """
    there = built_pages().paths() if paths is None else paths
    now_ms = time.time_ns() // 1_000_000
    links: list[PageLink] = []
    async with database.transaction(tenant_id) as connection:
        for page in _PAGES:
            if page.path not in there or "/sign-in" not in there:
                continue
            wanted = _ACCOUNTS[page.role]
            found = await account_of_login(connection, tenant_id, wanted.login)
            row = found or await insert_account(connection, tenant_id, wanted)
            token, _ = await make_link(
                connection,
                tenant_id,
                "session",
                now_ms=now_ms,
                made_by="demo",
                account_id=row["account_id"],
                life_ms=LINK_LIFE_MS,
            )
            host = _DESK_HOST if page.role is Role.AGENT else _OTHER_HOST
            sign_in = LINK_PATH.replace("#", f"?next={page.path}#")
            url = f"http://{host}:{http_port}{sign_in}{token}"
            links.append(PageLink(path=page.path, url=url, what=page.what))
    return links


_ACCOUNTS: Final = {
    Role.AGENT: NewAccount(login="demo.agent", display_name="You", role=Role.AGENT, agent_id=SEAT_AGENT_ID),
    Role.SUPERVISOR: NewAccount(
        login="demo.supervisor",
        display_name="Sam Supervisor",
        role=Role.SUPERVISOR,
        team_ids=frozenset(team.team_id for team in demo_centre().team),
    ),
    Role.PLANNER: NewAccount(login="demo.planner", display_name="Pat Planner", role=Role.PLANNER),
    Role.ADMINISTRATOR: NewAccount(
        login="demo.admin", display_name="Ada Administrator", role=Role.ADMINISTRATOR
    ),
}
