"""Values for channel variables: nothing leaves that the dialplan could expand, split or quote."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from telephony.agi.codec import COMMAND_BYTES_MAX, encode_command
from telephony.agi.values import VALUE_BYTES_MAX, assignments, clean_value, is_variable

NAMES = st.from_regex(r"[A-Z_]{1,20}", fullmatch=True)


@given(st.text())
def test_nothing_that_the_dialplan_reads_as_more_than_text_is_left(text: str) -> None:
    cleaned = clean_value(text)
    assert not set(cleaned) & set('"\\`${}[](),;|&^\r\n\t\0\x7f')
    assert len(cleaned.encode()) <= VALUE_BYTES_MAX
    assert clean_value(cleaned) == cleaned


@given(st.from_regex(r"[A-Za-z0-9_.:/@*#+=-]{0,200}", fullmatch=True))
def test_ordinary_values_are_left_alone(text: str) -> None:
    assert clean_value(text) == text


def test_names_of_people_stay_readable() -> None:
    assert clean_value("Jörg O'Brien 王小明") == "Jörg O'Brien 王小明"


def test_a_function_is_no_variable() -> None:
    assert not is_variable("SHELL(reboot)")
    assert not is_variable("CC_X\n")
    assert not is_variable("")


@given(st.dictionaries(NAMES, st.text(), max_size=60))
def test_assignments_are_read_back_in_order_and_fit_a_command(values: dict[str, str]) -> None:
    groups = list(assignments(values))
    pairs = [pair.partition("=") for group in groups for pair in group.split(",")]
    assert [(name, value) for name, _, value in pairs] == [
        (name, clean_value(value)) for name, value in values.items()
    ]
    for group in groups:
        assert group.count(",") < 24
        assert len(encode_command("EXEC", "MSet", group)) <= COMMAND_BYTES_MAX
