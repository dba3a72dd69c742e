"""sipp scenarios as text, from small descriptions of callers and phones.

Every wait is a ``recv`` with a timeout, never a pause, so that a hang-up by the other side is taken
and answered wherever it comes.
"""

from __future__ import annotations

from dataclasses import dataclass

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE scenario SYSTEM "sipp.dtd">\n'
_AFTER_REFER_MS = 200  # a phone hangs up by itself once it is told that the transfer went through
_SDP = (
    "v=0\no=sipp 1 {version} IN IP4 [local_ip]\ns=-\nc=IN IP4 [media_ip]\nt=0 0\n"
    "m=audio [media_port] RTP/AVP 0 101\na=rtpmap:0 PCMU/8000\na=rtpmap:101 telephone-event/8000\n"
    "a={direction}\n"
)


@dataclass(frozen=True, kw_only=True)
class Caller:
    """A customer on the trunk.

    Attributes:
        entry: The number dialled.
        number: User part of From; what the trunk says, any text.
        name: Display name; None: none at all. Quoted and escaped as SIP wants.
        hangs_up_after_ms: Counted from the answer (our PBX answers at once and then lets wait);
            None: stays until the PBX hangs up.
        keys: Digits pressed one after the other, with this many ms before each: ``((800, "5"),)``.
    """

    entry: str = "8001"
    number: str = "0912345678"
    name: str | None = None
    hangs_up_after_ms: int | None = None
    keys: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Phone:
    """What an agent's phone does with every call that it gets.

    Attributes:
        ring_ms: From 180 Ringing to the answer or the rejection.
        answer: 200 answers, 486 is busy, 603 rejects (any final status); None rings until it is cancelled.
        talk_ms: From the ACK to our BYE; None: talks until the other side hangs up.
        hold: ``(after_ms, for_ms)``: puts on hold by re-INVITE so long after the ACK, and resumes; the
            rest of ``talk_ms`` counts from the resume. Two more numbers: once more, so long after the resume.
        refer: ``(after_ms, target)``: blind transfer by REFER to the extension, so long after the ACK.
    """

    ring_ms: int = 200
    answer: int | None = 200
    talk_ms: int | None = None
    hold: tuple[int, ...] = ()
    refer: tuple[int, str] | None = None


def caller_keys(caller: Caller) -> dict[str, str]:
    """Return what sipp puts in for ``[from_name]`` and ``[from_user]``, untouched by its own syntax."""
    name = "" if caller.name is None else f'"{_quoted(caller.name)}" '
    return {"from_name": name, "from_user": caller.number}


def caller_scenario(caller: Caller) -> str:
    """Return the scenario of a caller (UAC)."""
    sender = "From: [from_name]<sip:[from_user]@[local_ip]:[local_port]>;tag=[pid]u[call_number]\n"
    to = f"To: <sip:{caller.entry}@[remote_ip]:[remote_port]>"
    contact = "Contact: <sip:trunk@[local_ip]:[local_port]>\n"
    target = f"sip:{caller.entry}@[remote_ip]:[remote_port]"
    via = "Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]\n"

    def request(
        method: str, cseq: int, extra: str = "", body: str = "", peer_tag: str = "[peer_tag_param]"
    ) -> str:
        return (
            f"{method} {target} SIP/2.0\n{via}{sender}{to}{peer_tag}\nCall-ID: [call_id]\n"
            f"CSeq: {cseq} {'INVITE' if method == 'ACK' else method}\n{contact}Max-Forwards: 70\n{extra}"
            f"Content-Length: {'[len]' if body else 0}\n\n{body}"
        )

    sdp = _SDP.format(version=1, direction="sendrecv")
    invite = request("INVITE", 1, "Content-Type: application/sdp\n", sdp, peer_tag="")
    parts = [
        _send(invite, "retrans='500'"),
        "<recv response='100' optional='true'/>",
        "<recv response='180' optional='true'/>",
        "<recv response='183' optional='true'/>",
        "<recv response='200'/>",
        _send(request("ACK", 1)),
    ]
    cseq, label = 1, 0
    for after_ms, key in caller.keys:
        cseq, label = cseq + 1, label + 1
        press = request(
            "INFO", cseq, "Content-Type: application/dtmf-relay\n", f"Signal={key}\nDuration=160\n"
        )
        parts += [
            f"<recv request='BYE' timeout='{after_ms}' ontimeout='{label}' next='ended'/>",
            f"<label id='{label}'/>",
            _send(press, "retrans='500'"),
            "<recv response='200'/>",
        ]
    if caller.hangs_up_after_ms is None:
        parts.append("<recv request='BYE' next='ended'/>")
    else:
        parts += [
            f"<recv request='BYE' timeout='{caller.hangs_up_after_ms}' ontimeout='90' next='ended'/>",
            "<label id='90'/>",
            _send(request("BYE", cseq + 1), "retrans='500'"),
            "<recv response='200' next='over'/>",
        ]
    parts += ["<label id='ended'/>", _reply("200 OK"), "<label id='over'/>"]
    return _scenario("caller", parts)


