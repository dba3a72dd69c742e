"""Asterisk's channel event log (CEL): reading the file, and folding it into customers' channels.

CEL is the witness: ``cel_custom`` writes and flushes every event, so it still knows a call of which a
lost link or a killed server heard nothing. The columns are those of ``asterisk-config/cel_holdless.conf``.

A channel is a customer's when it was seen in one of the contexts through which only customers pass.
Its Uniqueid names the interaction (Linkedid changes when calls merge).
"""

from __future__ import annotations

import csv
import json
import os
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

CEL_FILE: Final = "holdless.csv"  # as asterisk-config/cel_holdless.conf names it
READ_BYTES_MAX: Final = 4 * 1024 * 1024  # one read takes no more; read again until nothing comes
CUSTOMER_CONTEXTS: Final = frozenset(
    {"cc-in", "cc-wait", "cc-go", "cc-hold", "cc-fallback", "cc-hangup", "cc-transfer"}
)

_FINGERPRINT_BYTES: Final = 64
_COLUMNS: Final = 11
# An event that begins in the middle of a line: Asterisk was killed while it wrote the one before.
_EVENT_START = re.compile(r'"\d{9,11}\.\d{1,6}","[A-Z_]+","')
_TIME = re.compile(r"(\d{9,11})\.(\d{1,6})")


@dataclass(frozen=True, slots=True)
class CelEvent:
    """One line of the log.

    Attributes:
        at_ms: When it happened, milliseconds since the Unix epoch by the PBX's clock.
        kind: CHAN_START, ANSWER, BRIDGE_ENTER, BRIDGE_EXIT, HANGUP, CHAN_END, …
        peer: Names of the channels in the same bridge, separated by commas.
        extra: JSON of the event's own facts, or empty.
    """

    at_ms: int
    kind: str
    uniqueid: str
    linkedid: str
    channel: str
    context: str
    exten: str
    caller_number: str
    application: str
    peer: str
    extra: str

    def fact(self, name: str) -> str:
        """Return one of the event's own facts (``bridge_id``, ``hangupcause``); empty when it has none."""
        try:
            facts = json.loads(self.extra) if self.extra else {}
        except ValueError:
            return ""
        return str(facts.get(name, "")) if isinstance(facts, dict) else ""


@dataclass(frozen=True, slots=True)
class CelOffset:
    """How far a log was read; survives restarts, and notices another file under the same name.

    Attributes:
        inode: The file; 0: none yet.
        position: Byte behind the last whole line that was read.
        fingerprint: CRC of the bytes before ``position``: a file that was cut and has grown again shows.
    """

    inode: int = 0
    position: int = 0
    fingerprint: int = 0


