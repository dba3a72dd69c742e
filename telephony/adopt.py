"""Snapshot after a (re)connect: rows of ``Status`` and ``DeviceStateList`` → one PbxSnapshotTaken.

Pure. Channel variables are the durable store of a waiting call's routing state; a channel whose
own Uniqueid is its CC_CALLID is a customer's, any other one that carries it is an agent's leg.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from routing.ids import AgentId, BootId, InteractionId, LegId, PbxId
from routing.signals import DeviceSeen, InteractionSeen, PbxPhase, PbxSnapshotTaken
from telephony.ami.codec import AmiMessage
from telephony.fields import agent_of, caller_name, known, queue_of, whole, whole_or_none

SNAPSHOT_VARIABLES = (
    "CC_CALLID",
    "CC_STATE",
    "CC_QUEUE",
    "CC_QUEUED_AT",
    "CC_ARRIVED",
    "CC_ENTRY",
    "CC_AGENT",
    "CC_ATTEMPT",
    "CC_PRIORITY",
    "CC_SERVED",
)

_UNSET = "(null)"  # how Status writes a variable that the channel does not have
_IN_USE = frozenset({"INUSE", "BUSY", "RINGING", "RINGINUSE", "ONHOLD"})
_UNREACHABLE = frozenset({"UNAVAILABLE", "INVALID"})


def snapshot_of(
    rows: Iterable[AmiMessage],
    *,
    pbx_id: PbxId,
    boot_id: BootId,
    agent_by_device: Mapping[str, AgentId],
    occurred_ms: int | None = None,
) -> PbxSnapshotTaken:
    """Fold the rows of both lists into one signal.

    Args:
        rows: ``Status`` events (asked with SNAPSHOT_VARIABLES) and ``DeviceStateChange`` events, any order.
        pbx_id: The PBX's ``systemname``.
        boot_id: Which run of the PBX this is.
        agent_by_device: Which agent's phone a device is.
        occurred_ms: When the list was asked for, by the PBX's clock.
    """
    customers: dict[str, InteractionSeen] = {}
    legs: dict[str, LegId] = {}
    devices: dict[AgentId, DeviceSeen] = {}
    for row in rows:
        if row.name == "Status":
            variables = {
                name: "" if value == _UNSET else value for name, value in row.variables("Variable").items()
            }
            call_id, uniqueid = variables.get("CC_CALLID", ""), row.get("Uniqueid", "")
            if not call_id:
                continue
            if call_id == uniqueid:
                customers[call_id] = _customer(row, variables)
            elif agent_of(variables.get("CC_AGENT")):
                legs[call_id] = LegId(uniqueid)
        elif row.name == "DeviceStateChange":
            agent_id = agent_by_device.get(row.get("Device", ""))
            if agent_id is not None:
                devices[agent_id] = _device(agent_id, row.get("State", ""))
    return PbxSnapshotTaken(
        occurred_ms=occurred_ms,
        pbx_id=pbx_id,
        boot_id=boot_id,
        interactions=tuple(_with_leg(customers[key], legs.get(key)) for key in sorted(customers)),
        devices=tuple(devices[key] for key in sorted(devices)),
    )


def _customer(row: AmiMessage, variables: Mapping[str, str]) -> InteractionSeen:
    agent_id = agent_of(variables.get("CC_AGENT"))
    bridged = bool(row.get("BridgeID", ""))
    phase = _phase(variables.get("CC_STATE", ""), bridged=bridged)
    return InteractionSeen(
        interaction_id=InteractionId(variables["CC_CALLID"]),
        phase=phase,
        queue_id=queue_of(variables.get("CC_QUEUE")),
        agent_id=agent_id,
        attempt=whole(variables.get("CC_ATTEMPT")),
        priority_ms=whole(variables.get("CC_PRIORITY")),
        arrived_ms=whole_or_none(variables.get("CC_ARRIVED")),
        queued_at_ms=whole_or_none(variables.get("CC_QUEUED_AT")),
        entry_point=variables.get("CC_ENTRY", ""),
        caller_number=known(row.get("CallerIDNum", "")),
        caller_name=caller_name(row),
        bridged=bridged,
        # a member of the fallback queue may have transferred the caller on: then the mark is of the past
        served_by_fallback=phase is PbxPhase.FALLBACK and variables.get("CC_SERVED") == "1",
    )


def _phase(state: str, *, bridged: bool) -> PbxPhase:
    """``offered`` with a bridge is a conversation: the dialplan stands in Dial for both."""
    if state == PbxPhase.OFFERED and bridged:
        return PbxPhase.TALKING
    try:
        return PbxPhase(state)
    except ValueError:
        return PbxPhase.ENTRY


def _with_leg(seen: InteractionSeen, leg_id: LegId | None) -> InteractionSeen:
    if leg_id is None:
        return seen
    return replace(seen, leg_id=leg_id)


def _device(agent_id: AgentId, state: str) -> DeviceSeen:
    return DeviceSeen(agent_id=agent_id, reachable=state not in _UNREACHABLE, in_use=state in _IN_USE)
