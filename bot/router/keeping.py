"""The router's rounds: renew leases, take what dead routers left or what is ready, fire what is due, retry. Running it: `runner.py`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence

import structlog

from bot.connector import Deliver
from bot.messages import Fired, Message
from bot.router.finding import Lack
from bot.router.rounds import Beat, again, passed
from bot.router.runner import Runner
from bot.store.dead import DeadList
from bot.store.queue import Queue
from bot.store.schedules import UNREACHED, Firing, Schedules
from bot.store.tickets import Body, Tickets

WAIT = 5.0
"""Seconds of one blocking wait, short of the connection's own time limit."""

MUTE = 2.0
"""Seconds without an answer after which what others left is looked for over another connection."""

SOON = 1.0
"""Seconds between two tries of what keeps tickets here and has them run: others take them over after a lease."""

log = structlog.get_logger(__name__)


async def keep(tickets: Tickets, runner: Runner, queue: Queue, beat: Beat) -> None:
    """At every beat renews the leases of running tickets, and makes lapsed tickets and jobs ready for whoever takes them first.

    No renewal waits for the other: a connection that died without a word must cost no lease.
    """

    async def renew() -> None:
        for lost in await tickets.renew(runner.held):
            runner.abandon(lost)

    async def reap() -> None:
        async with asyncio.timeout(MUTE):
            ours = [tickets.reap()] if tickets.holds(0.0) else []  # who was halted, or without Redis, renews what is left of its own before
            await asyncio.gather(queue.reap(), *ours)

    await asyncio.gather(again("leases", renew, beat, longest=SOON), again("what others left", reap, beat, longest=SOON))


async def take(tickets: Tickets, runner: Runner, connectors: Sequence[str]) -> None:
    """Runs tickets as they become ready."""

    async def once() -> None:
        for name in connectors:
            while (ticket := await tickets.claim(name)) is not None:
                runner.start(ticket)
        await tickets.wait(connectors, WAIT)

    await again("tickets", once, longest=SOON)


async def fire(
    schedules: Schedules, lacks: Callable[[Firing], Lack | None], deliver: Deliver, connectors: Collection[str], beat: Beat
) -> None:
    """Delivers what is due; a firing is forgotten once its ticket is written. Another router may know what this one `lacks`, or reach
    chats that are behind none of these connectors.
    """

    async def once() -> None:
        for id, firing in (await schedules.due()).items():
            there = firing.address.connector
            lack = lacks(firing) if there in connectors else Lack(f"{there} is not connected here", UNREACHED)
            if lack is not None and await schedules.leave(id, firing.at, lack.kept, lack.why):
                continue
            if there not in connectors:
                log.error("a firing whose chat no router reaches is forgotten", id=id, connector=there)
                await schedules.done(id)
                continue
            message = Message("", f"fired:{id}", firing.address, firing.person, trigger=Fired(id), at=firing.at)
            if await passed(deliver(message), "a firing could not be delivered", id=id):  # else it is handed out again later
                await schedules.done(id)

    await again("schedules", once, beat)


async def retry(dead: DeadList, ask: Callable[[Body, str], Awaitable[None]], connectors: Sequence[str], beat: Beat) -> None:
    """Asks anew what the operator wants retried, where one of the connectors speaks; it leaves the list once its ticket is written."""

    async def once() -> None:
        for id, body in (await dead.retried(connectors)).items():
            if body is None:
                log.warning("a job of the dead list cannot be asked anew: its question is not known any more", job=id)
            elif not await passed(ask(body, id), "a job of the dead list could not be asked anew, and stays there", job=id):
                await dead.give_up(id)
                continue
            await dead.drop([id])

    await again("the dead list", once, beat)
