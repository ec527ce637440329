"""Work ends with its client."""

import asyncio
from typing import Any

import pytest
from fastapi import Request

from riskmodel.service.disconnect import unless_gone
from riskmodel.service.errors import ClientGoneError


def request(gone: asyncio.Event) -> Request:
    async def receive() -> dict[str, Any]:
        await gone.wait()
        return {"type": "http.disconnect"}

    return Request({"type": "http"}, receive)


def test_the_result_of_the_work_is_returned() -> None:
    async def act() -> int:
        return await unless_gone(request(asyncio.Event()), asyncio.sleep(0, 7))

    assert asyncio.run(act()) == 7


def test_an_error_of_the_work_is_raised() -> None:
    async def work() -> None:
        raise KeyError

    async def act() -> None:
        await unless_gone(request(asyncio.Event()), work())

    with pytest.raises(KeyError):
        asyncio.run(act())


def test_work_is_cancelled_when_the_client_goes_away() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("cancelled")

    async def act() -> None:
        gone = asyncio.Event()
        asyncio.get_running_loop().call_later(0.01, gone.set)
        with pytest.raises(ClientGoneError):
            await unless_gone(request(gone), work())
        await asyncio.sleep(0)

    asyncio.run(act())
    assert ended == ["cancelled"]
