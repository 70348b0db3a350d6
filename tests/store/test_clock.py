"""The server's clock is set back by an hour: what a dead process held is not held for so long. Set forward, leases lapse as ever."""

from __future__ import annotations

import time

from redis.asyncio import Redis

from bot.messages import Address, Message, Person
from bot.store.keys import Keys
from bot.store.leads import Leads
from bot.store.queue import Queue
from bot.store.shifts import Offer, Shift
from bot.store.tickets import Body, Tickets
from bot.testing import wait_until
from tests.hands import Say

LEASE = 0.2
OFFER = Offer("model", ["say"], most=1)


def hours() -> float:
    """When a lease ends that was given before."""
    return (time.time() + 3600) * 1000


async def test_tickets_of_a_dead_router_are_taken_over(redis: Redis, keys: Keys) -> None:
    dead, living = (Tickets(redis, keys, name, lease=LEASE) for name in ("dead", "living"))
    body = Body(plugin="p", route="r", version="1", message=Message("1", "1", Address("room", "a", "b"), Person("ada", "Ada")))
    [ticket] = await dead.accept([body], 0, 1.0)
    await redis.zadd(keys.ticket_leases(), {ticket.id: hours()})
    await wait_until(living.reap)
    taken = await living.claim("room")
    assert taken is not None and await living.finish(taken)


async def test_jobs_of_a_dead_worker_run_again(redis: Redis, keys: Keys) -> None:
    queue, dead, living = Queue(redis, keys, lease=LEASE), *(Shift(redis, keys, name, [OFFER], lease=LEASE) for name in ("dead", "living"))
    await queue.submit(Say(words=""), id="1", ticket="t", tenant="s", person="p")
    await dead.renew()
    assert (await dead.claim([OFFER])).claims
    await redis.zadd(f"{keys.prefix}:leases:jobs", {"1": hours()})
    await wait_until(queue.reap)
    [claim] = (await living.claim([OFFER])).claims
    assert await living.finish(claim, "{}", 1.0)
    await queue.drop("t")
    await queue.close()


async def test_where_the_leader_died_another_leads(redis: Redis, keys: Keys) -> None:
    dead, living = (Leads(redis, keys, name, lease=LEASE) for name in ("dead", "living"))
    assert await dead.take("telegram")
    await redis.pexpire(keys.lead("telegram"), 3_600_000)
    assert not await living.take("telegram")
    await wait_until(lambda: living.take("telegram"))
    await living.give_up("telegram")
