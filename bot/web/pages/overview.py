"""The operator's first look: what was done in the last hour and day, what runs, what needs attention. Counting it: `bot/store/tally.py`."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from nicegui import ui
from starlette.requests import Request

from bot.store.tally import Stretch, What
from bot.web.desk import Link, desk
from bot.web.live import QUEUED, Live
from bot.web.site import Works
from bot.web.view import View
from bot.web.visitors import OPERATOR, Visitors

EVERY = 5.0
"""Seconds between two looks, at least; routers write what they counted as often."""

MOST_SERVERS = 8

COUNTED: Sequence[What] = ("requests", "failed", "tokens", "pictures", "audio", "device", "errors")


class OverviewView(View, component="../static/overview.js"):
    """The overview in the browser."""


class OverviewPage:
    """Looks for everybody who has the page open."""

    def __init__(self, works: Works) -> None:
        self._works = works
        self.live = Live(self.look, works.changes(*QUEUED, "tally:", "applicant:", "troubles"), EVERY)

    async def look(self) -> Mapping[str, Any]:
        """What is to be seen, as plain data."""
        now = time.time()
        hour, day = await self._works.tally.hour(now), await self._works.tally.day(now)
        seen = await self._works.snapshots.take(1000)
        return {
            "hour": _figures(hour),
            "day": _figures(day),
            "servers": _servers(day),
            "waiting": sum(len(line.ids) for line in seen.lines),
            "running": sum(len(worker.running) for worker in seen.workers),
            "dead": len(await self._works.dead.all()),
            "applicants": len(await self._works.applicants.waiting()),
            "platforms": [{"name": name, "state": state, "fault": fault} for name, (state, fault) in self._works.platforms().items()],
            "troubles": sorted(await self._works.troubles.all()),
            "workers": [
                {
                    "name": worker.name,
                    "off": worker.off is not None,
                    "owns": worker.owns,
                    "room": worker.room,
                    "models": [{"name": model, "bytes": size} for model, size in sorted(worker.resident.items())],
                    "running": len(worker.running),
                }
                for worker in seen.workers
            ],
        }


def _figures(stretches: Sequence[Stretch]) -> dict[str, list[float]]:
    """By what is counted: how much in each stretch; waits as seconds per request, None where there was none."""
    made: dict[str, list[Any]] = {what: [round(one.counts.get(what, 0.0), 2) for one in stretches] for what in COUNTED}
    seconds, requests = ([one.counts.get(what, 0.0) for one in stretches] for what in ("seconds", "requests"))
    made["wait"] = [round(waited / count, 1) if count else None for waited, count in zip(seconds, requests, strict=True)]
    made["at"] = [one.at for one in stretches]
    return made


def _servers(stretches: Sequence[Stretch]) -> dict[str, Any]:
    total: Counter[str] = Counter()
    for one in stretches:
        total.update({server: int(count) for server, count in one.servers.items()})
    return {"count": len(total), "most": [{"id": server, "requests": count} for server, count in total.most_common(MOST_SERVERS)]}


def overview_page(works: Works, visitors: Visitors, links: tuple[Link, ...]) -> None:
    """Puts the page at the operator's door."""
    page = OverviewPage(works)

    @ui.page(OPERATOR)
    async def show(request: Request) -> None:
        desk(OverviewView(), visitors, request, "operator", links).shows(page.live)
