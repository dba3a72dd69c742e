"""The foundation: every table, row-level security by tenant, the log's partitions."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None

_STATEMENT_END = ";\n\n"


def upgrade() -> None:
    """Run ``0001_foundation.sql`` statement by statement."""
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    for statement in script.split(_STATEMENT_END):
        if statement.strip():
            op.execute(statement.replace(":", r"\:"))
