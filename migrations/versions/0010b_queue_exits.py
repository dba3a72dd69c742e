"""Where a queue's callers go who do not get through."""

from pathlib import Path

from alembic import op

revision = "0010b"
down_revision = "0011c"

_STATEMENT_END = ";\n\n"


def upgrade() -> None:
    """Run ``0010b_queue_exits.sql`` statement by statement."""
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    for statement in script.split(_STATEMENT_END):
        if statement.strip():
            op.execute(statement.replace(":", r"\:"))
