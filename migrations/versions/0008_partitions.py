"""Partitions of the log are made without waiting for who reads it."""

from pathlib import Path

from alembic import op

revision = "0008"
down_revision = "0007"

_STATEMENT_END = ";\n\n"


def upgrade() -> None:
    """Run ``0008_partitions.sql`` statement by statement."""
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    for statement in script.split(_STATEMENT_END):
        if statement.strip():
            op.execute(statement.replace(":", r"\:"))
