"""Every kind of job and where its function is; read in the worker and by whoever queues one."""

from __future__ import annotations

from app.jobs.registry import register

register("party_export", "app.customers.export_job:run")
