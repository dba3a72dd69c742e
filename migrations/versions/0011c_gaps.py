"""Who reads the report views sees the gaps that grade them."""

from pathlib import Path

from alembic import op

revision = "0011c"
down_revision = "0011b"

_STATEMENT_END = ";\n\n"


def upgrade() -> None:
    """Run ``0011c_gaps.sql`` statement by statement."""
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    for statement in script.split(_STATEMENT_END):
        if statement.strip():
            op.execute(statement.replace(":", r"\:"))
