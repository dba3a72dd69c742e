"""The forms that ids have in paths and bodies; anything else never reaches the engine."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

SLUG_PATTERN = r"^[a-z][a-z0-9_]{0,31}$"
INTERACTION_PATTERN = r"^[A-Za-z0-9_.~-]{1,128}$"

AgentPath = Annotated[str, Path(pattern=SLUG_PATTERN, description="The agent's id, for instance a1001")]
