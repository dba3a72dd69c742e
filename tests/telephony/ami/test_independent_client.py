"""What we write and read over AMI, beside a client that we did not write (pyst2), on the same real Asterisk.

It acts and gets answers; it hears no events, because it dies on the first that carries ``ChanVariable``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from asterisk.manager import Manager

from telephony.ami.link import AmiLink
from telephony.sandbox.instance import Sandbox
from tests.telephony.ami.link_harness import until

pytestmark = pytest.mark.pbx

_BOUND_S = 10.0
_VALUES = ("plain", "two words", "a:b=c,d|e", "王小明", 'quoted "so"', "back\\slash", "x" * 200)


@pytest.fixture
def theirs(sandbox: Sandbox) -> Iterator[Manager]:
    manager = Manager()
    manager.connect(sandbox.host, sandbox.ami_port)
    answer = manager.login(sandbox.control_user.name, sandbox.control_user.secret)
    assert answer.get_header("Response") == "Success"
    yield manager
    manager._running.clear()  # its logoff() and close() race with its own threads; these are daemons


@pytest.fixture
async def ours(sandbox: Sandbox) -> AsyncIterator[AmiLink]:
    user = sandbox.control_user
    link = AmiLink(sandbox.host, sandbox.ami_port, user.name, user.secret, events=False)
    running = asyncio.create_task(link.run())
    await until(lambda: link.connected, _BOUND_S)
    yield link
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.mark.parametrize("value", _VALUES)
async def test_what_one_client_sets_the_other_reads(ours: AmiLink, theirs: Manager, value: str) -> None:
    set_by_us = await ours.send([("Action", "Setvar"), ("Variable", "CC_TEST_OURS"), ("Value", value)])
    assert set_by_us.succeeded
    read = theirs.send_action({"Action": "Getvar", "Variable": "CC_TEST_OURS"})
    assert read.get_header("Value") == value

    theirs.send_action({"Action": "Setvar", "Variable": "CC_TEST_THEIRS", "Value": value})
    answer = await ours.send([("Action", "Getvar"), ("Variable", "CC_TEST_THEIRS")])
    assert answer.get("Value") == value


async def test_both_clients_read_the_same_answer(ours: AmiLink, theirs: Manager) -> None:
    settings = theirs.send_action({"Action": "CoreSettings"})
    answer = await ours.send([("Action", "CoreSettings")])
    names = ("Response", "AMIversion", "AsteriskVersion", "SystemName", "CoreMaxCalls")
    assert [answer.get(name) for name in names] == [settings.get_header(name) for name in names]
