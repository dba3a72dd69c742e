"""Files of customers do not outlive their time, by a real file system."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.jobs.file_keeper import UNFINISHED_KEPT_S, FileKeeper

NOW_S = 1_800_000_000.0
DAY_S = 86_400.0


def _file(data_dir: Path, name: str, age_s: float) -> Path:
    path = data_dir / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("李小明,0912345678")
    os.utime(path, (NOW_S - age_s, NOW_S - age_s))
    return path


def test_what_is_older_than_its_time_is_removed_and_nothing_else(tmp_path: Path) -> None:
    old = [
        _file(tmp_path, "imports/a.rows", 7 * DAY_S + 1),
        _file(tmp_path, "imports/a.refused.csv", 8 * DAY_S),
        _file(tmp_path, "exports/b.xlsx", 30 * DAY_S),
        _file(tmp_path, "exports/c.partial", UNFINISHED_KEPT_S + 1),
        _file(tmp_path, "imports/d.upload", 2 * UNFINISHED_KEPT_S),
    ]
    kept = [
        _file(tmp_path, "imports/e.rows", 7 * DAY_S - 1),
        _file(tmp_path, "exports/f.csv", 0),
        _file(tmp_path, "exports/g.partial", 60),
        _file(tmp_path, "journal.db", 900 * DAY_S),
        _file(tmp_path, "failed-signals/h.json", 900 * DAY_S),
    ]
    keeper = FileKeeper(tmp_path, 7, lambda: NOW_S)
    assert keeper.remove_old() == len(old)
    assert [path for path in old if path.exists()] == []
    assert [path for path in kept if not path.exists()] == []
    assert keeper.remove_old() == 0


def test_a_centre_that_never_imported_has_nothing_to_remove(tmp_path: Path) -> None:
    assert FileKeeper(tmp_path, 1, lambda: NOW_S).remove_old() == 0


def test_a_file_that_cannot_be_removed_is_told_and_the_others_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, other = _file(tmp_path, "imports/a.rows", 9 * DAY_S), _file(tmp_path, "imports/b.rows", 9 * DAY_S)
    unlink = Path.unlink

    def refused(path: Path, missing_ok: bool = False) -> None:
        if path == stuck:
            raise PermissionError(13, "Permission denied", str(path))
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", refused)  # root may remove anything, so the refusal is made here
    with pytest.raises(PermissionError):
        FileKeeper(tmp_path, 7, lambda: NOW_S).remove_old()
    assert (stuck.exists(), other.exists()) == (True, False)
