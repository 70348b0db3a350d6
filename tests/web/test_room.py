"""An open tab, without its browser: what goes wrong in one message or for a moment does not end what it shows."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.messages import Text
from bot.store.keys import Keys
from bot.store.places import BOT, LOBBY, Body, Draft, Place, newcomer
from bot.store.roomfeed import Change
from bot.store.rooms import Rooms
from bot.testing import wait_until
from bot.web.markdown import Markdown
from bot.web.room import Visit
from bot.web.showing import AT_ONCE, Showing
from bot.web.site import ChosenLanguage, no_choice
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

    async def send(self, event: str, **args: str) -> None:
        await self.handlers[event](SimpleNamespace(args=args))

    def given(self, kind: str) -> list[dict[str, Any]]:
        """All of one kind that it was given, in order."""
        return [content for one, content in self.taken if one == kind]

    @property
    def words(self) -> list[str]:
        """Of all messages that it was given, in order."""
        return [change["text"] for kind, content in self.taken if kind in ("all", "some") for change in content["changes"]]


class Faulty(Showing):
    """Fails as a whole, the first time."""

    failed = False

    async def all(self, changes: Sequence[Change], me: str) -> list[dict[str, Any]]:
        if not self.failed:
            self.failed = True
            raise RuntimeError("a bug")
        return await super().all(changes, me)


class Picky(Markdown):
    """Cannot draw one text."""

    def render(self, text: str, names: tuple[str, ...] = ()) -> str:
        return super().render(text, names) if text != "poison" else str(1 / 0)


class Watched(Markdown):
    """Notes which texts were drawn in the thread where everybody waits."""

    def __init__(self) -> None:
        super().__init__()
        self.waited: dict[str, bool] = {}

    def render(self, text: str, names: tuple[str, ...] = ()) -> str:
        self.waited[text] = threading.current_thread() is threading.main_thread()
        return super().render(text, names)


@pytest.fixture
async def rooms(redis: Redis, keys: Keys, tmp_path: Path) -> AsyncIterator[Rooms]:
    rooms = Rooms(redis, keys, tmp_path)
    for text in ("one", "poison", "two"):
        await rooms.say(Place(LOBBY), Draft(ANN, (Text(text),)))
    yield rooms
    await rooms.close()


async def opened(rooms: Rooms, showing: Showing, speaks: ChosenLanguage = no_choice, **more: str) -> tuple[View, Visit]:
    view = View()
    visit = Visit(rooms, view, showing, speaks=speaks)  # type: ignore[arg-type]  # no browser
    await view.send("hello", secret="s" * 16, name="Bob", **more)
    return view, visit


async def test_a_message_that_cannot_be_drawn_hides_no_other(rooms: Rooms) -> None:
    view, visit = await opened(rooms, Showing(Picky()))
    await wait_until(lambda: view.words == ["one", "two"])
    await rooms.say(Place(LOBBY), Draft(ANN, (Text("poison"),)))
    await rooms.say(Place(LOBBY), Draft(ANN, (Text("three"),)))
    await wait_until(lambda: view.words == ["one", "two", "three"])
    await visit.leave()


async def test_nobody_waits_while_a_long_message_or_many_are_drawn(rooms: Rooms) -> None:
    markdown = Watched()
    view, visit = await opened(rooms, Showing(markdown))
    await wait_until(lambda: view.words == ["one", "poison", "two"])
    long = "- a\n" * (AT_ONCE // 4) + "- b"
    await rooms.say(Place(LOBBY), Draft(ANN, (Text(long),)))
    await wait_until(lambda: view.words[-1] == long)
    assert markdown.waited == {"one": True, "poison": True, "two": True, long: False}
    await visit.leave()

    again = Watched()
    view, visit = await opened(rooms, Showing(again))
    await wait_until(lambda: len(view.words) == 4)
    assert not any(again.waited.values())
    await visit.leave()


async def test_after_a_fault_of_ours_the_page_starts_over(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.web.room.PAUSE", 0.0)
    view, visit = await opened(rooms, Faulty(Markdown()))
    await wait_until(lambda: view.words == ["one", "poison", "two"])
    await visit.leave()


async def test_signs_of_life_go_on_after_a_fault_of_ours(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.web.room.STAY_SECONDS", 0.0)
    _, visit = await opened(rooms, Showing(Markdown()))
    join, signs = rooms.people.join, list[str]()

    async def failing(room: str, person: Any) -> None:
        signs.append(room)
        if len(signs) == 1:
            raise ValueError("a bug")
        await join(room, person)

    monkeypatch.setattr(rooms.people, "join", failing)
    await wait_until(lambda: len(signs) > 1)
    await visit.leave()


async def test_a_room_is_there_for_all_once_something_was_said_in_it(rooms: Rooms) -> None:
    view, visit = await opened(rooms, Showing(Markdown()), where="attic")
    other, others = await opened(rooms, Showing(Markdown()))
    await wait_until(lambda: other.words == ["one", "poison", "two"])
    assert view.given("rooms") == [{"rooms": ["lobby"]}], "nobody has said anything there"
    assert await rooms.people.of("attic") == []

    await rooms.say(Place("attic"), Draft(ANN, (Text("first"),)))
    await wait_until(lambda: other.given("news") == [{"rooms": ["attic"]}])
    assert await rooms.all() == ["attic"]
    await view.send("go", where="lobby/1")
    assert view.given("moved") == [{"where": "lobby", "text": "That thread is gone."}]
    for each in (visit, others):
        await each.leave()


async def test_what_is_older_and_who_writes_is_told(rooms: Rooms) -> None:
    view, visit = await opened(rooms, Showing(Markdown()))
    other, others = await opened(rooms, Showing(Markdown()))
    await wait_until(lambda: bool(view.words and other.words))
    newest = view.given("all")[0]["changes"][-1]["id"]
    await view.send("older", where="lobby", before=newest)
    [older] = view.given("older")
    assert ([one["text"] for one in older["changes"]], older["whole"]) == (["one", "poison"], True)
    await rooms.people.writes(Place(LOBBY), ANN)
    await wait_until(lambda: other.given("writes") == [{"where": "lobby", "id": ANN.id}])
    for each in (visit, others):
        await each.leave()


async def test_the_page_is_loaded_anew_in_the_language_that_its_person_chooses(rooms: Rooms) -> None:
    chosen = ["en"]

    async def speaks(place: Place, person: Any) -> str:
        return chosen[-1]

    view, visit = await opened(rooms, Showing(Markdown()), speaks)
    await wait_until(lambda: bool(view.given("people")))
    assert view.given("language") == [], "it is in English"
    me, told = view.given("me")[0]["id"], list[dict[str, str]]()
    for tag in ("zh-Hans", ""):
        chosen.append(tag)
        told.append({"tag": tag})
        await rooms.send(Place(LOBBY), BOT, Body(parts=(Text(f"From now on: {tag}"),), only=me), tag)
        await wait_until(lambda: view.given("language") == told)
    await visit.leave()
