"""What a synthetic caller has to say: a voice-like hum over a friendly tune, made of numbers. Pure.

Nothing is recorded and nothing is borrowed: a melody on five notes, plucked, and around it vowels of a
source-filter voice (a buzz through three resonances). G.711 µ-law at 8 kHz, as the telephone carries it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

RATE_HZ: Final = 8_000
FRAME_BYTES: Final = 160
"""Twenty milliseconds."""
_BIAS: Final = 132
_CLIP: Final = 32_635
_PENTATONIC_HZ: Final = (392.0, 440.0, 523.25, 587.33, 659.25, 783.99)
_TUNE: Final = ((2, 2), (3, 1), (4, 1), (5, 2), (4, 2), (2, 1), (3, 1), (2, 2), (0, 4))  # note, eighths
_EIGHTH_S: Final = 0.16
_VOWELS_HZ: Final = {  # three formants: centre of the first three resonances of a voice
    "a": (730.0, 1_090.0, 2_440.0),
    "e": (530.0, 1_840.0, 2_480.0),
    "i": (270.0, 2_290.0, 3_010.0),
    "o": (570.0, 840.0, 2_410.0),
    "u": (300.0, 870.0, 2_240.0),
}
_SAID: Final = (
    ("e", 0.16, 165.0),
    ("o", 0.34, 150.0),
    ("", 0.18, 0.0),
    ("a", 0.2, 170.0),
    ("i", 0.42, 190.0),
)
_BANDWIDTH_HZ: Final = (80.0, 100.0, 140.0)

Samples = NDArray[np.float64]


def greeting() -> bytes:
    """Return some seconds of a caller's sound, to be repeated: µ-law, a whole number of frames.

    >>> len(greeting()) % FRAME_BYTES, 5 < len(greeting()) / RATE_HZ < 12
    (0, True)
    """
    pause = np.zeros(int(0.5 * RATE_HZ))
    whole = np.concatenate([_voice(), pause, _tune(), pause, _voice(), np.zeros(RATE_HZ)])
    whole = np.concatenate([whole, np.zeros(-len(whole) % FRAME_BYTES)])
    loudest = float(np.max(np.abs(whole)))
    return encode_ulaw((whole / loudest * 0.5 * 32_767).astype(np.int16))


def encode_ulaw(samples: NDArray[np.int16]) -> bytes:
    """Return 16-bit samples as µ-law (ITU-T G.711).

    >>> encode_ulaw(np.array([0, 1000, -1000, 32767], dtype=np.int16)).hex()
    'ffce4e80'
    """
    wide = samples.astype(np.int32)
    sign = np.where(wide < 0, 0x80, 0)
    size = np.minimum(np.abs(wide), _CLIP) + _BIAS
    exponent = np.floor(np.log2(size)).astype(np.int32) - 7
    mantissa = (size >> (exponent + 3)) & 0x0F
    coded = ~(sign | (exponent << 4) | mantissa) & 0xFF
    return bytes(coded.astype(np.uint8).tobytes())


def decode_ulaw(data: bytes) -> NDArray[np.int16]:
    """Return µ-law as 16-bit samples.

    >>> decode_ulaw(bytes.fromhex("ffce4e80")).tolist()
    [0, 988, -988, 32124]
    """
    coded = ~np.frombuffer(data, dtype=np.uint8).astype(np.int32) & 0xFF
    exponent, mantissa = (coded >> 4) & 0x07, coded & 0x0F
    size = (((mantissa << 3) + _BIAS) << exponent) - _BIAS
    return np.where(coded & 0x80, -size, size).astype(np.int16)


def loudness(data: bytes) -> float:
    """Return the root mean square of µ-law sound, in [0, 1].

    >>> loudness(encode_ulaw(np.zeros(160, dtype=np.int16)))
    0.0
    """
    if not data:
        return 0.0
    samples = decode_ulaw(data).astype(np.float64) / 32_768
    return float(np.sqrt(np.mean(samples**2)))


# ---------------------------------------------------------------- inside


def _tune() -> Samples:
    notes = []
    for note, eighths in _TUNE:
        length_s = eighths * _EIGHTH_S
        at_s = np.arange(int(length_s * RATE_HZ)) / RATE_HZ
        pitch_hz = _PENTATONIC_HZ[note]
        plucked = sum(
            np.sin(2 * np.pi * pitch_hz * partial * at_s) * np.exp(-at_s * (3 + 2 * partial)) / partial
            for partial in (1, 2, 3)
        )
        notes.append(plucked * np.minimum(1, at_s / 0.005) * 0.6)
    return np.concatenate(notes)


def _voice() -> Samples:
    """Some vowels that glide like a short sentence; not words, so that no language is preferred."""
    parts = []
    for vowel, length_s, pitch_hz in _SAID:
        count = int(length_s * RATE_HZ)
        if not vowel:
            parts.append(np.zeros(count))
            continue
        at_s = np.arange(count) / RATE_HZ
        glide = pitch_hz * (1 - 0.12 * at_s / length_s)
        phase = np.cumsum(glide) / RATE_HZ
        buzz = 2 * (phase % 1) - 1
        for formant_hz, width_hz in zip(_VOWELS_HZ[vowel], _BANDWIDTH_HZ, strict=True):
            buzz = _resonate(buzz, formant_hz, width_hz)
        swell = np.sin(np.pi * np.clip(at_s / length_s, 0, 1)) ** 0.5
        parts.append(buzz / max(1e-9, float(np.max(np.abs(buzz)))) * swell)
    return np.concatenate(parts)


def _resonate(samples: Samples, centre_hz: float, width_hz: float) -> Samples:
    """Two-pole resonance."""
    radius = np.exp(-np.pi * width_hz / RATE_HZ)
    first, second = 2 * radius * np.cos(2 * np.pi * centre_hz / RATE_HZ), -(radius**2)
    out = np.empty_like(samples)
    before, earlier = 0.0, 0.0
    for at, value in enumerate(samples):
        before, earlier = float(value) + first * before + second * earlier, before
        out[at] = before
    return out
