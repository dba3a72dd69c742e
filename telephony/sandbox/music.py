"""Music on hold made by arithmetic: no download, no licence, and in the trunk's own format.

A file in mu-law needs no transcoding for a trunk that speaks mu-law, so a hundred waiting callers
cost no more than their packets.
"""

from __future__ import annotations

import math
from pathlib import Path

SAMPLES_PER_S = 8000
_NOTE_S = 0.75
_PEAK = 5000  # of 32767: quiet enough for an ear that waits
_CLIP = 32635
_BIAS = 0x84
# C, a minor, F, G: broken chords, in hertz
_NOTES_HZ = (
    261.63, 329.63, 392.00, 523.25, 220.00, 261.63, 329.63, 440.00,
    174.61, 220.00, 261.63, 349.23, 196.00, 246.94, 293.66, 392.00,
)  # fmt: skip


def write_music(directory: Path) -> None:
    """Write one tune of 12 seconds (``holdless.ulaw``) into the directory."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "holdless.ulaw").write_bytes(b"".join(_note(pitch_hz) for pitch_hz in _NOTES_HZ))


def _note(pitch_hz: float) -> bytes:
    count = int(_NOTE_S * SAMPLES_PER_S)
    turn = 2 * math.pi * pitch_hz / SAMPLES_PER_S
    samples = bytearray(count)
    for index in range(count):
        fade = min(1.0, index / 160) * math.exp(-3 * index / count)
        samples[index] = ulaw(int(_PEAK * fade * (math.sin(turn * index) + 0.3 * math.sin(2 * turn * index))))
    return bytes(samples)


def ulaw(sample: int) -> int:
    """Return the mu-law byte of a 16-bit sample.

    Source:
        ITU-T G.711, mu-law, in its usual bit-shifting form.

    >>> ulaw(0), ulaw(32767), ulaw(-32768)
    (255, 128, 0)
    """
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), _CLIP) + _BIAS
    exponent = magnitude.bit_length() - 8
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    return ~(sign | (exponent << 4) | mantissa) & 0xFF
