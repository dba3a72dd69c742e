"""Plans: forecasts with what they were made from, so that each can be shown, questioned and made again."""

from __future__ import annotations

from sqlalchemy import Column, Double
from sqlalchemy.dialects.postgresql import UUID

from app.db.tables.metadata import document, instant, tenant_table, within, words

forecast_run = tenant_table(
    "forecast_run",
    ("run_id",),
    Column("run_id", UUID(as_uuid=True), nullable=False),
    words("display_name"),
    words("made_by"),
    instant("made_at", default_now=True),
    Column("job_id", UUID(as_uuid=True)),  # the work; its state is the run's
    Column("again_of", UUID(as_uuid=True)),  # the run that this one repeats
    document("source"),  # a queue or reason of the call log, or a file
    document("parameters"),  # interval, horizon, country, zone, events
    document("series", default=None),  # the calls it was made from, as they were then
    document("overlays", default="[]"),  # changes by hand: range, factor or calls, who, why
    document("outcome"),  # method and its shares, accuracy beside the peers, marks, notes
)

forecast_interval = tenant_table(
    "forecast_interval",
    ("run_id", "start_at"),
    Column("run_id", UUID(as_uuid=True), nullable=False),
    instant("start_at"),
    Column("mean", Double, nullable=False),  # calls, before any overlay
    Column("p10", Double, nullable=False),
    Column("p50", Double, nullable=False),
    Column("p90", Double, nullable=False),
    Column("aht_s", Double),
    within(("run_id",), "forecast_run", ("run_id",)),
)
