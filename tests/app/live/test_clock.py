"""The clock: never backwards, never a jump, led back at 1 ms per second."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.live.clock import Clock
from app.live.pbx_offset import PbxOffset

START_MS = 1_763_790_000_000


class Sources:
    """Two clocks set by hand, in milliseconds."""

    def __init__(self) -> None:
        self.wall_ms = START_MS
        self.monotonic_ms = 0

    def pass_ms(self, elapsed_ms: int) -> None:
        self.wall_ms += elapsed_ms
        self.monotonic_ms += elapsed_ms

    def clock(self) -> Clock:
        return Clock(lambda: self.wall_ms * 1_000_000, lambda: self.monotonic_ms * 1_000_000)


def test_the_clock_follows_the_wall_clock_while_nothing_jumps() -> None:
    sources = Sources()
    clock = sources.clock()
    sources.pass_ms(12_345)
    assert clock.now_ms() == START_MS + 12_345


def test_a_wall_clock_set_forward_is_followed_at_one_millisecond_per_second() -> None:
    sources = Sources()
    clock = sources.clock()
    sources.wall_ms += 3_600_000
    assert clock.now_ms() == START_MS
    sources.pass_ms(10_000)
    assert clock.now_ms() == START_MS + 10_010
    assert clock.error_ms == 3_600_000 - 10


def test_a_wall_clock_set_back_slows_the_clock_by_one_millisecond_per_second() -> None:
    sources = Sources()
    clock = sources.clock()
    sources.wall_ms -= 3_600_000
    sources.pass_ms(10_000)
    assert clock.now_ms() == START_MS + 9_990


def test_a_restart_goes_on_from_the_last_journalled_stamp() -> None:
    sources = Sources()
    clock = sources.clock()
    clock.raise_to(START_MS + 5_000)
    assert clock.now_ms() == START_MS + 5_000
    sources.pass_ms(1_000)
    assert clock.now_ms() == START_MS + 5_999
    clock.raise_to(START_MS)
    assert clock.now_ms() == START_MS + 5_999


@given(st.lists(st.tuples(st.integers(-(10**8), 10**8), st.integers(0, 100_000)), max_size=50))
def test_time_never_decreases_and_never_runs_off_by_more_than_a_thousandth(
    jumps: list[tuple[int, int]],
) -> None:
    sources = Sources()
    clock = sources.clock()
    before_ms = clock.now_ms()
    for jump_ms, elapsed_ms in jumps:
        sources.wall_ms += jump_ms
        sources.pass_ms(elapsed_ms)
        now_ms = clock.now_ms()
        assert elapsed_ms * 0.999 - 1 <= now_ms - before_ms <= elapsed_ms * 1.001 + 1
        assert now_ms >= before_ms
        before_ms = now_ms


# ---------------------------------------------------------------- the PBX's clock


def test_the_offset_is_the_least_delay_seen_not_the_mean() -> None:
    offset = PbxOffset()
    for n, delay_ms in enumerate([3, 40, 1, 250, 2, 9, 1, 700]):
        at_ms = START_MS + n * 100
        offset.sample(at_ms - 5_000 - delay_ms, at_ms)
    assert offset.offset_ms == 5_001
    assert offset.correct(START_MS) == START_MS + 5_001


def test_before_five_samples_nothing_is_corrected() -> None:
    offset = PbxOffset()
    for n in range(4):
        offset.sample(START_MS, START_MS + 9_000 + n)
    assert offset.correct(START_MS) == START_MS


def test_one_nonsensical_timestamp_does_not_capture_the_offset() -> None:
    offset = PbxOffset()
    for n in range(50):
        offset.sample(START_MS + n * 100 - 2, START_MS + n * 100)
    offset.sample(START_MS + 10**9, START_MS + 5_000)
    assert offset.offset_ms == 2


def test_a_pbx_clock_set_back_is_believed_within_fifteen_seconds() -> None:
    offset = PbxOffset()
    for n in range(300):
        offset.sample(START_MS + n * 100 - 2, START_MS + n * 100)
    for n in range(300, 451):
        offset.sample(START_MS + n * 100 - 3_000, START_MS + n * 100)
    assert offset.offset_ms == 3_000


def test_a_burst_after_a_stalled_link_does_not_move_the_offset() -> None:
    offset = PbxOffset()
    for n in range(300):
        offset.sample(START_MS + n * 100 - 2, START_MS + n * 100)
    for n in range(100):
        offset.sample(START_MS + 30_000 + n * 50, START_MS + 35_000)
    assert offset.offset_ms == 2


@given(
    st.integers(-(10**7), 10**7),
    st.lists(st.integers(0, 400), min_size=40, max_size=40),
)
def test_the_estimate_lies_between_the_truth_and_the_second_least_delay(
    truth_ms: int, delays_ms: list[int]
) -> None:
    offset = PbxOffset()
    for n, delay_ms in enumerate(delays_ms):
        at_ms = START_MS + n * 50
        offset.sample(at_ms - truth_ms - delay_ms, at_ms)
    assert offset.offset_ms == truth_ms + sorted(delays_ms)[1]
