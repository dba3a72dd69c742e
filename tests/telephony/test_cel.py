"""CEL: read in any pieces, across rotation, cuts and half-written lines; folded into customers' channels."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.cel import (
    CelCall,
    CelEvent,
    CelFold,
    CelOffset,
    CelReader,
    CelTalk,
    customer_channels,
    parse_line,
)

# As Asterisk 22.10 wrote it: a caller waits, speaks with a1001 for 1.2 s; another gives up while waiting.
RECORDED = (
    '''
"1795327590.917932","CHAN_START","t1-1795327590.1","t1-1795327590.1","PJSIP/trunk-00000001","from-trunk","8000","","","",""
"1795327591.120377","ANSWER","t1-1795327590.1","t1-1795327590.1","PJSIP/trunk-00000001","cc-wait","s","0912345678","Answer","",""
"1795327591.924931","APP_START","t1-1795327590.1","t1-1795327590.1","PJSIP/trunk-00000001","cc-go","e1-t1-aa1001","0912345678","Dial","",""
"1795327591.925276","CHAN_START","t1-1795327591.2","t1-1795327590.1","PJSIP/a1001-00000002","cc-agent-out","","","","",""
"1795327592.228944","ANSWER","t1-1795327591.2","t1-1795327590.1","PJSIP/a1001-00000002","cc-agent-out","","a1001","AppDial","",""
"1795327592.232272","BRIDGE_ENTER","t1-1795327591.2","t1-1795327590.1","PJSIP/a1001-00000002","cc-agent-out","","a1001","AppDial","","{""bridge_id"":""8449562a"",""bridge_technology"":""simple_bridge""}"
"1795327592.232698","BRIDGE_ENTER","t1-1795327590.1","t1-1795327590.1","PJSIP/trunk-00000001","cc-go","e1-t1-aa1001","0912345678","Dial","PJSIP/a1001-00000002","{""bridge_id"":""8449562a"",""bridge_technology"":""simple_bridge""}"
"1795327593.124244","CHAN_START","t1-1795327593.5","t1-1795327593.5","PJSIP/trunk-00000003","from-trunk","8000","","","",""
"1795327593.431402","BRIDGE_EXIT","t1-1795327591.2","t1-1795327590.1","PJSIP/a1001-00000002","cc-agent-out","","a1001","AppDial","PJSIP/trunk-00000001","{""bridge_id"":""8449562a"",""bridge_technology"":""simple_bridge""}"
"1795327593.431453","HANGUP","t1-1795327591.2","t1-1795327590.1","PJSIP/a1001-00000002","cc-agent-out","","a1001","AppDial","","{""hangupcause"":16,""hangupsource"":"""",""dialstatus"":""""}"
"1795327593.431453","CHAN_END","t1-1795327591.2","t1-1795327590.1","PJSIP/a1001-00000002","cc-agent-out","","a1001","AppDial","",""
"1795327593.432222","BRIDGE_EXIT","t1-1795327590.1","t1-1795327590.1","PJSIP/trunk-00000001","cc-go","e1-t1-aa1001","0912345678","Dial","","{""bridge_id"":""8449562a"",""bridge_technology"":""simple_bridge""}"
"1795327593.432437","HANGUP","t1-1795327590.1","t1-1795327590.1","PJSIP/trunk-00000001","cc-go","e1-t1-aa1001","0912345678","","","{""hangupcause"":16,""hangupsource"":"""",""dialstatus"":""ANSWER""}"
"1795327593.432437","CHAN_END","t1-1795327590.1","t1-1795327590.1","PJSIP/trunk-00000001","cc-go","e1-t1-aa1001","0912345678","","",""
"1795327594.125607","ANSWER","t1-1795327593.5","t1-1795327593.5","PJSIP/trunk-00000003","cc-wait","s","0911000111","Answer","",""
"1795327594.477345","HANGUP","t1-1795327593.5","t1-1795327593.5","PJSIP/trunk-00000003","cc-wait","s","0911000111","","","{""hangupcause"":127,""hangupsource"":"""",""dialstatus"":""""}"
"1795327594.477345","CHAN_END","t1-1795327593.5","t1-1795327593.5","PJSIP/trunk-00000003","cc-wait","s","0911000111","","",""
"1795327594.477345","LINKEDID_END","t1-1795327593.5","t1-1795327593.5","PJSIP/trunk-00000003","cc-wait","s","0911000111","","",""
'''.lstrip()
).encode()

ANSWERED, ABANDONED = "t1-1795327590.1", "t1-1795327593.5"


def recorded() -> list[CelEvent]:
    events = [parse_line(line) for line in RECORDED.decode().splitlines()]
    return [event for event in events if event is not None]


def drain(reader: CelReader, offset: CelOffset) -> tuple[list[CelEvent], CelOffset]:
    events, offset = reader.read(offset)
    more = events
    while more:
        more, offset = reader.read(offset)
        events = events + more
    return events, offset


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "holdless.csv"


def test_customers_channels_are_told_with_their_conversations() -> None:
    calls = customer_channels(recorded())
    assert calls == {
        ANSWERED: CelCall(
            uniqueid=ANSWERED,
            linkedid=ANSWERED,
            channel="PJSIP/trunk-00000001",
            started_ms=1795327590917,
            last_seen_ms=1795327593432,
            entry_point="8000",
            caller_number="0912345678",
            channel_answered_ms=1795327591120,
            ended_ms=1795327593432,
            hangup_cause=16,
            talks=[CelTalk("PJSIP/a1001", 1795327592232, 1795327593431)],
        ),
        ABANDONED: CelCall(
            uniqueid=ABANDONED,
            linkedid=ABANDONED,
            channel="PJSIP/trunk-00000003",
            started_ms=1795327593124,
            last_seen_ms=1795327594477,
            entry_point="8000",
            caller_number="0911000111",
            channel_answered_ms=1795327594125,
            ended_ms=1795327594477,
            hangup_cause=127,
        ),
    }
    assert calls[ANSWERED].answered_ms == 1795327592232
    assert calls[ABANDONED].answered_ms is None


@given(st.lists(st.integers(0, 40), max_size=5))
def test_events_told_again_change_nothing(places: list[int]) -> None:
    events = recorded()
    fold = CelFold()
    for place in places:
        fold.add(events[:place])
    fold.add(events)
    assert fold.calls == customer_channels(events)


def test_ended_calls_are_forgotten_and_open_ones_stay() -> None:
    fold = CelFold()
    fold.add(recorded()[:15])
    assert [call.uniqueid for call in fold.forget_ended()] == [ANSWERED]
    assert list(fold.calls) == [ABANDONED]
    fold.add(recorded()[15:])
    assert [call.uniqueid for call in fold.forget_ended()] == [ABANDONED]


def test_calls_that_died_with_asterisk_are_told_with_their_last_sight() -> None:
    fold = CelFold()
    fold.add(recorded()[:7])
    (lost,) = fold.forget_open()
    assert lost.ended_ms is None
    assert lost.last_seen_ms == 1795327592232
    assert lost.talks == [CelTalk("PJSIP/a1001", 1795327592232)]
    assert fold.calls == {}


def test_no_file_means_no_events(log: Path) -> None:
    assert CelReader(log).read() == ([], CelOffset())


@given(st.lists(st.integers(0, len(RECORDED)), max_size=8))
def test_a_log_that_grows_in_any_pieces_is_read_once(
    tmp_path_factory: pytest.TempPathFactory, places: list[int]
) -> None:
    log = tmp_path_factory.mktemp("cel") / "holdless.csv"
    reader, offset, events = CelReader(log), CelOffset(), list[CelEvent]()
    written = 0
    for place in [*sorted(places), len(RECORDED)]:
        with log.open("ab") as file:
            file.write(RECORDED[written:place])
        written = max(written, place)
        new, offset = reader.read(offset)
        events += new
    assert events == recorded()
    assert reader.skipped_count == reader.restarted_count == 0
    assert offset.position == len(RECORDED)


def test_a_rotated_log_is_read_to_its_end_and_then_the_new_one(log: Path) -> None:
    lines = RECORDED.splitlines(keepends=True)
    reader = CelReader(log)
    log.write_bytes(b"".join(lines[:4]))
    first, offset = reader.read()
    with log.open("ab") as file:
        file.write(b"".join(lines[4:9]))
    log.rename(log.with_name("holdless.csv.1"))
    log.write_bytes(b"".join(lines[9:]))
    rest, offset = drain(reader, offset)
    assert first + rest == recorded()


def test_a_rotated_log_that_is_gone_is_not_waited_for(log: Path) -> None:
    lines = RECORDED.splitlines(keepends=True)
    reader = CelReader(log)
    log.write_bytes(b"".join(lines[:4]))
    _, offset = reader.read()
    other = log.with_name("new")  # made while the old one is there, so that the inode differs
    other.write_bytes(b"".join(lines[4:]))
    other.rename(log)
    events, _ = reader.read(offset)
    assert events == recorded()[4:]


def test_a_log_that_was_cut_is_read_from_its_beginning(log: Path) -> None:
    lines = RECORDED.splitlines(keepends=True)
    reader = CelReader(log)
    log.write_bytes(b"".join(lines[:9]))
    _, offset = reader.read()
    log.write_bytes(b"".join(lines[9:10]))
    events, offset = reader.read(offset)
    assert events == recorded()[9:10]
    assert reader.restarted_count == 1
    log.write_bytes(b"".join(lines[10:]))  # cut, and already longer than it was
    events, _ = reader.read(offset)
    assert events == recorded()[10:]
    assert reader.restarted_count == 2


def test_a_line_that_died_with_asterisk_costs_no_other_line(log: Path) -> None:
    lines = RECORDED.splitlines(keepends=True)
    log.write_bytes(lines[0] + lines[1][:57] + b"".join(lines[2:]))
    reader = CelReader(log)
    events, _ = reader.read()
    assert events == [recorded()[0], *recorded()[2:]]
    assert reader.skipped_count == 1


def test_garbage_is_skipped_and_counted(log: Path) -> None:
    log.write_bytes(b"eventtime,eventtype\n\n\xff\xfe\x00\n" + RECORDED + b'"1795327594.4","X","too short"\n')
    reader = CelReader(log)
    events, _ = reader.read()
    assert events == recorded()
    assert reader.skipped_count == 3


def test_a_fact_of_an_event_that_is_no_json_is_empty() -> None:
    event = recorded()[5]
    assert event.fact("bridge_id") == "8449562a"
    assert event.fact("absent") == ""
    broken = parse_line('"1795327594.4","HANGUP","u","l","c","x","s","","","","{broken"')
    assert broken is not None
    assert broken.fact("hangupcause") == ""
    assert broken.at_ms == 1795327594400
