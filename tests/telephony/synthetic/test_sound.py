"""A caller's sound: the law of G.711 both ways, and a stream that is heard at the other end."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.synthetic.rtp import FRAME_S, RtpStream
from telephony.synthetic.sound import FRAME_BYTES, decode_ulaw, encode_ulaw, greeting, loudness
from telephony.synthetic.transactions import Peer
from tests.telephony.synthetic.bench import until


@given(st.lists(st.integers(-32_768, 32_767), min_size=1, max_size=400))
def test_coding_loses_no_more_than_the_law_allows(values: list[int]) -> None:
    samples = np.array(values, dtype=np.int16)
    back = decode_ulaw(encode_ulaw(samples)).astype(int)
    clipped = np.clip(samples.astype(int), -32_124, 32_124)
    assert np.all(np.abs(back - clipped) <= np.maximum(8, np.abs(clipped) // 16))


def test_every_code_is_its_own_code() -> None:
    codes = bytes(code for code in range(256) if code != 0x7F)  # minus nothing is nothing
    assert encode_ulaw(decode_ulaw(codes)) == codes


def test_a_greeting_is_the_same_every_time_and_mostly_loud() -> None:
    sound = greeting()
    assert sound == greeting()
    frames = [sound[at : at + FRAME_BYTES] for at in range(0, len(sound), FRAME_BYTES)]
    assert sum(loudness(frame) > 0.02 for frame in frames) > len(frames) / 2


async def test_what_one_says_the_other_hears_until_silence_is_asked_for() -> None:
    speaker, listener = RtpStream(greeting()), RtpStream(bytes(FRAME_BYTES))
    try:
        await speaker.open()
        peer: Peer | None = ("127.0.0.1", await listener.open())
        speaker.speak(lambda: peer)
        await until(lambda: listener.received_count >= 20)
        assert listener.heard_max > 0.02
        peer = None
        await asyncio.sleep(3 * FRAME_S)
        sent_count = speaker.sent_count
        await asyncio.sleep(5 * FRAME_S)
        assert speaker.sent_count == sent_count
    finally:
        speaker.close()
        listener.close()


@pytest.mark.parametrize("junk", [b"", b"x", b"\x80" * 11, b"\x00" * 172, b"\x80\x60" + bytes(170)])
async def test_what_is_no_sound_is_passed_over(junk: bytes) -> None:
    listener = RtpStream(bytes(FRAME_BYTES))
    listener.datagram_received(junk, ("127.0.0.1", 1))
    assert listener.heard_max == 0.0
