"""Logs: one line per event, nobody writes into them from outside, personal data in one field."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.logs import VALUE_CHARS_MAX, set_up_logs, tame
from tests.plain_logs import plain_logs


@pytest.fixture(autouse=True)
def _reset() -> Iterator[None]:
    yield
    plain_logs()


@given(st.text(max_size=3_000))
def test_a_value_is_one_printable_line_of_bounded_length(text: str) -> None:
    shown = tame(text)
    assert not any(ord(letter) < 0x20 or ord(letter) == 0x7F for letter in shown)
    assert len(shown) <= 4 * VALUE_CHARS_MAX + 1


@given(name=st.text(max_size=80))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_callers_name_cannot_forge_a_line(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    set_up_logs("info", "json")
    structlog.get_logger().info("call arrived", pii={"caller_name": name})
    lines = capfd.readouterr().err.splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["call arrived"]


def test_personal_data_can_be_left_out(capfd: pytest.CaptureFixture[str]) -> None:
    set_up_logs("info", "json", pii=False)
    structlog.get_logger().info("call arrived", pii={"caller_number": "+886912345678"}, queue_id="support")
    said = capfd.readouterr().err
    assert "886912345678" not in said
    assert "support" in said
