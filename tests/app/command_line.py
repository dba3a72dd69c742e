"""The command line as a person runs it: a process of its own, beside a test's database."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from app.db.session import Database

_BOUND_S = 60


async def holdless(database: Database, folder: Path, *words: str, **more: str) -> tuple[int, str, str]:
    """Run ``holdless`` in *folder*; return its exit code, and what it said and what it complained of.

    Args:
        more: Variables of its environment.
    """
    url = database.engine.url.render_as_string(hide_password=False)
    process = await asyncio.create_subprocess_exec(
        *(Path(sys.executable).with_name("holdless"), *words),
        cwd=folder,
        env={**os.environ, "HOLDLESS_DATABASE_URL": url, "COLUMNS": "200", "TZ": "UTC", **more},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, wrong = await asyncio.wait_for(process.communicate(), _BOUND_S)
    return process.returncode or 0, said.decode(), wrong.decode()


async def said_by(database: Database, folder: Path, *words: str) -> str:
    """Run it, which must go well; return what it said."""
    code, said, wrong = await holdless(database, folder, *words)
    assert code == 0, wrong
    return said