def phone_scenario(phone: Phone) -> str:
    """Return the scenario of an agent's phone (UAS)."""
    keep = (
        "<recv request='INVITE'><action>"
        "<ereg regexp='[0-9]+' search_in='hdr' header='CSeq:' assign_to='invite_cseq'/>"
        "</action></recv>"
    )
    parts = [keep, _reply("180 Ringing", tag=True)]
    if phone.answer is None:
        parts += ["<recv request='CANCEL' next='cancelled'/>"]
    else:
        parts += [
            f"<recv request='CANCEL' timeout='{max(1, phone.ring_ms)}' ontimeout='10' next='cancelled'/>",
            "<label id='10'/>",
        ]
    if phone.answer == 200:
        parts += _conversation(phone)
    elif phone.answer is not None:
        reason = {486: "Busy Here", 603: "Decline"}.get(phone.answer, "Refused")
        parts += [_reply(f"{phone.answer} {reason}", tag=True), "<recv request='ACK' next='over'/>"]
    parts += [
        "<label id='cancelled'/>",
        _reply("200 OK", tag=True),
        _send(
            "SIP/2.0 487 Request Terminated\n[last_Via:]\n[last_From:]\n[last_To:];tag=[pid]p[call_number]\n"
            "[last_Call-ID:]\nCSeq: [$invite_cseq] INVITE\nContent-Length: 0\n\n",
            "retrans='500'",
        ),
        "<recv request='ACK' next='over'/>",
        "<label id='ended'/>",
        _reply("200 OK"),
        "<label id='over'/>",
    ]
    if phone.answer == 200:
        parts.append("<Reference variables='own,peer'/>")
    return _scenario("phone", parts)


def _conversation(phone: Phone) -> list[str]:
    """From our 200 to the end; the dialog's headers are those of the peer's ACK, turned round."""
    sdp = "Content-Type: application/sdp\n"
    parts = [
        _reply(
            "200 OK", tag=True, extra=sdp, body=_SDP.format(version=1, direction="sendrecv"), retrans=True
        ),
        "<recv request='ACK'><action>"
        "<ereg regexp='.*' search_in='hdr' header='From:' assign_to='peer'/>"
        "<ereg regexp='.*' search_in='hdr' header='To:' assign_to='own'/>"
        "</action></recv>",
    ]

    def request(method: str, cseq: int, extra: str = "", body: str = "") -> str:
        return (
            f"{method} sip:asterisk@[remote_ip]:[remote_port] SIP/2.0\n"
            "Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]\n"
            f"From:[$own]\nTo:[$peer]\nCall-ID: [call_id]\nCSeq: {cseq} {method}\n"
            "Contact: <sip:phone@[local_ip]:[local_port]>\nMax-Forwards: 70\n"
            f"{extra}Content-Length: {'[len]' if body else 0}\n\n{body}"
        )

    def unless_ended(wait_ms: int, label: int) -> list[str]:
        return [
            f"<recv request='BYE' timeout='{max(1, wait_ms)}' ontimeout='{label}' next='ended'/>",
            f"<label id='{label}'/>",
        ]

    def reinvite(cseq: int, direction: str) -> list[str]:
        return [
            _send(
                request("INVITE", cseq, sdp, _SDP.format(version=cseq, direction=direction)), "retrans='500'"
            ),
            "<recv response='100' optional='true'/>",
            "<recv response='200'/>",
            _send(request("ACK", cseq)),
        ]

    for place, wait_ms in enumerate(phone.hold):
        direction = "sendonly" if place % 2 == 0 else "sendrecv"
        parts += [*unless_ended(wait_ms, 20 + place), *reinvite(place + 1, direction)]
    cseq = len(phone.hold) + 1
    if phone.refer is not None:
        after_ms, target = phone.refer
        headers = f"Refer-To: <sip:{target}@[remote_ip]:[remote_port]>\n"
        parts += [
            *unless_ended(after_ms, 30),
            _send(request("REFER", cseq, headers), "retrans='500'"),
            "<recv response='202'/>",
            *unless_ended(_AFTER_REFER_MS, 31),  # the NOTIFYs are answered by sipp itself
            _send(request("BYE", cseq + 1), "retrans='500'"),
            "<recv response='200' next='over'/>",
        ]
    elif phone.talk_ms is None:
        parts += ["<recv request='BYE' next='ended'/>"]
    else:
        parts += [
            *unless_ended(phone.talk_ms, 40),
            _send(request("BYE", cseq), "retrans='500'"),
            "<recv response='200' next='over'/>",
        ]
    return parts


def _reply(status: str, *, tag: bool = False, extra: str = "", body: str = "", retrans: bool = False) -> str:
    own_tag = ";tag=[pid]p[call_number]" if tag else ""
    text = (
        f"SIP/2.0 {status}\n[last_Via:]\n[last_From:]\n[last_To:]{own_tag}\n[last_Call-ID:]\n[last_CSeq:]\n"
        f"Contact: <sip:phone@[local_ip]:[local_port]>\n{extra}"
        f"Content-Length: {'[len]' if body else 0}\n\n{body}"
    )
    return _send(text, "retrans='500'" if retrans else "")


def _send(message: str, attributes: str = "") -> str:
    return f"<send {attributes}><![CDATA[\n\n{message}\n]]></send>"


def _scenario(name: str, parts: list[str]) -> str:
    ids = {"ended": "98", "over": "99", "cancelled": "97"}
    text = "\n".join(parts)
    for word, number in ids.items():
        text = text.replace(f"next='{word}'", f"next='{number}'").replace(f"id='{word}'", f"id='{number}'")
    return f"{_HEAD}<scenario name='{name}'>\n{text}\n</scenario>\n"


def _quoted(name: str) -> str:
    return name.replace("\\", "\\\\").replace('"', '\\"')
