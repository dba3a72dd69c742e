"""Ask a PBX once, before leading it: which epoch led it last."""

from __future__ import annotations

import asyncio
from typing import Final

from telephony.ami.errors import AmiError, AmiLinkLost
from telephony.ami.link import AmiLink

FENCE_TIMEOUT_S: Final = 4.0


async def read_fence(link: AmiLink, timeout_s: float = FENCE_TIMEOUT_S) -> int:
    """Return ``GLOBAL(CC_FENCE)``, 0 when the PBX has none yet.

    Args:
        link: A control connection that nobody else uses; it is run and ended here.

    Raises:
        AmiError: the PBX could not be asked in time.
    """
    up: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connected() -> None:
        if not up.done():
            up.set_result(None)

    def failed(error: AmiError) -> None:
        if not up.done():
            up.set_exception(error)

    link.on_connected, link.on_failed = connected, failed
    running = asyncio.create_task(link.run(), name="ami fence")
    try:
        async with asyncio.timeout(timeout_s):
            await up
            answer = await link.send([("Action", "Getvar"), ("Variable", "CC_FENCE")])
    except TimeoutError:
        raise AmiLinkLost(f"the PBX did not tell its fence within {timeout_s} s") from None
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    value = answer.get("Value", "")
    return int(value) if value.isdigit() else 0
