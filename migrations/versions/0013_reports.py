"""Reports by name, with every version; when they are sent by mail, and each sending."""

from pathlib import Path

from alembic import op

revision = "0013"
down_revision = "0011"

_STATEMENT_END = ";\n\n"


def upgrade() -> None:
    """Run ``0013_reports.sql`` statement by statement."""
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    for statement in script.split(_STATEMENT_END):
        if statement.strip():
            op.execute(statement.replace(":", r"\:"))
