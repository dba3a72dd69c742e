"""AGI codec: any cut gives the same items; a command is read back as the words that it was made of."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.agi.codec import (
    COMMAND_BYTES_MAX,
    ENVIRONMENT_BYTES_MAX,
    REPLY_BYTES_MAX,
    AgiDecoder,
    AgiEnvironment,
    AgiHangup,
    AgiItem,
    AgiReply,
    encode_command,
)
from telephony.agi.errors import AgiInjectionError, AgiProtocolError
from tests.telephony.agi.peer import words_of

ENVIRONMENT = (
    b"agi_network: yes\nagi_network_script: identify?a=1\nagi_callerid: 0912345678\n"
    b"agi_calleridname: \xe7\x8e\x8b\xff\nagi_accountcode: \nagi_network_script: forged\n\n"
)
REPLIES = (
    b"100 Trying...\n200 result=1 (a (b) c)\n200 result=0\nHANGUP\n200 result=1 (two\nlines)\n"
    b"510 Invalid or unknown command\n520-Invalid command syntax.  Proper usage follows:\n"
    b"Usage: SET VARIABLE\n200 result=1 is no reply here\n520 End of proper usage.\n"
    b"511 Command Not Permitted on a dead channel or intercept routine\n200 result=0 (timeout) endpos=7\n"
)


def all_of(*chunks: bytes) -> list[AgiItem]:
    decoder = AgiDecoder()
    return [item for chunk in chunks for item in decoder.receive(chunk)]


def test_a_session_is_read() -> None:
    environment, *rest = all_of(ENVIRONMENT + REPLIES)
    assert isinstance(environment, AgiEnvironment)
    assert environment.variables["agi_network_script"] == "identify?a=1", "the first counts"
    assert environment.variables["agi_calleridname"] == "王\ufffd"
    assert environment.variables["agi_accountcode"] == ""
    assert rest[:4] == [
        AgiReply(200, "1", "a (b) c", "result=1 (a (b) c)"),
        AgiReply(200, "0", None, "result=0"),
        AgiHangup(),
        AgiReply(200, "1", "two\nlines", "result=1 (two\nlines)"),
    ]
    codes = [(item.code, item.result, item.value) for item in rest[4:] if isinstance(item, AgiReply)]
    assert codes == [(510, "", None), (520, "", None), (511, "", None), (200, "0", "timeout")]


@given(st.lists(st.integers(0, len(ENVIRONMENT + REPLIES)), max_size=12))
def test_any_cut_gives_the_same_items(places: list[int]) -> None:
    data = ENVIRONMENT + REPLIES
    edges = [0, *sorted(places), len(data)]
    assert all_of(*(data[start:end] for start, end in pairwise(edges))) == all_of(data)


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: x\n\n",
        b"agi_a: b\n\nnot a reply\n",
        b"agi_a: " + b"x" * ENVIRONMENT_BYTES_MAX,
        b"agi_a: b\n\n200 " + b"x" * REPLY_BYTES_MAX,
        b"agi_a: b\n\n520-\n" + b"usage\n" * (REPLY_BYTES_MAX // 5),
    ],
)
def test_what_is_not_agi_is_refused(data: bytes) -> None:
    with pytest.raises(AgiProtocolError):
        all_of(data)


@given(st.lists(st.text(max_size=20), min_size=1, max_size=6))
def test_a_command_is_refused_or_read_back_word_by_word(words: list[str]) -> None:
    try:
        data = encode_command(*words)
    except AgiInjectionError:
        return
    assert data.count(b"\n") == 1
    assert b"\r" not in data
    assert words_of(data.decode().removesuffix("\n")) == words


@pytest.mark.parametrize(
    "hostile", ["a\nSET VARIABLE X 1", "a\rb", "a\0b", "\x7f", "\udc80", "x" * COMMAND_BYTES_MAX]
)
def test_a_word_that_could_be_a_second_command_is_refused(hostile: str) -> None:
    with pytest.raises(AgiInjectionError):
        encode_command("VERBOSE", hostile)


def test_a_command_without_words_is_refused() -> None:
    with pytest.raises(AgiInjectionError):
        encode_command()
