"""The operator's view of the models: the catalogue, what fits here, what is in memory. Bringing them: `errands.py`; loading: workers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Mapping
from typing import Any

import structlog
from nicegui import ui
from pydantic import BaseModel, Field
from starlette.requests import Request

from bot import catalogue
from bot.catalogue import Catalogue, Entry
from bot.config import Config
from bot.errors import BadArguments, BotError
from bot.origins import Hub
from bot.pull import status
from bot.store.pulls import READY, Pulled, Pulls
from bot.store.snapshot import Worker
from bot.translation import tr
from bot.web.desk import Desk, Link, Nothing, desk
from bot.web.errands import Errands
from bot.web.live import Live
from bot.web.site import Works
from bot.web.view import View
from bot.web.visitors import OPERATOR, Visitors

log = structlog.get_logger(__name__)


class ModelsView(View, component="../static/models.js"):
    """The models in the browser."""


class Bringing(BaseModel):
    """The operator wants a model of the catalogue here, or not any more while it comes."""

    model: str = Field(max_length=200)
    stop: bool = False
    nonce: str = ""


class Wishing(BaseModel):
    """The operator wants a model in a worker's memory, or out of it."""

    worker: str = Field(max_length=200)
    model: str = Field(max_length=200)
    loaded: bool
    nonce: str = ""


class Shelf:
    """The models of this machine, for everybody who has the page open: what is here, what comes, what fits."""

    def __init__(self, config: Config, errands: Errands, pulls: Pulls) -> None:
        self._config = config
        self._errands = errands
        self._pulls = pulls
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._wanted: set[str] = set()
        self._advice: asyncio.Task[str] | None = None

    async def rows(self) -> list[dict[str, Any]]:
        """The catalogue, as plain data; it is read anew, because the operator may have added to it."""
        return await asyncio.to_thread(_rows, self._config)

    async def advice(self) -> dict[str, Any]:
        """What fits this machine, measured once in the life of a router."""
        if self._advice is None or (self._advice.done() and self._advice.exception() is not None):
            self._advice = asyncio.create_task(self._errands.text("models", "recommend", "--json"))
        found: dict[str, Any] = json.loads(await asyncio.shield(self._advice))
        return found

    async def bring(self, model: str) -> None:
        """Begins to. Raises BadArguments for what the catalogue does not have."""
        if model not in (await asyncio.to_thread(catalogue.load, added=self._config.models_dir)).models:
            raise BadArguments(tr("The catalogue has no such model."))
        if model not in self._tasks:
            self._wanted.add(model)
            self._tasks[model] = self._begun(model, self._bring(model))
            await self._pulls.note([Pulled(model=model, doing="")])

    async def stop(self, model: str) -> None:
        """What has come is kept for another time."""
        if task := self._tasks.get(model):
            task.cancel()
            await asyncio.wait([task])
            await self._pulls.forget(model)

    async def pulls(self) -> dict[str, Any]:
        """How far models have come, by name; what is here says so only where somebody wanted it from this page."""
        found = [one for one in await self._pulls.all() if one.doing != READY or one.model in self._wanted]
        return {one.model: {**one.model_dump(exclude={"at"}), "over": one.over} for one in found}

    def _begun(self, model: str, coming: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(coming)
        task.add_done_callback(lambda _: self._tasks.pop(model, None))
        return task

    async def _bring(self, model: str) -> None:
        try:
            await self._errands.text("bring", model)
        except BotError as error:
            if not any(one.model == model and one.fault for one in await self._pulls.all()):
                await self._pulls.note([Pulled(model=model, doing="", fault=str(error))])


class ModelsPage:
    """Looks for everybody who has the page open."""

    def __init__(self, works: Works, shelf: Shelf) -> None:
        self._works = works
        self._shelf = shelf
        self.live = Live(self.look, works.changes("worker:", "pulls", "duty"))

    async def look(self) -> Mapping[str, Any]:
        """What changes: what is in which memory, and what comes."""
        seen = await self._works.snapshots.take(0)
        return {
            "workers": [_worker(one) for one in seen.workers],
            "pulls": await self._shelf.pulls(),
        }

    async def bring(self, given: Bringing) -> None:
        """From the model's source, in a process of its own."""
        await (self._shelf.stop if given.stop else self._shelf.bring)(given.model)
        self.live.hurry()

    async def wish(self, given: Wishing) -> None:
        """As soon as what runs there has ended."""
        await self._works.duty.wish(given.worker, given.model, loaded=given.loaded)
        self.live.hurry()


def _rows(config: Config) -> list[dict[str, Any]]:
    known = catalogue.load(added=config.models_dir)
    return [_row(known, entry, config) for entry in known.models.values()]


def _row(known: Catalogue, entry: Entry, config: Config) -> dict[str, Any]:
    terms = known.licence(entry)
    return {
        "name": entry.name,
        "kind": entry.kind,
        "summary": entry.summary,
        "here": status(entry, config.models_dir),
        "disk": entry.disk,
        "languages": list(entry.languages),
        "licence": terms.name,
        "uses": sorted(terms.uses),
        "duties": list(terms.duties),
        "refusal": known.refusal(entry, config.models.use),
        "gone": entry.gone,
        "gated": entry.gated,
        "base": entry.base,
        "source": f"{entry.source.repo} @ {entry.source.revision}" if isinstance(entry.source, Hub) else entry.source.type,
    }


def _worker(worker: Worker) -> dict[str, Any]:
    return {
        "name": worker.name,
        "owns": worker.owns,
        "off": worker.off is not None,
        "room": worker.room,
        "models": [{"name": model, "bytes": worker.resident.get(model, 0)} for model in worker.models],
    }


def models_page(works: Works, config: Config, visitors: Visitors, links: tuple[Link, ...]) -> None:
    """Puts the page below the operator's door."""
    shelf = Shelf(config, Errands(config.source.path), works.pulls)
    page = ModelsPage(works, shelf)

    @ui.page(f"{OPERATOR}/models")
    async def show(request: Request) -> None:
        made = desk(ModelsView(), visitors, request, "operator", links)
        made.shows(page.live)
        made.hear("bring", Bringing, page.bring)
        made.hear("wish", Wishing, page.wish)
        made.hear("shelf", Nothing, lambda _: _tell(made, shelf))


async def _tell(made: Desk, shelf: Shelf) -> None:
    """The catalogue at once, and what fits when that is known."""
    made.view.take("shelf", rows=await shelf.rows())
    try:
        made.view.take("advice", advice=await shelf.advice())
    except BotError as error:
        log.warning("nobody knows what fits this machine", fault=str(error))
        made.view.take("advice", advice=None)
