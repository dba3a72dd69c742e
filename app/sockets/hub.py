"""The hub: all topics of one server, and who reads them. Law: what goes out is made once for all readers.

It decides what is sent and when; time arrives as ``now_ms``, and readers only take frames (``offer``). The
loop around it is in ``app.sockets.pump``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from app.sockets.rules import Frame, Json, SocketCursor, Topic, frame_of


class Reader(Protocol):
    """Who takes frames; must not wait and must not raise."""

    def offer(self, frame: Frame) -> None:
        """Take a frame, or be cut."""


class Hub:
    """Topics and their readers.

    Args:
        epoch: The life of the server; part of every cursor.
    """

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self.seq = 0
        self.delta_count = 0
        self.snapshot_count = 0
        self.resume_count = 0
        self._topics: dict[str, Topic] = {}
        self._readers: dict[str, dict[Reader, None]] = {}
        self._waiting: dict[str, Topic] = {}  # with something to show
        self._resting: dict[str, Topic] = {}  # without readers, still making deltas

    # ------------------------------------------------------------ what is shown

    def open(self, name: str) -> None:
        """Let *name* be followed. Harmless when it may be already."""
        if name not in self._topics:
            self._topics[name] = Topic(name, self.epoch)

    def close(self, name: str) -> None:
        """Let *name* be followed no more; who does is told."""
        if self._topics.pop(name, None) is None:
            return
        self._waiting.pop(name, None)
        self._resting.pop(name, None)
        refused = frame_of({"type": "refused", "topic": name, "error_id": "unknown_topic"})
        for reader in self._readers.pop(name, {}):
            reader.offer(refused)

    def has(self, name: str) -> bool:
        """Say whether there is such a topic."""
        return name in self._topics

    def names(self) -> list[str]:
        """Every topic."""
        return list(self._topics)

    def keys(self, name: str) -> list[str]:
        """The keys that the topic shows; none when there is no such topic."""
        topic = self._topics.get(name)
        return topic.keys() if topic is not None else []

    def set(self, name: str, key: str, value: Json, now_ms: int, *, urgent: bool = False) -> int | None:
        """Show *value* under *key* of the topic *name*, which is opened when it is new.

        Returns:
            When the topic's next delta is due; None: none is.
        """
        topic = self._topics.get(name)
        if topic is None:
            topic = self._topics[name] = Topic(name, self.epoch)
        topic.set(key, value, now_ms, urgent=urgent)
        return self._due(topic)

    def remove(self, name: str, key: str, now_ms: int, *, urgent: bool = False) -> int | None:
        """Show *key* no more, harmless when it is not shown; return when the topic's next delta is due."""
        topic = self._topics.get(name)
        if topic is None:
            return None
        topic.remove(key, now_ms, urgent=urgent)
        return self._due(topic)

    def _due(self, topic: Topic) -> int | None:
        if topic.due_ms is not None:
            self._waiting[topic.name] = topic
        return topic.due_ms

    # ------------------------------------------------------------ who reads

    def follow(self, name: str, reader: Reader, after: SocketCursor | None = None) -> bool:
        """Let *reader* follow from *after* on, or from a snapshot; False: there is no such topic."""
        topic = self._topics.get(name)
        if topic is None:
            return False
        if not topic.is_warm:
            self.seq += 1
            topic.warm(self.seq)
        self._resting.pop(name, None)
        frames = topic.follow(after)
        if frames is None:
            frames = [topic.snapshot()]
            self.snapshot_count += 1
        else:
            self.resume_count += 1
        self._readers.setdefault(name, {})[reader] = None
        for frame in frames:
            reader.offer(frame)
        return True

    def leave(self, name: str, reader: Reader, now_ms: int) -> None:
        """Let *reader* follow the topic no more. Harmless when it does not."""
        readers = self._readers.get(name, {})
        if reader not in readers:
            return
        del readers[reader]
        if not readers:
            self._readers.pop(name, None)
            if (topic := self._topics.get(name)) is not None:
                topic.leave(now_ms)
                self._resting[name] = topic

    def reader_count(self, name: str) -> int:
        """How many follow the topic."""
        return len(self._readers.get(name, {}))

    # ------------------------------------------------------------ sending

    def due_ms(self) -> int | None:
        """When ``flush`` has something to send; None: not before something changes."""
        return min(
            (topic.due_ms for topic in self._waiting.values() if topic.due_ms is not None), default=None
        )

    def flush(self, now_ms: int) -> None:
        """Send what is due."""
        due = [topic for topic in self._waiting.values() if topic.due_ms is None or topic.due_ms <= now_ms]
        for topic in due:
            del self._waiting[topic.name]
            frame = topic.take(self.seq + 1, now_ms)
            if frame is None:
                continue
            self.seq += 1
            self.delta_count += 1
            for reader in list(self._readers.get(topic.name, {})):
                reader.offer(frame)

    def rest(self, now_ms: int) -> None:
        """Stop making deltas of what nobody has read for long."""
        for topic in list(self._resting.values()):
            topic.rest(now_ms)
            if not topic.is_warm:
                del self._resting[topic.name]
                self._waiting.pop(topic.name, None)

    def __iter__(self) -> Iterator[tuple[str, int]]:
        """Yield every topic with its number of readers (for figures)."""
        return ((name, self.reader_count(name)) for name in self._topics)
