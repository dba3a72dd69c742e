"""What a page may say to the PBX: with its own password, in its own name, and no more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.phones.sip_guard import METHODS, SIP_CHARS_MAX, SipForbidden, guarded
from telephony.synthetic.digest import Challenge, Credentials, authorization

ENDPOINT, SECRET, PASSWORD = "a1001-web", "real-secret", "password-of-minutes"
CHALLENGE = Challenge(realm="asterisk", nonce="1795554381/5dcd", opaque="7ecf", has_qop=True)


def answered(username: str, password: str, method: str = "REGISTER", count: int = 1) -> str:
    return authorization(
        Credentials(username=username, secret=password),
        CHALLENGE,
        method=method,
        uri="sip:holdless.invalid",
        cnonce="6vri",
        count=count,
    )


def request(*headers: str, method: str = "REGISTER", body: str = "") -> str:
    return (
        "\r\n".join([f"{method} sip:holdless.invalid SIP/2.0", "Max-Forwards: 69", *headers])
        + "\r\n\r\n"
        + body
    )


def passed(text: str, *passwords: str) -> str:
    return guarded(text, endpoint=ENDPOINT, secret=SECRET, passwords=passwords or (PASSWORD,))


@pytest.mark.parametrize("header", ["Authorization", "Proxy-Authorization", "authorization"])
def test_the_answer_of_a_page_is_replaced_by_the_real_one(header: str) -> None:
    sent = passed(request(f"{header}: {answered(ENDPOINT, PASSWORD)}"))
    assert sent == request(f"{header}: {answered(ENDPOINT, SECRET)}")


def test_an_older_password_in_force_counts_too_and_uses_are_counted_on() -> None:
    sent = passed(request(f"Authorization: {answered(ENDPOINT, 'older', count=17)}"), "newer", "older")
    assert sent == request(f"Authorization: {answered(ENDPOINT, SECRET, count=17)}")


@pytest.mark.parametrize(
    "answer",
    [
        answered(ENDPOINT, "wrong"),
        answered("a1002-web", PASSWORD),
        answered(ENDPOINT, PASSWORD, method="INVITE"),
        "Digest nonsense",
        "Basic YTox",
        answered(ENDPOINT, PASSWORD).replace("nc=00000001", "nc=zz"),
        answered(ENDPOINT, PASSWORD).replace("algorithm=MD5", "algorithm=CRC"),
    ],
)
def test_what_is_not_known_to_be_right_is_not_helped(answer: str) -> None:
    text = request(f"Authorization: {answer}")
    assert passed(text) == text


def test_answers_to_the_pbx_and_keep_alives_pass_as_they_are() -> None:
    for text in ("SIP/2.0 200 OK\r\nVia: x\r\n\r\n", "\r\n\r\n", "\r\n"):
        assert passed(text) == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (request(method="SUBSCRIBE"), "method"),
        (request(method="MESSAGE"), "method"),
        (request(method="REFER"), "method"),
        (request(" folded: x"), "not_sip"),
        ("GET / HTTP/1.1\r\n\r\n", "not_sip"),
        ("REGISTER sip:x SIP/2.0", "not_sip"),
        (request(body="x" * SIP_CHARS_MAX), "too_long"),
    ],
)
def test_what_no_phone_of_ours_sends_ends_the_connection(text: str, reason: str) -> None:
    with pytest.raises(SipForbidden, match=reason):
        passed(text)


@given(st.text(max_size=400), st.sampled_from(sorted(METHODS)))
def test_whatever_stands_in_an_answer_the_secret_is_never_told(text: str, method: str) -> None:
    for sent in (text, request(f"Authorization: {text}", method=method)):
        try:
            found = passed(sent)
        except SipForbidden:
            continue
        assert SECRET not in found
