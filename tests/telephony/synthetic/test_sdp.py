"""Session descriptions: what we write we read; offers get the answers of RFC 3264."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.synthetic.errors import SipParseError
from telephony.synthetic.sdp import Direction, Session, answer_to, parse_sdp, write_sdp

sessions = st.builds(
    Session,
    host=st.sampled_from(["127.0.0.1", "10.0.0.9"]),
    port=st.integers(0, 65_535),
    codecs=st.sampled_from([(0,), (8,), (0, 8), (8, 0)]),
    keys=st.none() | st.integers(96, 127),
    direction=st.sampled_from(Direction),
    session_id=st.integers(1, 10**9),
    version=st.integers(1, 10**9),
)


@given(sessions)
def test_what_is_written_is_read_back_the_same(session: Session) -> None:
    assert parse_sdp(write_sdp(session)) == session


@given(st.binary(max_size=300))
def test_any_bytes_are_a_session_or_the_typed_error(body: bytes) -> None:
    for whole in (body, write_sdp(Session(host="h", port=1))[: len(body)] + body):
        with suppress(SipParseError):
            parse_sdp(whole)


@given(sessions, sessions)
def test_an_answer_takes_from_the_offer_and_turns_its_direction(offer: Session, own: Session) -> None:
    try:
        answer = answer_to(offer, own)
    except SipParseError:
        assert not set(offer.codecs) & set(own.codecs)
        return
    assert answer.codecs[0] in offer.codecs
    assert (answer.host, answer.port) == (own.host, own.port)
    assert {offer.direction, answer.direction} in (
        {Direction.BOTH}, {Direction.SEND, Direction.RECEIVE}, {Direction.NONE},
    )  # fmt: skip


def test_the_offer_of_a_real_pbx_is_understood() -> None:
    session = parse_sdp(
        b"v=0\r\no=- 1216 1216 IN IP4 127.0.0.1\r\ns=Asterisk\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        b"m=audio 11820 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
        b"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n"
        b"m=video 5000 RTP/AVP 99\r\na=inactive\r\nc=IN IP4 10.9.9.9\r\n"
    )
    assert session == Session(host="127.0.0.1", port=11820, session_id=1216, version=1216)


def test_a_stream_of_video_alone_is_refused() -> None:
    with pytest.raises(SipParseError):
        parse_sdp(b"v=0\r\nc=IN IP4 127.0.0.1\r\nm=video 5000 RTP/AVP 99\r\n")
