"""Who ended each agent's participation."""

from pathlib import Path

from alembic import op

revision = "0010"
down_revision = "0013"

_STATEMENT_END = ";\n\n"


def upgrade() -> None:
    """Run ``0010_participations.sql`` statement by statement."""
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    for statement in script.split(_STATEMENT_END):
        if statement.strip():
            op.execute(statement.replace(":", r"\:"))
