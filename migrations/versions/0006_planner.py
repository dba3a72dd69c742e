"""Plans: forecasts, what they were made from, and their intervals."""

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"

_STATEMENT_END = ";\n\n"


def upgrade() -> None:
    """Run ``0006_planner.sql`` statement by statement."""
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    for statement in script.split(_STATEMENT_END):
        if statement.strip():
            op.execute(statement.replace(":", r"\:"))
