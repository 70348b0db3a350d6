"""An open tab, without its browser: what goes wrong in one message or for a moment does not end what it shows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.messages import Text
from bot.store.keys import Keys
from bot.store.places import Draft, Place, newcomer
from bot.store.roomfeed import Change
from bot.store.rooms import Rooms
from bot.testing import wait_until
from bot.web.markdown import Markdown
from bot.web.room import ROOM, Visit
from bot.web.showing import Showing
from bot.web.view import View as Page

ANN = newcomer("Ann")


class View:
    """A scripted browser: remembers what it is given to show."""

    def __init__(self) -> None:
        self.handlers: dict[str, Callable[[Any], Awaitable[None]]] = {}
        self.taken: list[tuple[str, dict[str, Any]]] = []

    hear = Page.hear

    def on(self, event: str, handler: Callable[[Any], Awaitable[None]]) -> None:
        self.handlers[event] = handler

    def take(self, kind: str, **content: Any) -> None:
        self.taken.append((kind, content))

    @property
    def words(self) -> list[str]:
        """Of all messages that it was given, in order."""
        return [change["text"] for kind, content in self.taken if kind in ("all", "some") for change in content["changes"]]


class Faulty(Showing):
    """Fails as a whole, the first time."""

    failed = False

    def all(self, changes: Sequence[Change], me: str) -> list[dict[str, Any]]:
        if not self.failed:
            self.failed = True
            raise RuntimeError("a bug")
        return super().all(changes, me)


class Picky(Markdown):
    """Cannot draw one text."""

    def render(self, text: str, names: tuple[str, ...] = ()) -> str:
        return super().render(text, names) if text != "poison" else str(1 / 0)


@pytest.fixture
async def rooms(redis: Redis, keys: Keys, tmp_path: Path) -> AsyncIterator[Rooms]:
    rooms = Rooms(redis, keys, tmp_path)
    for text in ("one", "poison", "two"):
        await rooms.say(Place(ROOM), Draft(ANN, (Text(text),)))
    yield rooms
    await rooms.close()


async def opened(rooms: Rooms, showing: Showing) -> tuple[View, Visit]:
    view = View()
    visit = Visit(rooms, view, showing)  # type: ignore[arg-type]  # no browser
    await view.handlers["hello"](SimpleNamespace(args={"secret": "s" * 16, "name": "Bob"}))
    return view, visit


async def test_a_message_that_cannot_be_drawn_hides_no_other(rooms: Rooms) -> None:
    view, visit = await opened(rooms, Showing(Picky()))
    await wait_until(lambda: view.words == ["one", "two"])
    await rooms.say(Place(ROOM), Draft(ANN, (Text("poison"),)))
    await rooms.say(Place(ROOM), Draft(ANN, (Text("three"),)))
    await wait_until(lambda: view.words == ["one", "two", "three"])
    await visit.leave()


async def test_after_a_fault_of_ours_the_page_starts_over(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.web.room.PAUSE", 0.0)
    view, visit = await opened(rooms, Faulty(Markdown()))
    await wait_until(lambda: view.words == ["one", "poison", "two"])
    await visit.leave()


async def test_signs_of_life_go_on_after_a_fault_of_ours(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.web.room.STAY_SECONDS", 0.0)
    _, visit = await opened(rooms, Showing(Markdown()))
    join, signs = rooms.join, list[str]()

    async def failing(room: str, person: Any) -> None:
        signs.append(room)
        if len(signs) == 1:
            raise ValueError("a bug")
        await join(room, person)

    monkeypatch.setattr(rooms, "join", failing)
    await wait_until(lambda: len(signs) > 1)
    await visit.leave()
