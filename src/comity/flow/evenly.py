"""Answers whose time tells nothing: each comes a whole number of steps after it was asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

_STEP: Final = 0.1
"""Seconds: longer than it takes to find out, or to keep, what is asked."""


@asynccontextmanager
async def evenly() -> AsyncIterator[None]:
    """What is done within ends with the step in which it is done, also where it fails."""
    asked = asyncio.get_running_loop().time()
    try:
        yield
    finally:
        await end_of_step(asked)


async def end_of_step(asked: float) -> None:
    """`asked`: when, by the loop's clock."""
    await asyncio.sleep(_STEP - (asyncio.get_running_loop().time() - asked) % _STEP)
