"""What a snapshot of a real Asterisk says, and what it must not say."""

from __future__ import annotations

from pathlib import Path

from routing.ids import AgentId, BootId, PbxId, minted_ms
from routing.signals import DeviceSeen, PbxPhase, PbxSnapshotTaken
from telephony.adopt import snapshot_of
from telephony.ami.codec import AmiDecoder, AmiMessage

_SNAPSHOT = Path(__file__).parent / "fixtures" / "status_snapshot.ami"
_PHONES = {f"PJSIP/a100{number}": AgentId(f"a100{number}") for number in range(1, 4)}


def _snapshot(rows: list[AmiMessage]) -> PbxSnapshotTaken:
    return snapshot_of(rows, pbx_id=PbxId("pbx1"), boot_id=BootId("b1"), agent_by_device=_PHONES)


def _status(uniqueid: str, bridge: str = "", **variables: str) -> AmiMessage:
    pairs = [("Event", "Status"), ("Uniqueid", uniqueid), ("BridgeID", bridge)]
    return AmiMessage.of(*pairs, *(("Variable", f"{name}={value}") for name, value in variables.items()))


def test_a_recorded_snapshot_tells_who_waits_and_who_talks_to_whom() -> None:
    taken = _snapshot(AmiDecoder().receive(_SNAPSHOT.read_bytes()))
    talking, waiting = taken.interactions
    assert (talking.phase, talking.agent_id, talking.attempt) == (PbxPhase.TALKING, "a1001", 1)
    assert talking.leg_id is not None
    assert str(talking.leg_id) != str(talking.interaction_id)
    assert (waiting.phase, waiting.queue_id, waiting.agent_id) == (PbxPhase.WAITING, "support", None)
    assert waiting.queued_at_ms is not None
    assert 0 <= waiting.queued_at_ms - minted_ms(waiting.interaction_id) < 2_000  # the id knows whole seconds
    assert taken.devices == (
        DeviceSeen(agent_id=AgentId("a1001"), reachable=True, in_use=True),
        DeviceSeen(agent_id=AgentId("a1002"), reachable=True, in_use=False),
        DeviceSeen(agent_id=AgentId("a1003"), reachable=False, in_use=False),
    )


def test_an_offer_that_is_bridged_is_a_conversation() -> None:
    rings = _status("p-1763790000.1", CC_CALLID="p-1763790000.1", CC_STATE="offered", CC_AGENT="a1001")
    talks = _status("p-1763790000.2", "bridge", CC_CALLID="p-1763790000.2", CC_STATE="offered")
    phases = [seen.phase for seen in _snapshot([rings, talks]).interactions]
    assert phases == [PbxPhase.OFFERED, PbxPhase.TALKING]


def test_variables_that_are_not_set_and_states_that_are_not_ours_are_no_facts() -> None:
    (seen,) = _snapshot(
        [
            _status(
                "p-1763790000.1",
                CC_CALLID="p-1763790000.1",
                CC_ENTRY="(null)",
                CC_STATE="x",
                CC_ATTEMPT="(null)",
            )
        ]
    ).interactions
    assert (seen.entry_point, seen.phase, seen.attempt, seen.queued_at_ms) == ("", PbxPhase.ENTRY, 0, None)


def test_a_channel_that_is_no_contact_of_ours_is_left_alone() -> None:
    assert (
        _snapshot([_status("p-1763790000.1"), _status("p-1763790000.2", CC_CALLID="(null)")]).interactions
        == ()
    )


def test_a_caller_whom_the_fallback_queue_serves_says_so() -> None:
    (seen,) = _snapshot(
        [_status("p-1763790000.1", CC_CALLID="p-1763790000.1", CC_STATE="fallback", CC_SERVED="1")]
    ).interactions
    assert seen.served_by_fallback


def test_a_caller_whom_the_fallback_queues_member_passed_on_is_no_longer_served_by_it() -> None:
    for state in ("waiting", "offered", "talking"):
        row = _status("p-1763790000.1", CC_CALLID="p-1763790000.1", CC_STATE=state, CC_SERVED="1")
        assert not _snapshot([row]).interactions[0].served_by_fallback
