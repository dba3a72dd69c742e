"""Customers: notes, imports, jobs; search by grams and by a number's digits."""

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"

_STATEMENT_END = ";\n\n"


def upgrade() -> None:
    """Run ``0004_customers.sql`` statement by statement."""
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    for statement in script.split(_STATEMENT_END):
        if statement.strip():
            op.execute(statement.replace(":", r"\:"))
