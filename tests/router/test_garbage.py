"""A message is made of what goes away by itself: a router looks for garbage so seldom because there is none."""

from __future__ import annotations

import asyncio
import gc

from tests.bench.core import Counting, message
from tests.bench.forgetful import forgetful, plugins

MESSAGES = 100


async def test_what_a_message_is_made_of_is_in_no_cycle() -> None:
    connector = Counting()
    dispatch = forgetful(connector, plugins(3))

    async def answered(first: int) -> None:
        connector.enough.clear()
        connector.wanted = first + MESSAGES
        for number in range(first, first + MESSAGES):
            await dispatch.deliver(message(number))
        await connector.enough.wait()
        await asyncio.sleep(0)  # the last one's task ends, too

    await answered(0)  # what is remembered of the first stays
    gc.collect()
    gc.disable()
    try:
        await answered(MESSAGES)
        assert gc.collect() < MESSAGES, "objects, of the hundreds that each message takes"
    finally:
        gc.enable()
