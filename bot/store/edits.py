"""Which versions of a message the routers have heard. What becomes of them: `bot/router/dispatch.py`."""

from __future__ import annotations

from dataclasses import dataclass, replace

from redis.asyncio import Redis

from bot.messages import Address, Message

KEPT = 32
"""Newest versions of a message that are known: each was withdrawn by the one after it, so older ones were long ago."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What is known as a version is heard: the events of the `older` ones and of the `newer`, and whether its own is `decided`."""

    older: frozenset[str] = frozenset()
    newer: frozenset[str] = frozenset()
    decided: bool = False


def origin(message: Message) -> Address:
    """Where it was said, for one that is answered in the thread that it began, too: that has its id."""
    address = message.address
    return replace(address, thread="") if address.thread == message.id else address


async def note(redis: Redis, versions: str, event: str, version: float, decided: str, seconds: int) -> Heard:
    """Notes a version under the key `versions`, for so many seconds; `decided` is the key that says that the event was decided."""
    async with redis.pipeline(transaction=True) as batch:
        batch.zadd(versions, {event: version})
        batch.zrangebyscore(versions, "-inf", f"({version}")
        batch.zrangebyscore(versions, f"({version}", "+inf")
        batch.exists(decided)
        batch.zremrangebyrank(versions, 0, -KEPT - 1)
        batch.expire(versions, seconds)
        _, older, newer, known, *_ = await batch.execute()
    return Heard(frozenset(map(bytes.decode, older)), frozenset(map(bytes.decode, newer)), bool(known))
