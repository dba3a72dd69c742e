"""The table of forms is the specification; the properties say what holds for any text at all."""

from __future__ import annotations

import csv
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.customers import number_plans
from app.customers.numbers import NORMAL_CHARS_MAX, RAW_CHARS_MAX, parse_number

_TABLE = Path(__file__).with_name("number_forms.csv")
_REGIONS = ["TW", "CN", "HK", "US", "JP", "GB", "AU", "XX", ""]


def _forms() -> list[dict[str, str]]:
    with _TABLE.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_every_form_of_the_table_is_read_as_its_line_says() -> None:
    wrong = []
    for line, form in enumerate(_forms(), start=2):
        found = parse_number(form["raw"], form["region"], form["area_code"])
        want = (form["kind"], form["normal"], form["extension"])
        if (found.kind, found.normal, found.extension) != want:
            wrong.append((line, form["raw"], want, found))
    assert wrong == []


def test_the_table_is_as_wide_as_it_was_promised() -> None:
    forms = _forms()
    regions = Counter(form["region"] for form in forms)
    assert len(forms) >= 500
    assert regions["TW"] >= 100
    assert regions["CN"] >= 100
    assert len({(form["raw"], form["region"], form["area_code"]) for form in forms}) == len(forms)


@given(
    raw=st.text(max_size=80), region=st.sampled_from(_REGIONS), area=st.sampled_from(["", "02", "021", "x"])
)
@example(raw="sip:\x00@\ud800", region="TW", area="")
@example(raw="+" * 5000, region="TW", area="02")
@example(raw="轉轉轉,,,###", region="TW", area="02")
def test_no_text_raises_and_nothing_unprintable_or_unbounded_comes_out(
    raw: str, region: str, area: str
) -> None:
    found = parse_number(raw, region, area)
    assert len(found.raw) <= RAW_CHARS_MAX
    assert len(found.normal) <= NORMAL_CHARS_MAX
    assert found.normal
    for letter in found.raw + found.normal + found.extension:
        assert unicodedata.category(letter) not in ("Cc", "Cs")


@given(digits=st.text("0123456789+*#-() .轉extsip:@<>", max_size=40), region=st.sampled_from(_REGIONS))
@settings(max_examples=200)
def test_what_is_read_as_e164_is_e164_and_reads_as_itself(digits: str, region: str) -> None:
    found = parse_number(digits, region, "02")
    if found.kind == "e164":
        assert found.normal.startswith("+")
        assert 7 <= len(found.normal) - 1 <= 15
        again = parse_number(found.normal, region, "02")
        assert (again.kind, again.normal) == ("e164", found.normal)


@pytest.mark.parametrize("region", _REGIONS)
@pytest.mark.parametrize("number", sorted(number_plans.EMERGENCY_EVERYWHERE))
@pytest.mark.parametrize("area", ["", "02", "021", "212"])
def test_an_emergency_number_is_never_made_into_another_number(number: str, region: str, area: str) -> None:
    found = parse_number(number, region, area)
    assert (found.kind, found.normal) == ("short", number)


def test_a_long_hostile_text_costs_little() -> None:
    """Patterns must not backtrack: 64 kB of the worst letters stay a matter of the first kilobyte."""
    for letters in (
        "(" * 65536,
        "1,1,1," * 9000,
        "ext" * 20000,
        "<" * 65536,
        "0" * 65536,
        "a@" * 30000,
        "轉1" * 30000,
    ):
        found = parse_number(letters, "TW", "02")
        assert len(found.raw) <= RAW_CHARS_MAX
