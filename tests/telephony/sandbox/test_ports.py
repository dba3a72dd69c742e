from __future__ import annotations

import socket

from telephony.sandbox.ports import BLOCK_SIZE, claim_ports


def test_two_claims_at_once_never_share_a_port() -> None:
    first, second = claim_ports(), claim_ports()
    try:
        assert abs(first.ports.sip - second.ports.sip) >= BLOCK_SIZE
        assert first.ports.rtp_end - first.ports.rtp_start < BLOCK_SIZE
    finally:
        first.release()
        second.release()


def test_a_block_with_a_port_in_use_is_passed_over() -> None:
    first = claim_ports()
    first.release()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", first.ports.rtp_start + 100))
        second = claim_ports()
        second.release()
    assert second.ports.sip != first.ports.sip
