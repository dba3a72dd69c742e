"""``holdless centre``: out and in again changes nothing; what is wrong is named; what changes is told."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from app.centre.demo import demo_centre
from app.centre.exchange import to_toml
from app.db.session import Database

pytestmark = pytest.mark.db


async def _centre(database: Database, folder: Path, *words: str) -> tuple[int, str, str]:
    url = database.engine.url.render_as_string(hide_password=False)
    process = await asyncio.create_subprocess_exec(
        *(Path(sys.executable).with_name("holdless"), "centre", *words),
        cwd=folder,
        env={**os.environ, "HOLDLESS_DATABASE_URL": url},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, wrong = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode or 0, said.decode(), wrong.decode()


async def test_what_was_imported_is_exported_byte_for_byte(database: Database, tmp_path: Path) -> None:
    text = to_toml(demo_centre())
    (tmp_path / "centre.toml").write_text(text, encoding="utf-8")

    status, said, _ = await _centre(database, tmp_path, "import", "centre.toml", "--dry-run")
    assert (status, "the centre would become version 1" in said) == (0, True)
    status, said, _ = await _centre(database, tmp_path, "import", "centre.toml")
    assert (status, "the centre is version 1" in said) == (0, True)
    assert await _centre(database, tmp_path, "export") == (0, text, "")
    status, said, _ = await _centre(database, tmp_path, "import", "centre.toml")
    assert (status, said) == (0, "0 changes; the centre is version 1\n")


async def test_a_file_that_is_not_in_order_is_refused_field_by_field(
    database: Database, tmp_path: Path
) -> None:
    wrong = to_toml(demo_centre()).replace("threshold_s = 15.0", 'threshold_s = "soon"')
    (tmp_path / "centre.toml").write_text(wrong, encoding="utf-8")
    for command in ("check", "import"):
        status, said, told = await _centre(database, tmp_path, command, "centre.toml")
        assert (status, said) == (1, "")
        assert "queue[sales].threshold_s" in told
