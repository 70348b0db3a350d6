"""What a snapshot of the queue says of those who ask."""

from __future__ import annotations

from redis.asyncio import Redis

from bot.store.keys import Keys
from bot.store.queue import Queue
from bot.store.shifts import Offer, Shift
from bot.store.snapshot import SHORTEST, Snapshots
from tests.hands import Say


async def test_rates_count_from_the_first_minute_that_anybody_asked_in(redis: Redis, keys: Keys) -> None:
    queue, worker = Queue(redis, keys), Shift(redis, keys, "worker", [Offer("parrot", ["say"])])
    await worker.renew()
    for number in range(3):
        await queue.submit(Say(), id=f"j{number}", ticket=f"t{number}", tenant="s", person="p")
    seen = await Snapshots(redis, keys).take(10)
    covered = max(seen.now % 60, SHORTEST)
    assert round(3 / seen.rates["s", "say"], 3) in (round(covered, 3), round(seen.now % 60 + 60, 3))  # a minute may have begun in between
    for number in range(3):
        await queue.drop(f"t{number}")
    await worker.sign_off()
    await queue.close()
