"""Reading SIP survives anything; writing SIP cannot be made to say more than it was told."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from telephony.synthetic.errors import SipFieldError, SipParseError
from telephony.synthetic.sip_addresses import Address, escape_user, parse_address, split_list, uri_user
from telephony.synthetic.sip_codec import (
    HEADERS_MAX,
    MESSAGE_BYTES_MAX,
    CSeq,
    SipRequest,
    SipResponse,
    canonical_name,
    parse,
    response_to,
    serialise,
)

INVITE = (
    b"INVITE sip:8001@127.0.0.1:5060 SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 127.0.0.1:4000;rport;branch=z9hG4bKa1\r\n"
    b'From: "Lin" <sip:0912@127.0.0.1>;tag=f1\r\nTo: <sip:8001@127.0.0.1>\r\nCall-ID: c1@h\r\n'
    b"CSeq: 7 INVITE\r\nContent-Length: 5\r\n\r\nv=0\r\n"
)
ROUTING = (
    ("Via", "SIP/2.0/UDP 127.0.0.1:4000;rport;branch=z9hG4bKa1"),
    ("From", "<sip:a@h>;tag=1"),
    ("To", "<sip:b@h>"),
    ("Call-ID", "c1"),
)

text = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=30).map(str.strip)
spare_headers = st.lists(
    st.tuples(st.sampled_from(["Subject", "X-Thing", "Contact", "Via", "Allow"]), text), max_size=5
)
requests = st.builds(
    lambda method, spare, body: SipRequest(
        method=method, uri="sip:b@h", headers=(*ROUTING, ("CSeq", f"1 {method}"), *spare), body=body
    ),
    st.sampled_from(["INVITE", "ACK", "BYE", "OPTIONS", "REGISTER", "REFER"]),
    spare_headers,
    st.binary(max_size=60),
)
responses = st.builds(
    lambda status, reason, spare, body: SipResponse(
        status=status, reason=reason, headers=(*ROUTING, ("CSeq", "1 BYE"), *spare), body=body
    ),
    st.integers(100, 699),
    text,
    spare_headers,
    st.binary(max_size=60),
)


@given(requests | responses)
def test_what_is_written_is_read_back_the_same(message: SipRequest | SipResponse) -> None:
    assert parse(serialise(message)) == message


@given(st.binary(max_size=400))
@example(b"")
@example(b"\r\n\r\n")
@example(b"SIP/2.0 \xd9\xa3\xd9\xa3\xd9\xa3 OK\r\n\r\n")
def test_any_bytes_are_a_message_or_the_typed_error(data: bytes) -> None:
    with suppress(SipParseError):
        parse(data)


@given(st.integers(0, len(INVITE)), st.binary(max_size=8), st.integers(0, 8))
def test_a_damaged_message_is_a_message_or_the_typed_error(at: int, piece: bytes, cut: int) -> None:
    try:
        message = parse(INVITE[:at] + piece + INVITE[at + cut :])
    except SipParseError:
        return
    assert message.cseq.number >= 0
    assert isinstance(message.branch, str)
    assert isinstance(message.sent_by, str)


def test_compact_names_folded_lines_and_any_case_are_understood() -> None:
    message = parse(
        b"\r\nBYE sip:b@h SIP/2.0\r\nv: SIP/2.0/UDP h:1 ; Branch=z9hG4bK2, SIP/2.0/UDP p;branch=z9hG4bK1\r\n"
        b"f: <sip:a@h>\r\n\t;tag=1\r\nt : <sip:b@h>;tag=2\r\ni:77\r\ncseq: 12 \tBYE\r\nL: 0\r\n\r\nrest"
    )
    assert isinstance(message, SipRequest)
    assert message.branch == "z9hG4bK2"
    assert message.sent_by == "h:1"
    assert message.get("From") == "<sip:a@h> ;tag=1"
    assert message.call_id == "77"
    assert message.cseq == CSeq(12, "BYE")
    assert message.body == b""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"SIP/2.0\r\n", b"SIP/3.0\r\n"),
        (b"Call-ID: c1@h\r\n", b""),
        (b"CSeq: 7 INVITE", b"CSeq: 7 BYE"),
        (b"CSeq: 7 INVITE", b"CSeq: 99999999999 INVITE"),
        (b"Content-Length: 5", b"Content-Length: 50"),
        (b"Content-Length: 5", b"Content-Length: -5"),
        (b"Via:", b"Vi\x00a:"),
        (b"Lin", b"Li\nn"),
        (b"\r\nVia:", b"\r\n folded\r\nVia:"),
        (b"\r\n\r\n", b"\r\n" + b"A: b\r\n" * HEADERS_MAX + b"\r\n"),
        (b"v=0\r\n", b"v" * MESSAGE_BYTES_MAX),
    ],
    ids=[
        "version", "no call-id", "method of cseq", "cseq too great", "body cut", "negative length",
        "control in a name", "bare line feed", "continuation of nothing", "too many headers", "too long",
    ],
)  # fmt: skip
def test_what_is_no_sip_is_refused(before: bytes, after: bytes) -> None:
    assert parse(INVITE)
    with pytest.raises(SipParseError):
        parse(INVITE.replace(before, after, 1))


@given(text | st.text(max_size=30))
def test_no_display_name_becomes_a_header_of_its_own(name: str) -> None:
    address = Address(uri="sip:a@h", name=name, params={"tag": "1"})
    request = SipRequest(
        method="BYE", uri="sip:b@h", headers=(*ROUTING, ("CSeq", "1 BYE"), ("Contact", str(address)))
    )
    try:
        data = serialise(request)
    except SipFieldError:
        return
    read = parse(data)
    assert [key for key, _ in read.headers] == [key for key, _ in request.headers]
    again = parse_address(read.get("Contact"))
    assert (again.uri, again.tag) == ("sip:a@h", "1")
    assert again.name == name


@given(st.text(max_size=40))
def test_any_text_reads_as_an_address_or_the_typed_error(value: str) -> None:
    try:
        address = parse_address(value)
    except SipParseError:
        return
    assert address.uri
    assert isinstance(address.user, str)


@given(st.text(st.characters(codec="utf-8"), max_size=20))
def test_any_number_survives_as_the_user_of_an_address(number: str) -> None:
    uri = f"sip:{escape_user(number)}@127.0.0.1:5060"
    assert uri_user(uri) == number
    assert parse_address(f"<{uri}>;tag=1").user == number


@pytest.mark.parametrize(
    ("value", "name", "uri", "tag"),
    [
        ("sip:a@h;tag=9", "", "sip:a@h", "9"),
        ("Lin Amy <sip:a@h;user=phone>;x;TAG=9", "Lin Amy", "sip:a@h;user=phone", "9"),
        ('"a <b>, c" <sip:a@h>', "a <b>, c", "sip:a@h", ""),
        ("<sip:a@h>, <sip:b@h>", "", "sip:a@h", ""),
        ("sip:a@h, <sip:b@h>", "", "sip:a@h", ""),
    ],
)
def test_addresses_are_read_in_every_form(value: str, name: str, uri: str, tag: str) -> None:
    address = parse_address(split_list(value)[0])
    assert (address.name, address.uri, address.tag) == (name, uri, tag)


def test_a_response_routes_back_and_bears_our_tag_once() -> None:
    request = parse(INVITE)
    assert isinstance(request, SipRequest)
    ringing = response_to(request, 180, "Ringing", to_tag="mine")
    assert ringing.all("Via") == request.all("Via")
    assert ringing.get("To") == "<sip:8001@127.0.0.1>;tag=mine"
    assert response_to(request, 100, "Trying", to_tag="mine").get("To") == "<sip:8001@127.0.0.1>"


def test_header_names_have_one_spelling() -> None:
    names = ["call-id", "I", "CSEQ", "www-authenticate", "CONTACT", "m"]
    assert [canonical_name(name) for name in names] == [
        "Call-ID", "Call-ID", "CSeq", "WWW-Authenticate", "Contact", "Contact",
    ]  # fmt: skip
