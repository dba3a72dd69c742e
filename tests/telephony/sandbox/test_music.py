from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from telephony.sandbox.music import SAMPLES_PER_S, ulaw, write_music


def _decoded(byte: int) -> int:
    """G.711's own expansion, to prove the compression."""
    byte = ~byte & 0xFF
    magnitude = (((byte & 0x0F) << 3) + 0x84) << ((byte & 0x70) >> 4)
    return (0x84 - magnitude) if byte & 0x80 else (magnitude - 0x84)


@given(st.integers(-32768, 32767))
def test_mu_law_keeps_every_sample_within_its_step(sample: int) -> None:
    clipped = max(-32635, min(32635, sample))
    assert abs(_decoded(ulaw(sample)) - clipped) <= max(4, abs(clipped) // 16)


def test_the_tune_is_twelve_seconds_and_not_silent(tmp_path: Path) -> None:
    write_music(tmp_path)
    tune = (tmp_path / "holdless.ulaw").read_bytes()
    assert len(tune) == 12 * SAMPLES_PER_S
    assert max(abs(_decoded(byte)) for byte in tune) > 2000
