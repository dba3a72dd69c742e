"""The live core's figures for ``/metrics`` (Prometheus)."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from app.live.bus import Bus
from app.live.clock import Clock
from app.live.inbox import Inbox
from app.live.journal import Journal

_LATENCY_BUCKETS_S = tuple(
    ms / 1_000 for ms in (0.5, 1, 2, 3, 5, 7.5, 10, 20, 35, 50, 100, 250, 500, 1_000, 5_000)
)


class LiveMetrics:
    """Counters and histograms of one live core; every core has a registry of its own."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self.steps = self._counter("holdless_steps", "Signals stepped")
        self.commands = self._counter("holdless_commands", "Commands sent")
        self.events = self._counter("holdless_events", "Events published")
        self.step_failures = self._counter("holdless_step_failures", "Signals skipped")
        self.send_failures = self._counter("holdless_send_failures", "Commands not taken")
        self.undurable = self._counter("holdless_undurable_steps", "Acted before written")
        self.decision = self._histogram("holdless_decision_seconds", "Signal put to commands sent")
        self.append = self._histogram("holdless_journal_append_seconds", "One batch into the journal")
        self.snapshot = self._histogram("holdless_snapshot_seconds", "Engine snapshot; signals wait for it")
        self.loop_lag = self._histogram("holdless_loop_lag_seconds", "How late the loop runs what is due")
        text = "1 after a step failed, until a snapshot is kept"
        self.engine_degraded = Gauge("holdless_engine_degraded", text, registry=self.registry)

    def watch(self, *, inbox: Inbox, journal: Journal, bus: Bus, clock: Clock) -> None:
        """Read the state of these parts whenever the figures are asked for."""
        self._gauge("holdless_inbox_waiting", "Signals waiting", lambda: inbox.waiting_count)
        self._gauge("holdless_inbox_refused", "Requests refused", lambda: inbox.refused_count)
        self._gauge("holdless_inbox_lost", "Facts lost", lambda: inbox.lost_count)
        self._gauge("holdless_journal_degraded", "1 while acting precedes writing", lambda: journal.degraded)
        self._gauge("holdless_journal_waiting", "Rows not committed", lambda: journal.waiting_count)
        self._gauge("holdless_journal_lost", "Rows lost", lambda: journal.lost_count)
        self._gauge("holdless_bus_subscribers", "Readers", lambda: bus.subscriber_count)
        self._gauge("holdless_bus_cut", "Readers cut for slowness", lambda: bus.cut_count)
        self._gauge("holdless_clock_error_ms", "Wall clock minus ours", lambda: clock.error_ms)

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(name, text, registry=self.registry)

    def _gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        Gauge(name, text, registry=self.registry).set_function(read)

    def _histogram(self, name: str, text: str) -> Histogram:
        return Histogram(name, text, buckets=_LATENCY_BUCKETS_S, registry=self.registry)
