"""Every kind of job and where its function is; read in the worker and by whoever queues one."""

from __future__ import annotations

from app.jobs.registry import register

register("party_export", "app.customers.export_job:run")
register("party_import", "app.customers.import_job:run")
register("party_import_preview", "app.customers.import_preview:run")
register("party_import_undo", "app.customers.import_undo:run")
register("plan_forecast", "app.planner.forecast_job:run")
