"""The operator's view of the paths that messages took, as `/why` tells it to whom it concerns. What a path is: `bot/traces.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nicegui import ui
from pydantic import BaseModel, Field
from starlette.requests import Request

from bot.store.changes import Changes
from bot.store.traces import MOST, Passed, Traces
from bot.web.desk import Desk, Link, desk
from bot.web.live import Live
from bot.web.site import Works
from bot.web.view import View
from bot.web.visitors import OPERATOR, Visitors

SHOWN = 100
"""Paths that are looked at together: reading more would keep messages waiting."""

EVERY = 3.0
"""Seconds between two looks, at least."""


class TracesView(View, component="../static/traces.js"):
    """The paths in the browser."""


class Seeking(BaseModel):
    """The operator looks for a message, a person, a server or a reference further back."""

    words: str = Field(min_length=1, max_length=200)
    nonce: str = ""


class TracesPage:
    """Looks for everybody who has the page open."""

    def __init__(self, traces: Traces, changes: Changes, contents: bool) -> None:
        self._traces = traces
        self._contents = contents
        self.live = Live(self.look, changes, EVERY)

    async def look(self) -> Mapping[str, Any]:
        """The last messages to the bot."""
        return {"paths": [_path(one) for one in await self._traces.recent(SHOWN)], "contents": self._contents}

    async def seek(self, made: Desk, given: Seeking) -> None:
        """Those further back that have these words in them."""
        found: list[dict[str, Any]] = []
        for skipped in range(SHOWN, MOST, SHOWN):
            paths = [_path(one) for one in await self._traces.recent(SHOWN, skipped)]
            found += [one for one in paths if given.words.lower() in str(one).lower()]
            if len(paths) < SHOWN or len(found) >= SHOWN:
                break
        made.view.take("found", paths=found, words=given.words)


def _path(passed: Passed) -> dict[str, Any]:
    trace = passed.trace
    return {
        "conversation": passed.conversation,
        "said": passed.said,
        **trace.model_dump(mode="json", exclude={"steps"}),
        "at": round(trace.at),
        "steps": [step.model_dump(mode="json") for step in trace.steps],
    }


def traces_page(works: Works, contents: bool, visitors: Visitors, links: tuple[Link, ...]) -> None:
    """Puts the page below the operator's door."""
    page = TracesPage(works.traces, works.changes("path"), contents)

    @ui.page(f"{OPERATOR}/traces")
    async def show(request: Request) -> None:
        made = desk(TracesView(), visitors, request, "operator", links)
        made.shows(page.live)
        made.hear("seek", Seeking, lambda given: page.seek(made, given))
