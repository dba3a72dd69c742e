"""An agent's span knows its queue and is found by its end."""

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0012"

_STATEMENT_END = ";\n\n"


def upgrade() -> None:
    """Run ``0009_agents_figures.sql`` statement by statement."""
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    for statement in script.split(_STATEMENT_END):
        if statement.strip():
            op.execute(statement.replace(":", r"\:"))
