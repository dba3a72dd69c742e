"""Record anew what a real Asterisk says, for the tests of the translation: ``python -m tests.pbx.record``."""

from __future__ import annotations

import tempfile
from pathlib import Path

from telephony.sandbox.config import SandboxAgent, SandboxSettings
from telephony.sandbox.instance import Sandbox, start
from tests.pbx.ami import RawAmi
from tests.pbx.fixtures import AGENTS, SALES, SUPPORT
from tests.pbx.offers import hear, offer, waiting
from tests.pbx.sipp import Caller, Phone, Sipp

FIXTURES = Path(__file__).resolve().parents[1] / "telephony/fixtures"
VARIABLES = (
    "CC_CALLID,CC_STATE,CC_QUEUE,CC_QUEUED_AT,CC_ARRIVED,CC_ENTRY,CC_AGENT,CC_ATTEMPT,CC_PRIORITY,CC_SERVED"
)


def record_first_call(sandbox: Sandbox, control: RawAmi, sipp: Sipp) -> None:
    """One call: waits, is offered, rings, talks, is held, talks, ends by the agent."""
    with RawAmi(sandbox.ami_port, sandbox.events_user) as events:
        sipp.phone("a1001", Phone(ring_ms=400, talk_ms=1500, hold=(700, 600)))
        call = sipp.call(Caller(name="王小明"))
        call_id = waiting(events)
        hear(control, call_id)
        offer(control, call_id, "a1001", epoch=5)
        assert call.wait(20) == 0
        events.event("Hangup", Uniqueid=call_id)
        events.event("DeviceStateChange", Device="PJSIP/a1001", State="NOT_INUSE", since=20)
        (FIXTURES / "first_call.ami").write_bytes(events.raw)


def record_failures(sandbox: Sandbox, control: RawAmi, sipp: Sipp) -> None:
    """One caller: refused by the fence, not answered, declined, transferred, gives up while it rings."""
    with RawAmi(sandbox.ami_port, sandbox.events_user) as events:
        call = sipp.call(Caller(number="anonymous", name="Anonymous"))
        call_id = waiting(events)
        hear(control, call_id)
        control.act(Action="Setvar", Channel=call_id, Variable="CC_RING_S", Value="1")
        control.act(Action="Setvar", Variable="CC_FENCE", Value="5")
        offer(control, call_id, "a1001", epoch=4)
        events.event("CCRefused", Reason="fence")
        offer(control, call_id, "a1008", epoch=5, attempt=1)
        events.event("CCRefused", Reason="device")
        sipp.phone("a1001", Phone(answer=None))
        offer(control, call_id, "a1001", epoch=5, attempt=2)
        events.event("CCDialEnd", Attempt="2")
        sipp.phone("a1001", Phone(answer=603))
        offer(control, call_id, "a1001", epoch=5, attempt=3)
        events.event("CCDialEnd", Attempt="3")
        sipp.phone("a1001", Phone(ring_ms=100, refer=(300, "q-support")))
        offer(control, call_id, "a1001", epoch=5, attempt=4)
        events.event("CCTransfer")
        waiting(events, queue="support")
        sipp.phone("a1002", Phone(answer=None))
        offer(control, call_id, "a1002", epoch=5, attempt=5)
        events.event("DialState", DialStatus="RINGING", Exten="e5-t5-aa1002")
        control.act(Action="Hangup", Channel=call_id, Cause="16")
        call.wait(10)
        events.event("Hangup", Uniqueid=call_id)
        (FIXTURES / "offers_that_failed.ami").write_bytes(events.raw)


def record_snapshot(sandbox: Sandbox, control: RawAmi, sipp: Sipp) -> None:
    """What a server reads after it connected: one caller waits, one talks."""
    with RawAmi(sandbox.ami_port, sandbox.events_user) as events:
        sipp.phone("a1001", Phone(ring_ms=100))
        sipp.phone("a1002", Phone())
        talks = sipp.call(Caller(name="王小明", hangs_up_after_ms=2500))
        offer(control, waiting(events), "a1001", epoch=5)
        events.event("DialEnd", DialStatus="ANSWER")
        waits = sipp.call(Caller(entry="8002", number="+886222771234", hangs_up_after_ms=2000))
        waiting(events, queue="support")
    with RawAmi(sandbox.ami_port, sandbox.events_user) as events:
        events.event("FullyBooted")
        begin = len(events.raw)
        events.act(Action="CoreStatus")
        events.list("StatusComplete", Action="Status", Variables=VARIABLES)
        events.list("DeviceStateListComplete", Action="DeviceStateList")
        (FIXTURES / "status_snapshot.ami").write_bytes(events.raw[begin:])
    assert (talks.wait(10), waits.wait(10)) == (0, 0)


def main() -> None:
    settings = SandboxSettings(
        agents=[SandboxAgent(agent_id=agent_id) for agent_id in AGENTS[:3]],
        queues=(SALES, SUPPORT),
        entry_points={"8001": SALES, "8002": SUPPORT},
    )
    with (
        start(settings) as sandbox,
        tempfile.TemporaryDirectory() as folder,
        RawAmi(sandbox.ami_port, sandbox.control_user) as control,
    ):
        for record in (record_first_call, record_snapshot, record_failures):
            with Sipp(sandbox, Path(folder)) as sipp:
                record(sandbox, control, sipp)


if __name__ == "__main__":
    main()
