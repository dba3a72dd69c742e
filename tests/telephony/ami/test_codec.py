"""AMI codec: any cut of the bytes gives the same messages; nothing we write can be read as two fields."""

from __future__ import annotations

import gzip
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony.ami.codec import (
    HEADERS_MAX,
    LINE_BYTES_MAX,
    MESSAGE_BYTES_MAX,
    AmiDecoder,
    AmiMessage,
    encode_action,
)
from telephony.ami.errors import AmiInjectionError, AmiProtocolError

RECORDED = Path(__file__).parents[3] / ".." / "shared" / "data" / "ami_sample.bin.gz"
BANNER = b"Asterisk Call Manager/11.0.0\r\n"
TALK = (
    BANNER
    + b"Response: Success\r\nActionID: 1\r\nMessage: Authentication accepted\r\n\r\n"
    + b"Event: Newchannel\r\nCallerIDName: \xe7\x8e\x8b\xe5\xb0\x8f\xe6\x98\x8e\r\nExten: \r\n\r\n"
    + b"Event: OriginateResponse\r\nActionID: 2\r\nResponse: Failure\r\nCallerIDName: M\xfcller\r\n\r\n"
    + b"Event: UserEvent\r\nUserEvent: CCNew\r\nChanVariable: CC_CALLID=p-1.2\r\nChanVariable: CC_STATE=\r\n"
    + b"DestChanVariable: CC_AGENT=a1=b\r\nAppData: a: b\r\nOdd:nospace\r\nno colon at all\r\n\r\n"
)


def all_of(*chunks: bytes) -> list[AmiMessage]:
    decoder = AmiDecoder()
    return [message for chunk in chunks for message in decoder.receive(chunk)]


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def test_a_conversation_is_read() -> None:
    login, newchannel, originate, user = all_of(TALK)
    assert login.is_response
    assert login.succeeded
    assert login.action_id == "1"
    assert login.name == ""
    assert newchannel.name == "Newchannel"
    assert newchannel.get("CallerIDName") == "王小明"
    assert newchannel.get("Exten") == ""
    assert newchannel.get("Absent") is None
    assert newchannel.get("Absent", "x") == "x"
    assert user.variables() == {"CC_CALLID": "p-1.2", "CC_STATE": ""}
    assert user.variables("DestChanVariable") == {"CC_AGENT": "a1=b"}
    assert user.get("AppData") == "a: b"
    assert user.get("Odd") == "nospace"
    assert user.pairs[-1] == ("", "no colon at all")
    assert originate.get("CallerIDName") == "M\ufffdller"


def test_an_event_that_carries_a_response_is_an_event() -> None:
    originate = all_of(TALK)[2]
    assert originate.is_event
    assert not originate.is_response


def test_the_name_is_found_wherever_the_event_header_stands() -> None:
    message = AmiMessage.of(("Privilege", "call,all"), ("Event", "Hangup"))
    assert message.name == "Hangup"
    assert AmiMessage("Event: Alone").name == "Alone"


def test_the_banner_is_no_message() -> None:
    decoder = AmiDecoder()
    assert decoder.receive(BANNER) == []
    assert decoder.banner == "Asterisk Call Manager/11.0.0"
    assert decoder.buffered_bytes == 0


def test_a_stream_that_begins_with_a_message_has_no_banner() -> None:
    decoder = AmiDecoder()
    assert [message.name for message in decoder.receive(b"Event: A\r\n\r\n")] == ["A"]
    assert decoder.banner is None


def test_command_output_is_tolerated() -> None:
    old, new = all_of(
        b"Response: Follows\r\nPrivilege: Command\r\nfree text\r\n--END COMMAND--\r\n\r\n"
        b"Response: Success\r\nOutput: one\r\nOutput: \r\nOutput: a: b\r\n\r\n"
    )
    assert old.succeeded
    assert new.all("Output") == ["one", "", "a: b"]


@given(st.lists(st.integers(0, 10_000), max_size=12))
def test_any_cut_of_a_conversation_gives_the_same_messages(places: list[int]) -> None:
    assert all_of(*cut(TALK, places)) == all_of(TALK)


