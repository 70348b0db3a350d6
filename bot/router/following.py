"""One job that a ticket waits for: submitted, followed to its end, told on the status line. The words are in `status.py`."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Sequence
from typing import Generic, TypeVar

import structlog
from pydantic import ValidationError

from bot import tracing
from bot.acts import Show
from bot.errors import JobExpired, Unavailable
from bot.jobs import Job, Result, wanted
from bot.router.clicking import Instead
from bot.router.delivery import Line
from bot.router.journal import Journal
from bot.router.status import Meanwhile, expired, paused
from bot.store.digests import digest
from bot.store.queue import Broken, Exchanged, Finished, Queue, Running, Shown, Waiting
from bot.store.quotas import Charge
from bot.translation import tr

R = TypeVar("R", bound=Result)

GRACE = 1.0
"""Seconds before a wait is worth a status line."""

ABSENT = 30.0
"""Seconds without any worker for a job after which waiting is hopeless; a worker that starts anew is back sooner."""


log = structlog.get_logger(__name__)


class Following(Generic[R]):
    """Its id follows from the ticket and the job, so a run that comes again submits nothing new."""

    def __init__(
        self,
        job: Job[R],
        journal: Journal,
        line: Line,
        queue: Queue,
        instead: Instead,
        show: Show | None,
        quiet: bool = False,
        charges: Sequence[Charge] = (),
    ) -> None:
        """`show` turns partials into what the chat sees; without it the status line tells how far the job is, unless it is `quiet`.

        `charges` are what the job uses of what its asker may.
        """
        self._charges = charges
        self._job = job
        self._journal = journal
        self._line = line
        self._queue = queue
        self._instead = instead
        self._show = show
        self._quiet = quiet
        self._meanwhile = Meanwhile()
        self._heard = time.monotonic()
        """When a worker was heard of last that has the job."""

    async def result(self) -> R:
        """What the job gave. Raises JobError, and UserError where nobody can run it."""
        begun, self._journal.busy = self._journal.busy, True  # who was let in is not turned away in the middle
        name, admitted = self._journal.name(self._job.kind, self._job.model_dump_json()), begun
        while True:
            try:
                with tracing.span("job", kind=self._job.kind):
                    return await self._once(digest(self._journal.ticket.id, name), admitted)
            except Exchanged as chosen:  # its output keeps the choice, as long as the ticket lives
                self._job = self._job.model_copy(update={"model": str(chosen)})
                name, admitted = f"{name}>{chosen}", True
                self._charges = [charge for charge in self._charges if not charge.amount]  # the rest is charged already

    async def _once(self, id: str, admitted: bool) -> R:
        message, ticket = self._journal.message, self._journal.ticket.id
        person = f"{message.address.connector}/{message.sender.id}"
        whose = {"ticket": ticket, "tenant": message.address.tenant, "person": person}
        facts = {"trace": tracing.carried(), **whose}
        await self._queue.submit(self._job, id=id, **facts, admitted=admitted, charges=self._charges, pace=self._line.pace)
        following = asyncio.ensure_future(self._follow(id))
        missing = asyncio.ensure_future(self._missing(id))
        try:
            await asyncio.wait((following, missing), return_when=asyncio.FIRST_COMPLETED)
            if following.done():
                return following.result()
            missing.result()
            await self._queue.cancel(ticket)
            raise Unavailable(await self._why())
        finally:
            following.cancel()
            missing.cancel()
            await asyncio.gather(following, missing, return_exceptions=True)

    async def _follow(self, id: str) -> R:
        async for update in self._queue.follow(id):
            match update:
                case Finished(result=result):
                    return read(type(self._job).result_type(), result)
                case Broken(error=JobExpired()):
                    raise JobExpired(expired(self._queue.deadline(self._job)))
                case Broken(error=error):
                    raise error
                case Waiting():
                    await self._wait(update)
                case _:
                    self._tell(update)
        raise Unavailable(tr("The answer got lost on its way. Please ask again."))

    async def _wait(self, update: Waiting) -> None:
        """Tells the place in line, with what may be had instead where that is long; a wait that outlasts an answer's worth ends here."""
        long = (update.seconds or 0.0) + update.away >= self._instead.after or update.away > 0.0
        ready = await self._queue.ready() if long and self._job.kind in self._instead.models else frozenset()
        offers = self._instead.keys(self._journal.ticket.id, self._job.kind, self._job.model, ready)
        if self._queue.deadline(self._job) < update.away < math.inf and not offers:
            await self._queue.cancel(self._journal.ticket.id)
            raise Unavailable(f"{paused(update.ahead, update.away)} {tr('Please ask again then.')}")
        if offers or not self._quiet:
            self._line.show(self._meanwhile.of(update), after=GRACE, offers=offers)

    @property
    def _want(self) -> str:
        return wanted(self._job.kind, self._job.model)

    async def _missing(self, id: str) -> None:
        """Returns when for a while no worker has served this kind of job, or none that understands it; who hears of one need not ask."""
        since = time.monotonic()
        while time.monotonic() - since < ABSENT:
            await asyncio.sleep(GRACE)
            if time.monotonic() - self._heard < GRACE or await self._queue.understood(id, self._want):
                since = time.monotonic()

    async def _why(self) -> str:
        if self._want in await self._queue.served():
            return tr("I am being updated and cannot do this right now. Please ask again in a few minutes.")
        return tr(
            "Nothing here can {kind} now. After a start its model may still be on its way: please ask again in a minute. The operator can "
            "see why with `hobnob doctor`.",
            kind=self._job.kind,
        )

    def _tell(self, update: Running | Shown) -> None:
        self._heard = time.monotonic()
        if update == Running() and self._line.speaking:  # the answer so far says more
            return
        if not isinstance(update, Shown) or self._show is None:
            if self._quiet:
                return
            self._line.show(self._meanwhile.of(update), after=GRACE)
        elif (reply := self._show(update.partial)) is not None:
            self._line.show(reply, partial=True)


def read(kind: type[R], result: bytes) -> R:
    """A result, maybe of a worker of another release: what that says besides is left out. Raises UserError where something is missing."""
    said = json.loads(result)
    try:
        return kind.model_validate({name: value for name, value in said.items() if name in kind.model_fields})
    except ValidationError as error:
        log.error(
            "a result of another release is not understood", kind=kind.__name__, fields=[str(fault["loc"]) for fault in error.errors()]
        )
        raise Unavailable(tr("I was updated while I worked on this. Please ask again.")) from error
