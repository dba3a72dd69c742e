"""What the pages send and read about sessions and accounts."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.auth.links import Purpose
from app.auth.permissions import Role
from app.auth.session_rows import AccountRow, milliseconds
from app.auth.session_rows import Session as LiveSession
from app.http.ids import SLUG_PATTERN

TEAMS_MAX = 100
PLAIN_PATTERN = r"^[^\x00-\x1f\x7f]*$"
SECRET_CHARS_MAX = 1_024  # longer is no password; how long it may really be is a rule

Slug = Annotated[str, Field(pattern=SLUG_PATTERN)]
PersonRole = Literal[Role.AGENT, Role.SUPERVISOR, Role.PLANNER, Role.ADMINISTRATOR]
Theme = Literal["system", "light", "dark"]
Language = Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}$")]
Secret = Annotated[str, Field(min_length=1, max_length=SECRET_CHARS_MAX)]
Login = Annotated[str, Field(min_length=1, max_length=256)]
DisplayName = Annotated[str, Field(max_length=100, pattern=PLAIN_PATTERN)]
AccountPath = Annotated[UUID, Path()]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SignInBody(_Body):
    """Sign in by ``login`` and ``password``, or by a ``link`` and what it asks for.

    A link for the first administrator asks for a login and a password, one for a new password for that.
    """

    login: Login | None = None
    password: Secret | None = None
    link: Secret | None = None
    display_name: DisplayName = ""
    language: Language | None = None

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if self.link is None and (self.login is None or self.password is None):
            raise ValueError("send login and password, or a link")
        return self


class LinkBody(_Body):
    """A link to look at."""

    link: Secret


class LinkOffer(BaseModel):
    """What a link would do.

    Attributes:
        login: Whom it signs in; empty where a login is to be chosen.
    """

    purpose: Purpose
    expires_ms: int
    login: str
    display_name: str


class Session(BaseModel):
    """Who is signed in.

    Attributes:
        language: As chosen; null: what the browser asks for.
        ends_ms: The session is over then; milliseconds since the Unix epoch.
    """

    account_id: UUID
    login: str
    display_name: str
    role: PersonRole
    agent_id: str | None
    team_ids: list[str]
    language: str | None
    theme: Theme
    has_password: bool
    ends_ms: int

    @classmethod
    def of(cls, session: LiveSession) -> Session:
        """Return what a page is told of a session."""
        principal = session.principal
        return cls.model_validate(
            {
                "account_id": session.account_id,
                "login": principal.name,
                "display_name": principal.display_name,
                "role": principal.role,
                "agent_id": principal.agent_id,
                "team_ids": sorted(principal.team_ids),
                "language": session.language or None,
                "theme": session.theme,
                "has_password": session.has_password,
                "ends_ms": session.ends_ms,
            }
        )


class SessionChoice(_Body):
    """How somebody wants the pages; what is left out stays."""

    language: Language | None = None
    theme: Theme | None = None


class PasswordBody(_Body):
    """A new password; the old one where there is one."""

    old: Annotated[str, Field(max_length=SECRET_CHARS_MAX)] = ""
    new: Secret


class SocketTicket(BaseModel):
    """To be shown as the first frame of a socket, once."""

    ticket: str
    expires_ms: int


class Account(BaseModel):
    """An account, as administrators see it.

    Attributes:
        locked_until_ms: Too many wrong passwords; null or past: not locked.
    """

    account_id: UUID
    login: str
    display_name: str
    role: PersonRole
    agent_id: str | None
    team_ids: list[str]
    language: str | None
    is_disabled: bool
    has_password: bool
    last_sign_in_ms: int | None
    locked_until_ms: int | None
    created_ms: int

    @classmethod
    def of(cls, row: AccountRow) -> Account:
        """Return an account's row without its secrets."""

        def ms(name: str) -> int | None:
            return milliseconds(row[name]) if row[name] is not None else None

        return cls.model_validate(
            {
                **{name: row[name] for name in ("account_id", "login", "display_name", "role", "agent_id")},
                "team_ids": sorted(row["team_ids"]),
                "language": row["language"] or None,
                "is_disabled": row["disabled_at"] is not None,
                "has_password": row["password_hash"] is not None,
                "last_sign_in_ms": ms("last_sign_in_at"),
                "locked_until_ms": ms("locked_until_at"),
                "created_ms": ms("created_at"),
            }
        )


class AccountList(BaseModel):
    """A page of accounts, in the order of their logins."""

    accounts: list[Account]
    next_cursor: str | None


class AccountBody(_Body):
    """An account to be made; it gets its password by a link."""

    login: Login
    display_name: DisplayName = ""
    role: PersonRole
    agent_id: Slug | None = None
    team_ids: Annotated[list[Slug], Field(max_length=TEAMS_MAX)] = []
    language: Language | None = None


class AccountChange(_Body):
    """What is to be different; what is left out stays. The login is for ever, since the log names it."""

    display_name: DisplayName | None = None
    role: PersonRole | None = None
    agent_id: Slug | None = None
    team_ids: Annotated[list[Slug], Field(max_length=TEAMS_MAX)] | None = None
    language: Language | None = None
    is_disabled: bool | None = None


class AccountLink(BaseModel):
    """A link with which somebody chooses a new password; told once.

    Attributes:
        path: Below the server's address; what it holds stands in the fragment, which no log sees.
    """

    path: str
    expires_ms: int


class AgentChoice(BaseModel):
    """An agent that an account may be.

    Attributes:
        account_id: Whose agent it is already; null: nobody's.
    """

    agent_id: str
    display_name: str
    team_id: str | None
    account_id: UUID | None


class TeamChoice(BaseModel):
    """A team that a supervisor may lead."""

    team_id: str
    display_name: str


class AccountChoices(BaseModel):
    """What the centre has for accounts to be or to lead, in the order of ids."""

    agents: list[AgentChoice]
    teams: list[TeamChoice]
