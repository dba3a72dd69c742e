"""Every route of customers, in one router: those with a word in the path before those with an id."""

from __future__ import annotations

from fastapi import APIRouter

from app.customers.endpoints import router as parties
from app.customers.export_endpoints import router as exports
from app.customers.import_endpoints import router as imports
from app.customers.merge_endpoints import router as merges

router = APIRouter()
for part in (exports, imports, merges, parties):
    router.include_router(part)
