from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from telephony.sandbox.install import Programs
from tests.calls.centre import CallCentre
from tests.pbx.fixtures import programs
from tests.pbx.sipp import Sipp

__all__ = ["programs"]


@pytest.fixture(scope="session")
def shared_centre(programs: Programs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CallCentre]:
    opened = CallCentre.opened(tmp_path_factory.mktemp("centre"), programs)
    yield opened
    opened.close()


@pytest.fixture
def centre(shared_centre: CallCentre) -> Iterator[CallCentre]:
    """The centre with nobody signed in and nobody on the line, before and after."""
    yield shared_centre
    shared_centre.hang_up_all()
    shared_centre.sign_out_all()


@pytest.fixture
def sipp(centre: CallCentre, tmp_path: Path) -> Iterator[Sipp]:
    with Sipp(centre.sandbox, tmp_path) as players:
        yield players
