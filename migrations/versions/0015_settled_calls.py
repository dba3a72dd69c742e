"""Callers who gave up are taken off the list by hand, with a reason."""

from pathlib import Path

from alembic import op

revision = "0015"
down_revision = "0014"

_STATEMENT_END = ";\n\n"


def upgrade() -> None:
    """Run ``0015_settled_calls.sql`` statement by statement."""
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    for statement in script.split(_STATEMENT_END):
        if statement.strip():
            op.execute(statement.replace(":", r"\:"))
