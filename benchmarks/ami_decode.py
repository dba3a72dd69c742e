"""AMI decoding, events per second on one core: ours beside pyst2 and panoramisk, in the same run.

    python -m benchmarks.ami_decode

The bytes are a recording of a real Asterisk if there is one beside the checkout, else made here. Each
figure is the best of several rounds over the same bytes in pieces of 64 KiB, by processor time, so that
a busy machine does not count. pyst2 can only read from a socket in threads of its own; it gets a smaller
piece of the recording over a local connection.
"""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

from asterisk.manager import Manager as Pyst2Manager
from panoramisk.ami_protocol import AMIProtocol
from rich.console import Console
from rich.table import Table

from telephony.ami.codec import AmiDecoder

RECORDING = Path(__file__).parents[1] / ".." / "shared" / "data" / "ami_sample.bin.gz"
PIECE_BYTES = 64 * 1024
ROUNDS = 5
PYST2_EVENTS = 1_500
PYST2_LIMIT_S = 8.0
SYNTHETIC_EVENTS = 8_000
AIM_PARSED, AIM_NAME_FIRST = 100_000, 400_000
WANTED = ("Uniqueid", "Linkedid", "Timestamp", "ChannelStateDesc")


def recording() -> tuple[bytes, str]:
    """Return bytes to decode, ending with a whole message, and where they come from."""
    if RECORDING.exists():
        data = gzip.decompress(RECORDING.read_bytes())
        return data[: data.rfind(b"\r\n\r\n") + 4], "recorded from a real Asterisk"
    lines = [f"Header{number}: value {number}" for number in range(17)]
    event = "\r\n".join(["Event: Newstate", "Privilege: call,all", "Uniqueid: pbx1-1763790000.7", *lines])
    return (event.encode() + b"\r\n\r\n") * SYNTHETIC_EVENTS, "made here (no recording beside the checkout)"


def pieces_of(data: bytes) -> list[bytes]:
    """Return *data* as a socket would bring it."""
    return [data[start : start + PIECE_BYTES] for start in range(0, len(data), PIECE_BYTES)]


def split_only(pieces: list[bytes]) -> int:
    """Find where messages end, and nothing more."""
    count, rest = 0, b""
    for piece in pieces:
        *blocks, rest = (rest + piece).split(b"\r\n\r\n")
        count += len(blocks)
    return count


def name_first(pieces: list[bytes]) -> int:
    """Ours: every message, its name known, no other header parsed."""
    decoder = AmiDecoder()
    return len([message.name for piece in pieces for message in decoder.receive(piece)])


def few_headers(pieces: list[bytes]) -> int:
    """Ours: the name and four headers of every message."""
    decoder = AmiDecoder()
    count = 0
    for piece in pieces:
        for message in decoder.receive(piece):
            count += 1
            if message.name:
                for key in WANTED:
                    message.get(key)
    return count


def fully_parsed(pieces: list[bytes]) -> int:
    """Ours: every header of every message."""
    decoder = AmiDecoder()
    return sum(1 for piece in pieces for message in decoder.receive(piece) if message.pairs)


def panoramisk(pieces: list[bytes]) -> int:
    """Feed panoramisk's protocol class; its factory only counts."""
    count = 0

    def dispatch(event: object) -> None:
        nonlocal count
        count += 1

    protocol = AMIProtocol()
    protocol.connection_made(SimpleNamespace(write=lambda data: None, close=lambda: None))
    protocol.factory = SimpleNamespace(dispatch=dispatch, save_stream=None)
    for piece in pieces:
        protocol.data_received(piece)
    return count


def pyst2_events_per_s(data: bytes) -> float:
    """Let pyst2 read the first events from a local socket; its threads do the reading and parsing."""
    end = 0
    for _ in range(PYST2_EVENTS):
        end = data.index(b"\r\n\r\n", end) + 4
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        peer, _ = listener.accept()
        with peer:
            peer.sendall(b"Asterisk Call Manager/11.0.0\r\n" + data[:end])
            done.wait(PYST2_LIMIT_S)

    seen, done = [0], threading.Event()
    begun = time.process_time()

    def on_event(event: object, manager: object) -> None:
        seen[0] += 1
        if seen[0] >= PYST2_EVENTS - 10:  # responses in the recording are no events
            done.set()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    manager = Pyst2Manager()
    manager.register_event("*", on_event)
    manager.connect("127.0.0.1", listener.getsockname()[1])
    done.wait(PYST2_LIMIT_S)
    took_s = time.process_time() - begun
    manager._connected.clear()  # its close() would wait for an answer to a Logoff
    thread.join(1.0)
    listener.close()
    return seen[0] / took_s


def best_per_s(decode: Callable[[list[bytes]], int], pieces: list[bytes], rounds: int = ROUNDS) -> float:
    """Return the best rate of several rounds, in messages per second of one core's time."""
    best = 0.0
    for _ in range(rounds):
        begun = time.process_time()
        count = decode(pieces)
        best = max(best, count / (time.process_time() - begun))
    return best


def main() -> None:
    """Measure and print a table."""
    data, origin = recording()
    pieces = pieces_of(data)
    rates = {
        "ours, splitting only": best_per_s(split_only, pieces),
        "ours, name first": best_per_s(name_first, pieces),
        "ours, name and four headers": best_per_s(few_headers, pieces),
        "ours, fully parsed": best_per_s(fully_parsed, pieces),
        "panoramisk 1.4": best_per_s(panoramisk, pieces, rounds=2),
        "pyst2 0.5.1": pyst2_events_per_s(data),
    }
    parsed, first = rates["ours, fully parsed"], rates["ours, name first"]
    table = Table(title=f"AMI decoding, {split_only(pieces):,} messages {origin}")
    for column in ("decoder", "messages/s", "of ours, fully parsed"):
        table.add_column(column, justify="left" if column == "decoder" else "right")
    for name, rate in rates.items():
        table.add_row(name, f"{rate:,.0f}", f"{rate / parsed:.3f}")
    console = Console()
    console.print(table)
    for what, rate, aim in (("fully parsed", parsed, AIM_PARSED), ("name first", first, AIM_NAME_FIRST)):
        console.print(f"{what}: {rate:,.0f}/s, aim {aim:,}: {'reached' if rate >= aim else 'MISSED'}")


if __name__ == "__main__":
    main()
