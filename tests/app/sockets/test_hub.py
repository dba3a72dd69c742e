"""Topics: a snapshot and the deltas after it make the newer snapshot, from every place, for every reader."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from app.sockets.hub import Hub
from app.sockets.rules import COALESCE_MS, KEPT_MS, RING_DELTAS_MAX, Frame, Json, SocketCursor

TOPIC = "floor:all"


class Page:
    """A page as it should be written: keeps the document and its place, and comes back with it."""

    def __init__(self) -> None:
        self.document: dict[str, Any] = {}
        self.cursor: SocketCursor | None = None
        self.frames: list[dict[str, Any]] = []
        self.follows = False

    def offer(self, frame: Frame) -> None:
        assert frame.byte_count == len(frame.text.encode())
        message = orjson.loads(frame.text)
        self.frames.append(message)
        if message["type"] == "snapshot":
            self.document = dict(message["data"])
        else:
            assert message["type"] == "delta"
            assert self.cursor is not None
            assert message["seq"] > self.cursor.seq
            for key, value in message["changes"].items():
                if value is None:
                    assert key in self.document
                    del self.document[key]
                else:
                    self.document[key] = value
        self.cursor = SocketCursor(message["epoch"], message["seq"])


def follow(hub: Hub, page: Page, after: SocketCursor | None = None) -> None:
    page.follows = True
    assert hub.follow(TOPIC, page, after)


def opened() -> Hub:
    hub = Hub(epoch=3)
    hub.open(TOPIC)
    return hub


def test_a_new_reader_gets_a_snapshot_and_then_what_changes() -> None:
    hub, page = opened(), Page()
    hub.set(TOPIC, "a", Json(1), 0)
    follow(hub, page)
    hub.set(TOPIC, "a", Json({"n": 2}), 10)
    hub.set(TOPIC, "b", Json([]), 10)
    hub.flush(10)
    hub.remove(TOPIC, "b", 200)
    hub.flush(200)
    kinds = [(message["type"], message.get("data", message.get("changes"))) for message in page.frames]
    assert kinds == [("snapshot", {"a": 1}), ("delta", {"a": {"n": 2}, "b": []}), ("delta", {"b": None})]


def test_the_first_change_goes_at_once_and_the_next_ones_together() -> None:
    hub, page = opened(), Page()
    follow(hub, page)
    assert hub.set(TOPIC, "a", Json(1), 1_000) == 1_000
    hub.flush(1_000)
    assert hub.set(TOPIC, "a", Json(2), 1_010) == 1_000 + COALESCE_MS
    assert hub.set(TOPIC, "a", Json(3), 1_050) == 1_000 + COALESCE_MS
    hub.flush(1_050)
    assert page.document == {"a": 1}
    hub.flush(1_100)
    assert page.document == {"a": 3}
    assert len(page.frames) == 3


def test_a_pop_waits_for_nothing() -> None:
    hub, page = opened(), Page()
    follow(hub, page)
    hub.set(TOPIC, "a", Json(1), 1_000)
    hub.flush(1_000)
    assert hub.set(TOPIC, "pop/7", Json({"pop_id": 7}), 1_001, urgent=True) == 1_001
    hub.flush(1_001)
    assert "pop/7" in page.document


def test_what_changes_back_before_its_turn_is_not_sent() -> None:
    hub, page = opened(), Page()
    hub.set(TOPIC, "a", Json(1), 0)
    follow(hub, page)
    hub.set(TOPIC, "a", Json(2), 0)
    hub.set(TOPIC, "a", Json(1), 0)
    hub.set(TOPIC, "b", Json(2), 0)
    hub.remove(TOPIC, "b", 0)
    hub.flush(0)
    assert len(page.frames) == 1


def test_a_value_is_encoded_once_for_all_topics_and_never_for_nobody() -> None:
    hub = Hub(epoch=1)
    value = Json({"queue_id": "support"})
    for number in range(500):
        hub.set(f"agent:a{number}", "queue/support", value, 0)
    hub.flush(0)
    assert value._encoded is None
    pages = [Page() for _ in range(3)]
    for number, page in enumerate(pages):
        assert hub.follow(f"agent:a{number}", page)
    assert value._encoded is not None


def test_all_readers_get_the_same_frame() -> None:
    hub = opened()
    got: list[Frame] = []

    class Keeper:
        def offer(self, frame: Frame) -> None:
            got.append(frame)

    for _ in range(3):
        hub.follow(TOPIC, Keeper())
    hub.set(TOPIC, "a", Json(1), 0)
    hub.flush(0)
    assert len({id(frame) for frame in got[:3]}) == 1
    assert len({id(frame) for frame in got[3:]}) == 1


def test_another_life_of_the_server_means_a_snapshot() -> None:
    hub, page = opened(), Page()
    follow(hub, page)
    follow(hub, other := Page(), SocketCursor(2, page.frames[0]["seq"]))
    assert other.frames[0]["type"] == "snapshot"
    follow(hub, future := Page(), SocketCursor(3, 99))
    assert future.frames[0]["type"] == "snapshot"


def test_what_changed_while_nobody_had_read_for_long_is_never_missed() -> None:
    hub, page = opened(), Page()
    follow(hub, page)
    cursor = page.cursor
    hub.leave(TOPIC, page, 0)
    hub.rest(KEPT_MS)
    hub.set(TOPIC, "a", Json(1), KEPT_MS)  # makes no delta: nobody would read it
    follow(hub, page, cursor)
    assert page.document == {"a": 1}


def test_the_ring_is_bounded() -> None:
    hub, page = opened(), Page()
    follow(hub, page)
    cursor = page.cursor
    hub.leave(TOPIC, page, 0)
    for number in range(RING_DELTAS_MAX + 1):
        now_ms = number * COALESCE_MS
        hub.set(TOPIC, "a", Json(number), now_ms)
        hub.flush(now_ms)
    follow(hub, page, cursor)
    assert [message["type"] for message in page.frames] == ["snapshot", "snapshot"]


def test_a_closed_topic_is_refused_to_those_who_follow_it() -> None:
    hub = opened()
    got: list[Frame] = []

    class Keeper:
        def offer(self, frame: Frame) -> None:
            got.append(frame)

    hub.follow(TOPIC, Keeper())
    hub.close(TOPIC)
    assert orjson.loads(got[-1].text) == {"type": "refused", "topic": TOPIC, "error_id": "unknown_topic"}
    assert not hub.follow(TOPIC, Keeper())


@given(st.text(), st.text())
def test_any_text_makes_a_frame(key: str, value: str) -> None:
    hub, page = opened(), Page()
    hub.set(TOPIC, key, Json({"caller_name": value}), 0)
    follow(hub, page)
    assert page.document == {key: {"caller_name": value}}


class Pages(RuleBasedStateMachine):
    """Pages come, go and come back at random while a topic changes; nobody ever misses anything."""

    pages = Bundle("pages")

    def __init__(self) -> None:
        super().__init__()
        self.hub = opened()
        self.truth: dict[str, int] = {}
        self.now_ms = 0
        self.all: list[Page] = []

    @rule(target=pages)
    def come(self) -> Page:
        page = Page()
        self.all.append(page)
        follow(self.hub, page)
        return page

    @rule(page=pages)
    def go(self, page: Page) -> None:
        self.hub.leave(TOPIC, page, self.now_ms)
        page.follows = False

    @rule(page=pages)
    def come_back(self, page: Page) -> None:
        if not page.follows:
            follow(self.hub, page, page.cursor)

    @rule(key=st.sampled_from("abcd"), value=st.integers(0, 3), urgent=st.booleans())
    def change(self, key: str, value: int, urgent: bool) -> None:
        self.truth[key] = value
        self.hub.set(TOPIC, key, Json(value), self.now_ms, urgent=urgent)

    @rule(key=st.sampled_from("abcd"))
    def take_away(self, key: str) -> None:
        self.truth.pop(key, None)
        self.hub.remove(TOPIC, key, self.now_ms)

    @rule(later_ms=st.sampled_from([0, 1, 50, COALESCE_MS, KEPT_MS]))
    def wait(self, later_ms: int) -> None:
        self.now_ms += later_ms
        self.hub.flush(self.now_ms)
        self.hub.rest(self.now_ms)

    @invariant()
    def everybody_who_follows_sees_the_truth_once_it_is_sent(self) -> None:
        if self.hub.due_ms() is not None:
            return
        assert set(self.hub.keys(TOPIC)) == self.truth.keys()
        for page in self.all:
            if page.follows:
                assert page.document == self.truth


TestPages = Pages.TestCase
