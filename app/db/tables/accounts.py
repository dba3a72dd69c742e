"""Who may sign in: accounts, their sessions, and the links that work once.

Of a session's token and of a link only the SHA-256 is kept: whoever reads these tables can sign in as
nobody. A login is stored case-folded. Accounts are disabled, never deleted, since the log names them.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Integer, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from app.db.tables.metadata import instant, tenant_table, within, words

account = tenant_table(
    "account",
    ("account_id",),
    Column("account_id", UUID, nullable=False),
    words("login", default=None),
    words("display_name"),
    Column(
        "role",
        Text,
        CheckConstraint("role IN ('agent','supervisor','planner','administrator')", name="role"),
        nullable=False,
    ),
    words("agent_id", nullable=True),
    Column("team_ids", ARRAY(Text), nullable=False, server_default=text("'{}'")),  # of a supervisor
    words("password_hash", nullable=True),  # argon2id; null: only a link signs in
    words("language"),  # empty: what the browser asks for
    words("theme", default="system"),
    instant("created_at", default_now=True),
    instant("changed_at", default_now=True),  # by the database's clock: sessions elsewhere follow it
    instant("disabled_at", nullable=True),
    instant("last_sign_in_at", nullable=True),
    Column("failed_count", Integer, nullable=False, server_default="0"),  # wrong passwords in a row
    instant("locked_until_at", nullable=True),
    CheckConstraint("login ~ '^[^[:space:][:cntrl:]]{1,64}$'", name="login"),
    CheckConstraint("theme IN ('system','light','dark')", name="theme"),
    CheckConstraint("role <> 'agent' OR agent_id IS NOT NULL", name="agent"),
    within(("agent_id",), "agent", ("agent_id",)),
    Index("uq_account_login", "tenant_id", "login", unique=True),
    # One person is one agent: what another account signs in as, this one cannot.
    Index(
        "uq_account_agent",
        "tenant_id",
        "agent_id",
        unique=True,
        postgresql_where=text("disabled_at IS NULL"),
    ),
    Index(None, "tenant_id", "changed_at"),
)

web_session = tenant_table(
    "web_session",
    ("session_id",),
    Column("session_id", UUID, nullable=False),
    Column("token_sha256", LargeBinary, nullable=False),
    Column("account_id", UUID, nullable=False),
    Column(
        "began_by", Text, CheckConstraint("began_by IN ('password','link')", name="began_by"), nullable=False
    ),
    instant("created_at"),
    instant("seen_at"),
    instant("expires_at"),  # when nothing more is seen of it
    instant("ends_at"),  # whatever is seen of it
    words("user_agent"),
    within(("account_id",), "account", ("account_id",)),
    Index("uq_web_session_token", "tenant_id", "token_sha256", unique=True),
    Index(None, "tenant_id", "account_id"),
    Index(None, "tenant_id", "expires_at"),
)

sign_in_link = tenant_table(
    "sign_in_link",
    ("link_sha256",),
    Column("link_sha256", LargeBinary, nullable=False),
    # first: makes the first administrator. password: a new password is chosen. session: signs in as it is.
    Column(
        "purpose",
        Text,
        CheckConstraint("purpose IN ('first','password','session')", name="purpose"),
        nullable=False,
    ),
    Column("account_id", UUID),
    words("made_by"),
    instant("created_at"),
    instant("expires_at"),
    instant("used_at", nullable=True),
    CheckConstraint("(purpose = 'first') = (account_id IS NULL)", name="account"),
    within(("account_id",), "account", ("account_id",)),
    Index(None, "tenant_id", "account_id"),
    Index(None, "tenant_id", "expires_at"),
)
