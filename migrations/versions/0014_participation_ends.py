"""Who ended a participation stands with it: who hung up first, and who left while on hold."""

from pathlib import Path

from alembic import op

revision = "0014"
down_revision = "0010b"

_STATEMENT_END = ";\n\n"


def upgrade() -> None:
    """Run ``0014_participation_ends.sql`` statement by statement."""
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    for statement in script.split(_STATEMENT_END):
        if statement.strip():
            op.execute(statement.replace(":", r"\:"))
