"""Teams, sites and employers are kept as they were."""

from pathlib import Path

from alembic import op

revision = "0009b"
down_revision = "0009"

_STATEMENT_END = ";\n\n"


def upgrade() -> None:
    """Run ``0009b_memberships.sql`` statement by statement."""
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    for statement in script.split(_STATEMENT_END):
        if statement.strip():
            op.execute(statement.replace(":", r"\:"))