class CelReader:
    """Reads a log piece by piece. Blocking: call it from a worker thread.

    It reads whole lines only; a rotated file is read to its end under its new name first; a file that
    was cut is read from its beginning (what was read before may come again; the fold takes it once).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.skipped_count = 0
        self.restarted_count = 0

    def read(self, offset: CelOffset = CelOffset()) -> tuple[list[CelEvent], CelOffset]:
        """Return the events behind *offset* and the offset behind them; no events: nothing new yet.

        Raises:
            OSError: the file is there and cannot be read.
        """
        try:
            inode = self._path.stat().st_ino
        except FileNotFoundError:
            return [], offset
        if offset.inode and offset.inode != inode:
            rotated = self._rotated(offset.inode)
            if rotated is not None:
                events, behind = self._read_file(rotated, offset)
                if behind != offset:
                    return events, behind
            offset = CelOffset()
        return self._read_file(self._path, offset)

    def _read_file(self, path: Path, offset: CelOffset) -> tuple[list[CelEvent], CelOffset]:
        with path.open("rb") as file:
            inode, size = os.fstat(file.fileno()).st_ino, os.fstat(file.fileno()).st_size
            position = offset.position
            position, before = offset.position, _before(file.fileno(), offset.position)
            if position and (size < position or zlib.crc32(before) != offset.fingerprint):
                self.restarted_count += 1
                position, before = 0, b""
            file.seek(position)
            data = file.read(READ_BYTES_MAX)
        end = data.rfind(b"\n") + 1
        if not end and len(data) == READ_BYTES_MAX:
            self.skipped_count += 1  # no line is that long
            end = len(data)
        lines = data[:end].decode("utf-8", "replace").split("\n")[:-1]
        events = [event for line in lines if (event := self._event(line)) is not None]
        fingerprint = zlib.crc32((before + data[:end])[-_FINGERPRINT_BYTES:])
        return events, CelOffset(inode, position + end, fingerprint)

    def _event(self, line: str) -> CelEvent | None:
        starts = [found.start() for found in _EVENT_START.finditer(line)]
        if not starts:
            self.skipped_count += bool(line.strip())
            return None
        self.skipped_count += starts[-1] > 0
        event = parse_line(line[starts[-1] :])
        self.skipped_count += event is None
        return event

    def _rotated(self, inode: int) -> Path | None:
        for path in sorted(self._path.parent.glob(f"{self._path.name}*")):
            try:
                if path.stat().st_ino == inode:
                    return path
            except FileNotFoundError:
                continue
        return None


def parse_line(line: str) -> CelEvent | None:
    """Return the event that a line of the log tells; None when it is none.

    >>> parse_line('"1795327590.917878","ANSWER","p-1.0","p-1.0","PJSIP/t-1","x","s","","Answer","",""').at_ms
    1795327590917
    """
    try:
        (row,) = csv.reader([line], strict=True)
    except (csv.Error, ValueError):
        return None
    time = _TIME.fullmatch(row[0]) if len(row) == _COLUMNS else None
    if time is None:
        return None
    return CelEvent(int(time[1]) * 1000 + int(time[2].ljust(6, "0")) // 1000, *row[1:])


@dataclass(frozen=True, slots=True)
class CelTalk:
    """The customer and one agent's phone in one bridge.

    Attributes:
        device: The phone, for instance ``PJSIP/a1001``.
        ended_ms: None while it lasts, or when the log was cut off.
    """

    device: str
    started_ms: int
    ended_ms: int | None = None


@dataclass(slots=True)
class CelCall:
    """A customer's channel as the log tells it; times in milliseconds since the Unix epoch.

    Attributes:
        uniqueid: The channel's id, which is the interaction's.
        linkedid: The last one that was seen.
        started_ms: The channel began; when its beginning is not in the log, the first sight of it.
        channel_answered_ms: The PBX answered the channel (it waits from then on at the latest).
        ended_ms: The channel is gone; None while it lasts, or when Asterisk was killed.
        last_seen_ms: The last event of the channel.
        hangup_cause: Q.850 cause; 0 when unknown.
        entry_point: The number that was dialled (the first extension).
        talks: Conversations with agents, in order.
    """

    uniqueid: str
    linkedid: str
    channel: str
    started_ms: int
    last_seen_ms: int
    entry_point: str = ""
    caller_number: str = ""
    channel_answered_ms: int | None = None
    ended_ms: int | None = None
    hangup_cause: int = 0
    talks: list[CelTalk] = field(default_factory=list)

    @property
    def answered_ms(self) -> int | None:
        """When an agent first spoke with the customer; None: never."""
        return self.talks[0].started_ms if self.talks else None


@dataclass(slots=True)
class _Channel:
    call: CelCall
    customer: bool = False
    bridge_id: str = ""
    told: set[tuple[int, str, str]] = field(default_factory=set)


def customer_channels(events: Iterable[CelEvent]) -> dict[str, CelCall]:
    """Fold events into customers' channels by Uniqueid; events told twice change nothing."""
    fold = CelFold()
    fold.add(events)
    return fold.calls


def cel_file(path: Path) -> Path:
    """Return the log's file: settings name its directory, or the file itself."""
    return path if path.suffix == ".csv" else path / CEL_FILE


def read_calls(path: Path) -> dict[str, CelCall]:
    """Read the whole file and return its customers' channels. Blocking.

    Raises:
        OSError: the file is there and cannot be read.
    """
    reader, offset, fold = CelReader(path), CelOffset(), CelFold()
    while True:
        events, behind = reader.read(offset)
        if behind == offset:
            return fold.calls
        fold.add(events)
        offset = behind


