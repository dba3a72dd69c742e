"""Grams: whatever is found by its text is found by its grams, and their number is bounded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.customers.search import ASKED_GRAMS_MAX, GRAMS_MAX, asked_grams, folded, grams, is_found

_NAMES = st.text(alphabet="王小明陳abcéＡ -x退費ァ한", max_size=40)


def test_two_letters_of_chinese_are_found_anywhere_and_any_letter_at_the_beginning_of_a_word() -> None:
    assert asked_grams("退費") <= grams("我要退費，謝謝")
    assert asked_grams("王小明") <= grams("王小明 Wang Xiao-Ming")
    assert asked_grams("ｊｏｓｅ") <= grams("José García")
    assert asked_grams("李") == {"李"} <= grams("李四")
    assert asked_grams("") == grams("") == frozenset()


@given(_NAMES, _NAMES)
def test_what_the_text_holds_its_grams_do_not_miss(words: str, name: str) -> None:
    if is_found(words, name) and folded(words):
        assert asked_grams(words) <= grams(name)


@given(_NAMES, st.data())
def test_every_word_of_a_name_finds_it(name: str, data: st.DataObject) -> None:
    words = folded(name).split()
    if words:
        assert is_found(data.draw(st.sampled_from(words)), name)


@given(st.text(max_size=2000))
def test_any_text_has_a_bounded_set_of_short_grams(text: str) -> None:
    found = grams(text)
    assert len(found) <= GRAMS_MAX
    assert all(1 <= len(gram) <= 3 for gram in found)
    assert len(asked_grams(text)) <= ASKED_GRAMS_MAX
