"""The operator's view of the queue: who works, who waits, what was given up; and pause, cancel, retry. What there is: `bot/store/`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Literal

from nicegui import ui
from pydantic import BaseModel, Field
from starlette.requests import Request

from bot.store.duty import Leave
from bot.store.snapshot import Snapshot, Worker
from bot.web.desk import Link, desk
from bot.web.live import QUEUED, Live
from bot.web.site import Works
from bot.web.view import View
from bot.web.visitors import OPERATOR, Visitors

MOST_REQUESTS = 200
MOST_JOBS = 5_000


class QueueView(View, component="../static/queue.js"):
    """The queue in the browser."""


class Cancelling(BaseModel):
    """The operator ends a request."""

    ticket: str = Field(max_length=64)
    nonce: str = ""


class Burying(BaseModel):
    """The operator decides about what was given up."""

    ids: list[str] = Field(max_length=1000)
    act: Literal["retry", "drop"]
    nonce: str = ""


class Ordering(BaseModel):
    """The operator sends a worker off duty or back, `*` for all that have a device; for so many seconds, 0 until told otherwise."""

    name: str = Field(max_length=200)
    act: Literal["pause", "drain", "resume"]
    seconds: float = Field(default=0.0, ge=0.0, le=604_800.0)
    nonce: str = ""


class QueuePage:
    """Looks for everybody who has the page open."""

    def __init__(self, works: Works) -> None:
        self._works = works
        self.live = Live(self.look, works.changes(*QUEUED, "weights"))

    async def look(self) -> Mapping[str, Any]:
        """What is to be seen, as plain data; moments in whole seconds, so that what only grows older is nothing new."""
        seen = await self._works.snapshots.take(MOST_JOBS)
        requests = await self._works.requests.all(MOST_REQUESTS)
        return {
            "waiting": sum(len(line.ids) for line in seen.lines),
            "workers": [_worker(worker, seen.now) for worker in seen.workers],
            "servers": _servers(seen),
            "requests": [asdict(one) | {"since": round(one.since)} for one in requests],
            "dead": [asdict(one) for one in await self._works.dead.all()],
        }

    async def cancel(self, given: Cancelling) -> None:
        """Its asker is told that it was cancelled."""
        await self._works.cancel(given.ticket)
        self.live.hurry()

    async def bury(self, given: Burying) -> None:
        """Has them asked again, or forgets them."""
        await (self._works.dead.retry(given.ids) if given.act == "retry" else self._works.dead.drop(given.ids))
        self.live.hurry()

    async def order(self, given: Ordering) -> None:
        """On or off duty."""
        if given.act == "resume":
            await self._works.duty.resume([given.name])
        else:
            seen = await self._works.snapshots.take(0)
            until = seen.now + given.seconds if given.seconds else math.inf
            await self._works.duty.order([given.name], Leave(given.act, until))
        self.live.hurry()


def _worker(worker: Worker, now: float) -> dict[str, Any]:
    off = worker.off
    return {
        "name": worker.name,
        "owns": worker.owns,
        "off": None if off is None else {"act": off.off, "until": None if math.isinf(off.until) else round(off.until)},
        "models": [{"name": model, "bytes": worker.resident.get(model, 0), "most": most} for model, most in worker.models.items()],
        "runs": [
            {"model": run.model, "server": run.server, "since": round(now - run.seconds), "parked": run.parked} for run in worker.running
        ],
    }


def _servers(seen: Snapshot) -> list[dict[str, Any]]:
    """Who waits for what, the longest first; what is left to them of the round is that of the pool where they were served last."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for line in sorted(seen.lines, key=lambda line: line.since):
        one = found.setdefault(
            (line.server, line.wanted),
            {"server": line.server, "wants": line.wanted, "people": 0, "jobs": 0, "since": round(line.since)},
        )
        one["people"] += 1
        one["jobs"] += len(line.ids)
    for (server, _), one in found.items():
        left = [accounts.servers[server] for accounts in seen.accounts.values() if server in accounts.servers]
        one["left"] = round(left[0], 1) if left else None
        one["share"] = seen.weights.get(server, 1.0)
    return list(found.values())


def queue_page(works: Works, visitors: Visitors, links: tuple[Link, ...]) -> None:
    """Puts the page below the operator's door."""
    page = QueuePage(works)

    @ui.page(f"{OPERATOR}/queue")
    async def show(request: Request) -> None:
        made = desk(QueueView(), visitors, request, "operator", links)
        made.shows(page.live)
        made.hear("cancel", Cancelling, page.cancel)
        made.hear("bury", Burying, page.bury)
        made.hear("order", Ordering, page.order)
