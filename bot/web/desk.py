"""An open page of the dashboard: who opened it is looked up anew before everything that it does. What it shows: `pages/`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass
from typing import TypeVar

from nicegui import ui
from pydantic import BaseModel
from starlette.requests import Request

from bot.errors import Refused, StoreError
from bot.store.sessions import Role, Visitor
from bot.translation import later, translated
from bot.web.language import spoken
from bot.web.live import Watched
from bot.web.view import Act, View, styled
from bot.web.visitors import Visitors

T = TypeVar("T", bound=BaseModel)

AGAIN = 30.0
"""Seconds after which it is asked again whether somebody who only looks is still signed in."""

ENDED = later("You are not signed in any more: load the page anew.")


class Nothing(BaseModel):
    """What a page sends that has nothing to say but that it is there."""


@dataclass(frozen=True, slots=True)
class Link:
    """An entry of the navigation."""

    path: str
    icon: str
    label: str


class Desk:
    """One tab of somebody with this role."""

    def __init__(self, view: View, visitors: Visitors, role: Role, secret: str) -> None:
        self.view = view
        self._sessions = visitors.sessions
        self._role = role
        self._secret = secret
        self._tasks: set[asyncio.Task[None]] = set()

    async def visitor(self) -> Visitor:
        """Who has the page open, as of now. Raises Refused when their session has ended."""
        found = await self._sessions.visitor(self._secret)
        if found is None or found.role != self._role:
            raise Refused(translated(ENDED))
        return found

    def hear(self, event: str, kind: type[T], act: Act[T]) -> None:
        """As `View.hear`, for as long as the session lasts."""

        async def checked(given: T) -> None:
            await self.visitor()
            await act(given)

        self.view.hear(event, kind, checked)

    def shows(self, live: Watched) -> None:
        """From its first sign of life on, the page is handed what is seen, but while nobody looks at it."""

        async def begin(_: Nothing) -> None:
            self.close()
            self._tasks.add(asyncio.create_task(self._show(live)))

        async def rest(_: Nothing) -> None:
            self.close()

        self.view.props["live"] = True
        self.hear("hello", Nothing, begin)
        self.hear("rest", Nothing, rest)

    async def _show(self, live: Watched) -> None:
        asked = time.monotonic()
        async with aclosing(live.watch()) as looks:
            async for seen in looks:
                if time.monotonic() - asked > AGAIN:
                    asked = time.monotonic()
                    if not await self._still():
                        break
                self.view.take("seen", seen=seen)
        self.view.take("sorry", text=translated(ENDED), nonce="")

    async def _still(self) -> bool:
        try:
            await self.visitor()
        except Refused:
            return False
        except StoreError:  # it is away, and with it all that could be shown
            return True
        return True

    def close(self) -> None:
        """The tab was closed."""
        for task in self._tasks:
            task.cancel()
        self._tasks.clear()


def desk(view: View, visitors: Visitors, request: Request, role: Role, links: Sequence[Link]) -> Desk:
    """The page that is being made is this view in the dashboard's frame."""
    styled("frame", "pages")
    spoken()
    view.props["frame"] = {
        "here": request.url.path,
        "role": role,
        "links": [asdict(link) | {"label": translated(link.label)} for link in links],
    }
    made = Desk(view, visitors, role, visitors.secret(request, role))
    ui.context.client.on_delete(made.close)
    return made
