"""Foreign pages in the log: told, counted, never a flood."""

from __future__ import annotations

from structlog.testing import capture_logs

from app.auth.foreign_log import ForeignLog


def test_a_flood_is_one_line_a_second_with_the_count_of_the_others() -> None:
    now_s = [100.0]
    door = ForeignLog(lambda: now_s[0])
    with capture_logs() as logs:
        for _ in range(1_000):
            door.note("foreign_origin", origin="http://evil.example", method="GET", path="/" + "x" * 9_000)
        now_s[0] += 1
        door.note("foreign_origin", origin=None, method="POST", path="/api/v1/session")
    assert [(each["method"], each["untold_count"]) for each in logs] == [("GET", 0), ("POST", 999)]
    assert len(logs[0]["path"]) == 100
