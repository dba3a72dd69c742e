"""Names and addresses in SIP headers: ``"Lin, Amy" <sip:0912@host>;tag=9x`` (RFC 3261, 20.10). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from telephony.synthetic.errors import SipParseError

_PARAM = re.compile(r"""\s*;\s*([^\s;=,"]{1,64})(?:\s*=\s*("(?:[^"\\]|\\.)*"|[^\s;,"]*))?""")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_BACKSLASHED = re.compile(r"\\(.)", re.DOTALL)
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_USER_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!~*'()&=+$,?/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """What From, To, Contact and Refer-To hold.

    Attributes:
        name: The display name, unquoted; empty when there is none.
        params: The header's own parameters (``tag``), by name in small letters.
    """

    uri: str
    name: str = ""
    params: dict[str, str] = field(default_factory=dict)

    @property
    def tag(self) -> str:
        """The tag; empty when there is none."""
        return self.params.get("tag", "")

    @property
    def user(self) -> str:
        """The user part of the URI, unescaped; empty when there is none."""
        return uri_user(self.uri)

    def __str__(self) -> str:
        quoted = '"' + self.name.replace("\\", "\\\\").replace('"', '\\"') + '" ' if self.name else ""
        params = "".join(f";{key}={value}" if value else f";{key}" for key, value in self.params.items())
        return f"{quoted}<{self.uri}>{params}"


def parse_address(value: str) -> Address:
    """Read the value of a From, To, Contact or Refer-To (the first, where there are several).

    Raises:
        SipParseError: it is none.

    >>> address = parse_address('"Lin, \\\\"Amy\\\\"" <sip:0912@h:5060;user=phone>;tag=9x')
    >>> address.name, address.user, address.tag
    ('Lin, "Amy"', '0912', '9x')
    """
    text = value.strip()
    name = ""
    if found := _QUOTED.match(text):
        name = _BACKSLASHED.sub(r"\1", found[1])
        text = text[found.end() :].lstrip()
        if not text.startswith("<"):
            raise SipParseError("a name without an address")
    before, bracket, rest = text.partition("<")
    if bracket:
        uri, closed, rest = rest.partition(">")
        if not closed:
            raise SipParseError("an address without an end")
        name = name or before.strip()
    else:
        uri, semicolon, rest = split_list(text)[0].partition(";")
        rest = semicolon + rest
    uri = uri.strip()
    if not uri or any(letter.isspace() for letter in uri):
        raise SipParseError("an empty address")
    return Address(uri=uri, name=name, params=_params(rest))


def _params(text: str) -> dict[str, str]:
    params: dict[str, str] = {}
    position = 0
    while found := _PARAM.match(text, position):
        params[found[1].lower()] = found[2] or ""
        position = found.end()
    return params


def split_list(value: str) -> list[str]:
    """Split a header's value at the commas outside quotes and angle brackets; never empty.

    >>> split_list('"a, b" <sip:x,y@h>;q=1, <sip:z@h>')
    ['"a, b" <sip:x,y@h>;q=1', '<sip:z@h>']
    """
    if "," not in value:
        return [value.strip()]
    parts, start, quoted, depth, skip = [], 0, False, 0, False
    for index, letter in enumerate(value):
        if skip:
            skip = False
        elif letter == '"':
            quoted = not quoted
        elif quoted:
            skip = letter == "\\"
        elif letter in "<>":
            depth += 1 if letter == "<" else -1
        elif letter == "," and depth <= 0:
            parts.append(value[start:index].strip())
            start = index + 1
    return [*parts, value[start:].strip()]


def uri_user(uri: str) -> str:
    """Return the user part of a SIP URI without a password, unescaped; empty when there is none.

    >>> uri_user("sip:%2B8869:secret@10.0.0.1:5060;user=phone")
    '+8869'
    """
    user, at, _ = uri.partition(":")[2].partition("@")
    if not at:
        return ""
    octets = bytearray()
    plain = user.partition(":")[0].partition(";")[0]
    last = 0
    for found in _ESCAPE.finditer(plain):
        octets += plain[last : found.start()].encode("utf-8", "replace") + bytes([int(found[1], 16)])
        last = found.end()
    octets += plain[last:].encode("utf-8", "replace")
    return octets.decode("utf-8", "replace")


def escape_user(user: str) -> str:
    """Return any text as the user part of a SIP URI.

    >>> escape_user("+886 9#@")
    '+886%209%23%40'
    """
    return "".join(
        letter
        if letter in _USER_PLAIN
        else "".join(f"%{octet:02X}" for octet in letter.encode("utf-8", "replace"))
        for letter in user
    )
