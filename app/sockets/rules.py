"""A topic: a flat document of keys and whole values, followed as a snapshot and numbered deltas. Pure.

Law: a snapshot and the deltas after it make the newer snapshot, byte for byte, from every place in the ring;
a cursor that the ring does not cover gets a snapshot, never a gap. A value is encoded once, however many
topics show it, and a frame once, however many read it. What nobody reads is not encoded at all.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import orjson

COALESCE_MS = 100  # the first change goes out at once, what follows at most so often
RING_DELTAS_MAX = 600  # a minute of a busy topic
RING_BYTES_MAX = 4_194_304
KEPT_MS = 60_000  # so long after the last reader left the deltas for his return are still made
KEYS_MAX = 20_000


class SocketCursor(NamedTuple):
    """What a reader has seen of a topic; an epoch is one life of the server."""

    epoch: int
    seq: int


class Frame(NamedTuple):
    """One message as it goes to every reader alike."""

    text: str
    byte_count: int


class Json:
    """A JSON-able value that is encoded when first asked for, once."""

    __slots__ = ("_encoded", "plain")

    def __init__(self, plain: Any) -> None:
        self.plain = plain
        self._encoded: bytes | None = None

    @property
    def encoded(self) -> bytes:
        """The value as JSON."""
        if self._encoded is None:
            self._encoded = dump(self.plain)
        return self._encoded


def dump(plain: Any) -> bytes:
    """Return *plain* as JSON. Text that is no valid Unicode (a hostile caller's name) is made so.

    >>> dump({"name": "\\ud800x"})
    b'{"name":"?x"}'
    """
    try:
        return orjson.dumps(plain)
    except TypeError:
        return orjson.dumps(_cleaned(plain))


def frame_of(message: Mapping[str, Any]) -> Frame:
    """Return a message to one reader as a frame."""
    encoded = dump(message)
    return Frame(encoded.decode(), len(encoded))


class Publisher(Protocol):
    """What a read model needs of the hub: to show values and to take them away (``app.sockets.pump``)."""

    def open(self, name: str) -> None:
        """Let a topic be followed."""

    def close(self, name: str) -> None:
        """Let it be followed no more."""

    def names(self) -> list[str]:
        """Every topic."""

    def keys(self, name: str) -> list[str]:
        """The keys that a topic shows."""

    def show(self, name: str, key: str, value: Json, *, urgent: bool = False) -> None:
        """Show a value; an urgent one at once."""

    def hide(self, name: str, key: str, *, urgent: bool = False) -> None:
        """Show a key no more."""


class Topic:
    """One topic; whoever holds it gives the sequence numbers and the time.

    Args:
        name: As readers ask for it.
        epoch: The life of the server.
    """

    def __init__(self, name: str, epoch: int) -> None:
        self.name = name
        self.seq = 0
        self._epoch = epoch
        self._head = b'"topic":%b,"epoch":%d,"seq":' % (dump(name), epoch)
        self._shown: dict[str, Json] = {}
        self._pending: dict[str, Json | None] = {}
        self._ring: deque[tuple[int, Frame]] = deque()
        self._ring_bytes = 0
        self._covered_from = 0
        self._snapshot: Frame | None = None
        self._is_warm = False
        self._cold_at_ms: int | None = None
        self._due_ms: int | None = None
        self._sent_ms = -COALESCE_MS

    # ------------------------------------------------------------ changing

    def set(self, key: str, value: Json, now_ms: int, *, urgent: bool = False) -> None:
        """Show *value* under *key* with the next delta; an urgent one does not wait for its turn."""
        if value is not self._pending.get(key, self._shown.get(key)):
            self._change(key, value, now_ms, urgent)

    def remove(self, key: str, now_ms: int, *, urgent: bool = False) -> None:
        """Show *key* no more. Harmless when it is not shown."""
        if self._pending.get(key, self._shown.get(key)) is not None:
            self._change(key, None, now_ms, urgent)

    def keys(self) -> list[str]:
        """The keys as they will be shown with the next delta."""
        kept = [key for key in self._shown if self._pending.get(key, self._shown[key]) is not None]
        return kept + [key for key, value in self._pending.items() if value and key not in self._shown]

    def _change(self, key: str, value: Json | None, now_ms: int, urgent: bool) -> None:
        if not self._is_warm:
            self._show(key, value)
            return
        self._pending[key] = value
        due_ms = now_ms if urgent else max(now_ms, self._sent_ms + COALESCE_MS)
        self._due_ms = due_ms if self._due_ms is None else min(self._due_ms, due_ms)

    def _show(self, key: str, value: Json | None) -> None:
        if value is None:
            self._shown.pop(key, None)
        else:
            self._shown[key] = value
            assert len(self._shown) <= KEYS_MAX, self.name

    # ------------------------------------------------------------ readers

    @property
    def due_ms(self) -> int | None:
        """When the next delta is due; None: nothing waits to be shown."""
        return self._due_ms

    @property
    def is_warm(self) -> bool:
        """Whether deltas are made: somebody reads, or did so a short while ago."""
        return self._is_warm

    def warm(self, seq: int) -> None:
        """Begin to make deltas after the number *seq*, which is new: no older cursor is covered."""
        self._is_warm = True
        self.seq = self._covered_from = seq

    def follow(self, after: SocketCursor | None) -> list[Frame] | None:
        """Return the deltas since *after* for a reader who comes back; None: he needs a snapshot."""
        self._cold_at_ms = None
        if after is None or after.epoch != self._epoch or not self._covered_from <= after.seq <= self.seq:
            return None
        return [frame for seq, frame in self._ring if seq > after.seq]

    def snapshot(self) -> Frame:
        """Return what is shown, as of the last delta."""
        if self._snapshot is None:
            data = b",".join([dump(key) + b":" + value.encoded for key, value in self._shown.items()])
            text = b'{"type":"snapshot",%b%d,"data":{%b}}' % (self._head, self.seq, data)
            self._snapshot = Frame(text.decode(), len(text))
        return self._snapshot

    def leave(self, now_ms: int) -> None:
        """The last reader is gone; deltas are made for a while still, so that he finds no gap."""
        self._cold_at_ms = now_ms + KEPT_MS

    def rest(self, now_ms: int) -> None:
        """Make no more deltas when nobody has read for long."""
        if self._cold_at_ms is None or now_ms < self._cold_at_ms:
            return
        for key, value in self._pending.items():
            self._show(key, value)
        self._pending.clear()
        self._ring.clear()
        self._ring_bytes = 0
        self._is_warm, self._cold_at_ms, self._due_ms, self._snapshot = False, None, None, None

    def take(self, seq: int, now_ms: int) -> Frame | None:
        """Return what waits as the delta number *seq*; None when nothing has really changed."""
        self._due_ms = None
        changes: list[bytes] = []
        for key, value in self._pending.items():
            shown = self._shown.get(key)
            if value is None:
                if shown is not None:
                    changes.append(dump(key) + b":null")
            elif shown is None or shown.encoded != value.encoded:
                changes.append(dump(key) + b":" + value.encoded)
            self._show(key, value)
        self._pending.clear()
        if not changes:
            return None
        self.seq, self._sent_ms, self._snapshot = seq, now_ms, None
        text = b'{"type":"delta",%b%d,"changes":{%b}}' % (self._head, seq, b",".join(changes))
        frame = Frame(text.decode(), len(text))
        self._ring.append((seq, frame))
        self._ring_bytes += frame.byte_count
        while len(self._ring) > RING_DELTAS_MAX or self._ring_bytes > RING_BYTES_MAX:
            self._covered_from, dropped = self._ring.popleft()
            self._ring_bytes -= dropped.byte_count
        return frame


def _cleaned(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-8", "replace").decode("utf-8")
        case Mapping():
            return {_cleaned(str(key)): _cleaned(item) for key, item in value.items()}
        case list() | tuple():
            return [_cleaned(item) for item in value]
        case _:
            return value
