"""A job for tests, and a worker in the test's own process, whose model is a function."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, ClassVar

from redis.asyncio import Redis

from bot.jobs import Job, Result, TextSoFar
from bot.store.keys import Keys
from bot.store.shifts import Offer, Shift


class Said(Result):
    """An echo."""

    words: str = ""


class Say(Job[Said]):
    """Asks for an echo; those of one voice may run together."""

    kind: ClassVar[str] = "say"
    timeout: ClassVar[float] = 60.0
    deadline: ClassVar[float] = 60.0

    words: str = ""
    voice: str = ""

    def batch_key(self) -> str:
        return self.voice


@asynccontextmanager
async def worker(
    redis: Redis, keys: Keys, wants: Sequence[str], answer: Callable[[dict[str, Any]], tuple[str, Result]], most: int = 4
) -> AsyncIterator[Shift]:
    """Answers every job with the result that `answer` gives for its kind and JSON, and shows the text that comes with it before."""
    offer = Offer("model", wants, most)
    shift = Shift(redis, keys, "worker", [offer])
    await shift.renew()

    async def work() -> None:
        while True:
            for claim in (await shift.claim([offer])).claims:
                text, result = answer(claim.body)
                if text:
                    await shift.emit_all([(claim, TextSoFar(text=text).model_dump_json())])
                await shift.finish(claim, result.model_dump_json(), 0.1)
            await shift.wait(wants, 1.0)

    task = asyncio.create_task(work())
    yield shift
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await shift.sign_off()
