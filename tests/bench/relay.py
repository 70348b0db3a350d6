"""How long a token takes from a worker's process to a router's: 40 answers at once, each shown 25 times a second."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time

from bot.jobs import TextSoFar
from bot.store.connection import connect
from bot.store.keys import Keys
from bot.store.queue import Depth, Queue, Shown
from bot.store.shifts import Claim, Offer, Shift
from tests.bench.figures import Figure
from tests.bench.rivals import server
from tests.hands import Say

RUNS = 5
ANSWERS = 40
PACE = 0.04
SECONDS = 3.0

KEYS = Keys("relay")
CLOCK = time.monotonic
"""The same for all processes of a machine."""


async def emit(url: str) -> None:
    """The worker: claims all jobs; a partial is the moment at which it left."""
    redis = connect(url)
    offer = Offer("model", ["say"], ANSWERS)
    shift = Shift(redis, KEYS, "worker", [offer])
    await shift.renew()
    claims = (await shift.claim([offer])).claims

    async def answer(claim: Claim, begin: float) -> None:
        for step in range(round(SECONDS / PACE)):
            await asyncio.sleep(begin + step * PACE - CLOCK())
            await shift.emit_all([(claim, TextSoFar(text=str(CLOCK())).model_dump_json())])
        await shift.finish(claim, "{}", 1.0)

    began = CLOCK() + 0.1
    await asyncio.gather(*(answer(claim, began + PACE * at / ANSWERS) for at, claim in enumerate(claims)))
    await redis.aclose()


async def follow(url: str) -> list[float]:
    """The router: the milliseconds that each partial was under way."""
    redis = connect(url)
    queue = Queue(redis, KEYS, depth=Depth(ANSWERS, ANSWERS))

    async def answer(id: str) -> list[float]:
        return [
            1000 * (CLOCK() - float(update.partial.text))
            async for update in queue.follow(id)
            if isinstance(update, Shown) and isinstance(update.partial, TextSoFar)
        ]

    for number in range(ANSWERS):
        await queue.submit(Say(), id=str(number), ticket=str(number), tenant=f"server{number}", person=f"person{number}")
    following = [asyncio.create_task(answer(str(number))) for number in range(ANSWERS)]
    worker = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.bench.relay", url, stderr=subprocess.PIPE)
    _, faults = await worker.communicate()
    assert worker.returncode == 0, faults.decode()
    took = await asyncio.wait_for(asyncio.gather(*following), 10 * SECONDS)
    await queue.close()
    await redis.aclose()
    return [one for answer in took for one in answer]


def measure(runs: int = RUNS) -> dict[str, Figure]:
    medians, tails = [], []
    with server() as (redis, url):
        for _ in range(runs):
            redis.flushall()
            cuts = statistics.quantiles(asyncio.run(follow(url)), n=100)
            medians.append(cuts[49])
            tails.append(cuts[98])
    return {
        "token relay at 1,000/s p50": Figure.of(medians, "ms", 1.0, "lower"),
        "token relay at 1,000/s p99": Figure.of(tails, "ms", 2.0, "lower"),
    }


if __name__ == "__main__":
    asyncio.run(emit(sys.argv[1]))
