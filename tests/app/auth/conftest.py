"""The house with its accounts, and a page in it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import FastAPI

from app.db.session import Database
from tests.app.auth.people import SmallFaces, browser, people


@pytest.fixture
async def house(database: Database) -> tuple[FastAPI, SmallFaces]:
    """The application on a database of its own, with the parts behind sign-in."""
    return people(database)


@pytest.fixture
async def page(house: tuple[FastAPI, SmallFaces]) -> AsyncIterator[httpx2.AsyncClient]:
    """A page of our own in which nobody is signed in; its cookies are sent by hand."""
    async with browser(house[0]) as client:
        yield client