class CelFold:
    """The fold behind ``customer_channels``, kept between reads. Pure."""

    def __init__(self) -> None:
        self._channels: dict[str, _Channel] = {}
        self._bridges: dict[str, dict[str, None]] = {}
        self.calls: dict[str, CelCall] = {}

    def add(self, events: Iterable[CelEvent]) -> None:
        """Take in events in the order of the log."""
        for event in events:
            channel = self._channels.get(event.uniqueid)
            if channel is None:
                if event.kind == "LINKEDID_END":
                    continue
                channel = self._channels[event.uniqueid] = _Channel(_begun(event))
            self._apply(channel, event)

    def forget_ended(self) -> list[CelCall]:
        """Return the calls that have ended and forget them; those that are open stay.

        Ended legs of open calls are remembered, so that they are not taken twice.
        """
        ended = [call for call in self.calls.values() if call.ended_ms is not None]
        for call in ended:
            del self.calls[call.uniqueid]
        open_linkedids = {call.linkedid for call in self.calls.values()}
        for uniqueid, channel in list(self._channels.items()):
            if channel.call.ended_ms is not None and channel.call.linkedid not in open_linkedids:
                del self._channels[uniqueid]
        return ended

    def forget_open(self) -> list[CelCall]:
        """Asterisk died with these calls: return them and forget every open channel."""
        open_calls = [call for call in self.calls.values() if call.ended_ms is None]
        for call in open_calls:
            del self.calls[call.uniqueid]
        self._channels.clear()
        self._bridges.clear()
        return open_calls

    def _apply(self, channel: _Channel, event: CelEvent) -> None:
        told = (event.at_ms, event.kind, event.extra)
        if told in channel.told or channel.call.ended_ms is not None:
            return  # the log was read again from its beginning
        channel.told.add(told)
        call = channel.call
        call.last_seen_ms = max(call.last_seen_ms, event.at_ms)
        call.linkedid = event.linkedid or call.linkedid
        call.caller_number = call.caller_number or event.caller_number
        if not channel.customer and event.context in CUSTOMER_CONTEXTS:
            channel.customer = True
            self.calls[call.uniqueid] = call
        match event.kind:
            case "ANSWER":
                call.channel_answered_ms = call.channel_answered_ms or event.at_ms
            case "BRIDGE_ENTER":
                self._enter(channel, event)
            case "BRIDGE_EXIT":
                self._leave(channel, event.at_ms)
            case "HANGUP":
                cause = event.fact("hangupcause")
                call.hangup_cause = int(cause) if cause.isdecimal() else 0
            case "CHAN_END":
                self._leave(channel, event.at_ms)
                call.ended_ms = event.at_ms

    def _enter(self, channel: _Channel, event: CelEvent) -> None:
        self._leave(channel, event.at_ms)
        channel.bridge_id = event.fact("bridge_id")
        bridge = self._bridges.setdefault(channel.bridge_id, {})
        for uniqueid in bridge:
            other = self._channels[uniqueid]
            if channel.customer != other.customer:
                customer, agent = (channel, other) if channel.customer else (other, channel)
                customer.call.talks.append(CelTalk(device_of(agent.call.channel), event.at_ms))
        bridge[event.uniqueid] = None

    def _leave(self, channel: _Channel, at_ms: int) -> None:
        if not channel.bridge_id:
            return
        bridge = self._bridges[channel.bridge_id]
        del bridge[channel.call.uniqueid]
        if not bridge:
            del self._bridges[channel.bridge_id]
        channel.bridge_id = ""
        device = None if channel.customer else device_of(channel.call.channel)
        for call in [channel.call] if channel.customer else [self._channels[uid].call for uid in bridge]:
            call.talks = [
                CelTalk(talk.device, talk.started_ms, at_ms)
                if talk.ended_ms is None and device in (None, talk.device)
                else talk
                for talk in call.talks
            ]


def device_of(channel: str) -> str:
    """Return the device of a channel.

    >>> device_of("PJSIP/a1001-0000001f")
    'PJSIP/a1001'
    """
    return channel.rpartition("-")[0] or channel


def _begun(event: CelEvent) -> CelCall:
    return CelCall(
        uniqueid=event.uniqueid,
        linkedid=event.linkedid,
        channel=event.channel,
        started_ms=event.at_ms,
        last_seen_ms=event.at_ms,
        entry_point=event.exten if event.kind == "CHAN_START" else "",
    )


def _before(descriptor: int, position: int) -> bytes:
    start = max(0, position - _FINGERPRINT_BYTES)
    return os.pread(descriptor, position - start, start)
