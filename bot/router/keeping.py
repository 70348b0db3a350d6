"""The router's rounds: renew leases, take what dead routers left or what is ready, fire what is due, retry. Running it: `runner.py`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from bot.connector import Deliver
from bot.errors import StoreError
from bot.messages import Fired, Message
from bot.router.runner import Runner
from bot.store.dead import DeadList
from bot.store.queue import Queue
from bot.store.schedules import Schedules
from bot.store.tickets import Body, Tickets

WAIT = 5.0
"""Seconds of one blocking wait, short of the connection's own time limit."""

MUTE = 2.0
"""Seconds without an answer after which what others left is looked for over another connection."""

log = structlog.get_logger(__name__)


async def keep(tickets: Tickets, runner: Runner, queue: Queue, pause: float) -> None:
    """Every `pause` seconds renews the leases of running tickets, and makes lapsed tickets and jobs ready for whoever takes them first.

    No renewal waits for the other: a connection that died without a word must cost no lease.
    """

    async def renew() -> None:
        for lost in await tickets.renew(runner.held):
            runner.abandon(lost)

    async def reap() -> None:
        async with asyncio.timeout(MUTE):
            if tickets.holds(0.0):  # who was halted, or without Redis, renews what is left of its own before that
                await tickets.reap()
            await queue.reap()

    await asyncio.gather(again(renew, pause), again(reap, pause))


async def take(tickets: Tickets, runner: Runner, connectors: Sequence[str]) -> None:
    """Runs tickets as they become ready."""

    async def once() -> None:
        for name in connectors:
            while (ticket := await tickets.claim(name)) is not None:
                runner.start(ticket)
        await tickets.wait(connectors, WAIT)

    await _forever(once)


async def fire(schedules: Schedules, deliver: Deliver, pause: float) -> None:
    """Delivers what is due; a firing is forgotten once its ticket is written."""

    async def once() -> None:
        for id, firing in (await schedules.due()).items():
            message = Message("", f"fired:{id}", firing.address, firing.person, trigger=Fired(id), at=firing.at)
            if await passed(deliver(message), "a firing could not be delivered", id=id):  # else it is handed out again later
                await schedules.done(id)
        await asyncio.sleep(pause)

    await _forever(once)


async def retry(dead: DeadList, again: Callable[[Body, str], Awaitable[None]], connectors: Sequence[str], pause: float) -> None:
    """Asks anew what the operator wants retried, where one of the connectors speaks; it leaves the list once its ticket is written."""

    async def once() -> None:
        for id, body in (await dead.retried(connectors)).items():
            if body is None:
                log.warning("a job of the dead list cannot be asked anew: its question is not known any more", job=id)
            else:
                await passed(again(body, id), "a job of the dead list could not be asked anew", job=id)
            await dead.drop([id])
        await asyncio.sleep(pause)

    await _forever(once)


async def passed(act: Awaitable[None], trouble: str, **entry: str) -> bool:
    """Whether it went well; what went wrong with one entry is logged, and holds up none behind it. Raises StoreError, which all have."""
    try:
        await act
    except StoreError:
        raise
    except Exception:
        log.exception(trouble, **entry)
        return False
    return True


async def again(once: Callable[[], Awaitable[None]], pause: float) -> None:
    """A round of somebody else's, every `pause` seconds."""

    async def paused() -> None:
        await once()
        await asyncio.sleep(pause)

    await _forever(paused)


async def _forever(once: Callable[[], Awaitable[None]]) -> None:
    """Again and again; while Redis is away, once a second, with one line in the log."""
    away = False
    while True:
        try:
            await once()
            if away:
                log.info("redis is back")
            away = False
        except (StoreError, TimeoutError) as error:
            if not away:
                log.error("redis is away", fault=str(error) or "it does not answer")
            away = True
            await asyncio.sleep(1.0)
        except Exception:  # one bad entry must not end a round that all others live by
            log.exception("a round failed")
            await asyncio.sleep(1.0)
