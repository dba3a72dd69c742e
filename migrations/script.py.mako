"""${message}"""

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Expand first, contract in a later release; there is no way down."""
    ${upgrades if upgrades else "pass"}