@given(
    st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b": ", b":", b"Event", b"a", b"\xff", b"\xe7\x8e"])),
    st.data(),
)
def test_any_cut_of_garbage_gives_the_same_messages(parts: list[bytes], data: st.DataObject) -> None:
    garbage = b"".join(parts)
    places = data.draw(st.lists(st.integers(0, 10_000), max_size=6))
    whole = all_of(garbage)
    assert all_of(*cut(garbage, places)) == whole
    for message in whole:
        for key, _ in message.pairs:
            if key:
                assert message.get(key) == message.all(key)[0]


def test_a_message_without_an_end_is_refused() -> None:
    decoder = AmiDecoder()
    decoder.receive(b"Event: A\r\n")
    for _ in range(MESSAGE_BYTES_MAX // 1024 - 1):
        decoder.receive(b"x" * 1024)
    with pytest.raises(AmiProtocolError):
        decoder.receive(b"x" * 1024)


def test_too_long_a_message_is_refused_though_its_end_came_along() -> None:
    with pytest.raises(AmiProtocolError):
        AmiDecoder().receive(b"Event: A\r\n" + b"x" * MESSAGE_BYTES_MAX + b"\r\n\r\n")


def test_a_stream_without_a_banner_line_is_refused() -> None:
    with pytest.raises(AmiProtocolError):
        AmiDecoder().receive(b"x" * (MESSAGE_BYTES_MAX + 1))


def test_an_action_is_written_in_order_with_repeated_names() -> None:
    pairs = [("Action", "Status"), ("ActionID", "7"), ("Variable", "a"), ("Variable", "b")]
    assert encode_action(pairs) == b"Action: Status\r\nActionID: 7\r\nVariable: a\r\nVariable: b\r\n\r\n"


@pytest.mark.parametrize("byte", [*range(0x20), 0x7F])
def test_control_bytes_are_refused_in_values_and_names(byte: int) -> None:
    with pytest.raises(AmiInjectionError) as caught:
        encode_action([("Action", "Redirect"), ("CallerID", f"Bob{chr(byte)}Action: Originate")])
    assert caught.value.field == "CallerID"
    assert "Bob" not in str(caught.value)
    with pytest.raises(AmiInjectionError):
        encode_action([(f"Act{chr(byte)}ion", "Ping")])


@pytest.mark.parametrize(
    "pairs",
    [
        [],
        [("", "x")],
        [("A:", "x")],
        [("A B", "x")],
        [("A", "\udc80")],
        [("A", "x" * LINE_BYTES_MAX)],
        [("A", "x")] * (HEADERS_MAX + 1),
    ],
)
def test_what_asterisk_would_cut_or_misread_is_refused(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(AmiInjectionError):
        encode_action(pairs)


@given(st.lists(st.tuples(st.text(max_size=30), st.text(max_size=60)), max_size=6))
@settings(max_examples=150)
def test_an_action_is_refused_or_read_back_exactly(pairs: list[tuple[str, str]]) -> None:
    try:
        data = encode_action([("Action", "X"), *pairs])
    except AmiInjectionError:
        return
    (message,) = all_of(data)
    assert message.pairs == [("Action", "X"), *pairs]
    assert data.count(b"\r\n") == data.count(b"\n") == data.count(b"\r") == len(pairs) + 2


def test_no_text_of_a_message_stands_in_its_repr() -> None:
    assert "912" not in repr(AmiMessage.of(("Event", "Newchannel"), ("CallerIDNum", "0912345678")))


def test_a_recording_of_a_real_asterisk_is_read_whole() -> None:
    if not RECORDED.exists():
        pytest.skip("no recording of a real Asterisk beside this checkout")
    data = gzip.decompress(RECORDED.read_bytes())
    messages = all_of(*(data[at : at + 4093] for at in range(0, len(data), 4093)))
    assert len(messages) == data.count(b"\r\n\r\n")
    assert all(message.is_event or message.is_response for message in messages)
    assert all(key for message in messages for key, _ in message.pairs)
