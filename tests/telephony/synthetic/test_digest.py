"""Digest answers are those of the RFCs."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.synthetic.digest import (
    Challenge,
    Credentials,
    authorization,
    digest_response,
    parse_challenge,
    parse_pairs,
    strongest,
)
from telephony.synthetic.errors import SipFieldError, SipParseError

MUFASA = Credentials(username="Mufasa", secret="Circle of Life")
NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_examples_of_rfc_7616_come_out(algorithm: str, response: str) -> None:
    challenge = Challenge(realm="http-auth@example.org", nonce=NONCE, algorithm=algorithm)
    assert digest_response(MUFASA, challenge, method="GET", uri="/dir/index.html", cnonce=CNONCE) == response


def test_a_challenge_without_qop_is_answered_as_before_2617() -> None:
    """The example of RFC 2069 as corrected by its erratum 749."""
    challenge = parse_challenge(
        'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'
    )
    assert not challenge.has_qop
    credentials = Credentials(username="Mufasa", secret="CircleOfLife")
    response = digest_response(credentials, challenge, method="GET", uri="/dir/index.html", cnonce="")
    assert response == "1949323746fe6a43ef61f9606e7febea"


def test_of_several_challenges_the_strongest_is_taken() -> None:
    values = [
        'Digest realm="a", nonce="1", algorithm=MD5, qop="auth"',
        'Digest realm="a", nonce="2", algorithm=SHA-512-256, qop="auth"',
        'Digest realm="a", nonce="3", algorithm=SHA-256, qop="auth,auth-int"',
        'Basic realm="a"',
    ]
    assert strongest(values).nonce == "3"


@pytest.mark.parametrize(
    "value", ["", "Basic x", "Digest realm=a", 'Digest realm="a", nonce="1", qop="auth-int"']
)
def test_a_challenge_that_cannot_be_answered_is_refused(value: str) -> None:
    with pytest.raises(SipParseError):
        strongest([value])


@given(st.text(max_size=60))
def test_any_text_reads_as_pairs_or_the_typed_error(value: str) -> None:
    for whole in (value, f"Digest {value}"):
        with suppress(SipParseError):
            parse_challenge(whole)


@given(st.text(max_size=20), st.text(max_size=20))
def test_what_is_answered_reads_back(username: str, realm: str) -> None:
    challenge = Challenge(realm=realm, nonce="n", opaque="o")
    credentials = Credentials(username=username, secret="x")
    try:
        value = authorization(credentials, challenge, method="BYE", uri="sip:h", cnonce="c", count=3)
    except SipFieldError:
        return
    told = parse_pairs(value)
    assert (told["username"], told["realm"], told["opaque"], told["nc"]) == (username, realm, "o", "00000003")
