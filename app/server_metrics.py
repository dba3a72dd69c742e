"""What the whole server adds to ``/metrics``: the PBX, the record, the witness."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Gauge

from app.live.core import LiveCore
from app.live.drainer import Drainer
from app.live.witness import Witness
from telephony.pbx import PbxState


def watch_server(registry: CollectorRegistry, core: LiveCore, drainer: Drainer, witness: Witness) -> Gauge:
    """Register the figures, read whenever they are asked for.

    Returns:
        The gauge of rows that found no partition of their day; whoever watches the database sets it.
    """

    def gauge(name: str, text: str, read: Callable[[], float]) -> None:
        Gauge(name, text, registry=registry).set_function(read)

    pbx, lag, seen = core.pbx, drainer.lag, witness.report
    gauge("holdless_pbx_live", "1 while the PBX is heard and merged", lambda: pbx.state is PbxState.LIVE)
    gauge("holdless_pbx_merges", "Snapshots merged since the start", lambda: pbx.merged_count)
    gauge("holdless_pbx_refusals", "Commands that the PBX refused", lambda: pbx.refused_count)
    gauge("holdless_epoch", "The epoch that this server leads with", lambda: core.epoch)
    gauge("holdless_record_waiting", "1 while the record is behind the journal", lambda: lag.waiting)
    gauge("holdless_record_failures", "Failed tries in a row to write the record", lambda: lag.failure_count)
    gauge("holdless_record_events", "Events written into the record", lambda: lag.event_count)
    gauge("holdless_record_unreadable", "Events kept but not understood", lambda: lag.unreadable_count)
    gauge("holdless_witness_checked", "Ended calls compared with the log", lambda: seen.checked_count)
    gauge("holdless_witness_corrected", "Calls that the log lacked", lambda: seen.corrected_count)
    gauge("holdless_witness_blind", "1 while the channel event log is not read", lambda: bool(seen.problem))
    return Gauge(
        "holdless_record_misplaced", "Rows of the log without a partition of their day", registry=registry
    )
