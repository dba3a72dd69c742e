"""Figures without segments, cells rolled up by day, gaps in the log, partitions that may be dropped."""

from pathlib import Path

from alembic import op

revision = "0011"
down_revision = "0009b"

_STATEMENT_END = ";\n\n"


def upgrade() -> None:
    """Run ``0011_scale.sql`` statement by statement."""
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    for statement in script.split(_STATEMENT_END):
        if statement.strip():
            op.execute(statement.replace(":", r"\:"))
