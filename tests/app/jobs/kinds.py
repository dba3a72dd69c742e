"""Jobs of the tests."""

from __future__ import annotations

import asyncio
from typing import Any

from app.jobs.rules import JobCancelled, JobFailed
from app.jobs.work import Work


async def count(work: Work) -> dict[str, Any]:
    """Count to ``to``, by reports."""
    to = int(work.input["to"])
    for number in range(to):
        try:
            await work.report(number, to, at_once=True)
        except JobCancelled:
            raise JobCancelled({"counted": number}) from None
        await asyncio.sleep(0)
    return {"counted": to}


async def refuse(work: Work) -> dict[str, Any]:
    """Fail for a reason."""
    raise JobFailed("no_good", why=work.input["why"])


async def break_down(_work: Work) -> dict[str, Any]:
    """Fail for none."""
    raise ZeroDivisionError("secret 0912345678")
