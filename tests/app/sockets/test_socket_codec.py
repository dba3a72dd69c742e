"""What pages say is read strictly; nothing makes it fail otherwise than told."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sockets.codec import (
    MESSAGE_CHARS_MAX,
    Acknowledge,
    BadMessage,
    Ping,
    ShowTicket,
    Subscribe,
    Unsubscribe,
    read,
)
from app.sockets.rules import SocketCursor


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"type":"ticket","ticket":"abc"}', ShowTicket("abc")),
        ('{"type":"subscribe","topic":"wall:all"}', Subscribe("wall:all", None)),
        ('{"type":"subscribe","topic":"wall:all","from":null}', Subscribe("wall:all", None)),
        (
            '{"type":"subscribe","topic":"agent:a1001","from":{"epoch":2,"seq":0}}',
            Subscribe("agent:a1001", SocketCursor(2, 0)),
        ),
        ('{"type":"unsubscribe","topic":"wall:all"}', Unsubscribe("wall:all")),
        ('{"type":"ack","pop_id":12000000007}', Acknowledge(12000000007)),
        ('{"type":"ping","extra":1}', Ping()),
    ],
)
def test_a_message_is_read(text: str, message: object) -> None:
    assert read(text) == message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"type":"hello"}',
        '{"type":"ticket"}',
        '{"type":"ticket","ticket":""}',
        '{"type":"ticket","ticket":7}',
        '{"type":"subscribe","topic":"' + "x" * 65 + '"}',
        '{"type":"subscribe","topic":"a","from":{"epoch":1}}',
        '{"type":"subscribe","topic":"a","from":{"epoch":1,"seq":-1}}',
        '{"type":"subscribe","topic":"a","from":[1,2]}',
        '{"type":"ack","pop_id":"7"}',
        '{"type":"ack","pop_id":true}',
        '{"type":"ack","pop_id":9007199254740993}',
        '{"type":"ping","x":"' + "x" * MESSAGE_CHARS_MAX + '"}',
    ],
)
def test_what_is_none_of_ours_is_refused(text: str) -> None:
    with pytest.raises(BadMessage):
        read(text)


@given(st.text())
def test_no_text_does_harm(text: str) -> None:
    with contextlib.suppress(BadMessage):
        read(text)
