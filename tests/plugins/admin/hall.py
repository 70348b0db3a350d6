"""A room of our own with the admin plugin and two others, as those who are in it see it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from redis.asyncio import Redis

from bot import Action, Button, Command, Context, Listener, NoArgs, Reply, Route, Turn, hookimpl
from bot.catalogue import load as load_catalogue
from bot.choosable import NoConfig
from bot.connectors.room import RoomConnector
from bot.discovery import Manifest
from bot.messages import Person, Text
from bot.plugins import Loaded, Plugins
from bot.router import app
from bot.router.app import Router
from bot.store.house import HouseRules
from bot.store.keys import Keys
from bot.store.places import Body, Draft, Place, RoomMessage, mentioned, newcomer
from bot.store.rooms import Rooms
from bot.testing import wait_until
from plugins.admin.front import Plugin as Admin
from tests.hands import Said, Say

HALL, ATTIC = Place("hall"), Place("attic")
ANN, BOB = newcomer("Ann"), newcomer("Bob")


class Tone(BaseModel):
    """Settings of every kind."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    tone: str = Field(default="calm", title="Tone", min_length=2, max_length=2000)
    """How it sings."""

    loud: int = Field(default=3, title="Loudness", ge=0, le=11)
    """How loud it sings."""

    mood: Literal["happy", "sad"] = Field(default="happy", title="Mood")
    """What it sings of."""

    solo: bool = Field(default=False, title="Alone")
    """Whether it sings alone."""

    words: tuple[str, ...] = Field(default=(), title="Words")
    """What it never leaves out."""


@dataclass
class Singer:
    """Sings with its settings; `/hum` runs a job that waits for a worker."""

    hummed: list[str] = field(default_factory=list)

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return [
            Listener("note", lambda message: message.text.startswith("note "), self.note, ordered=True),
            Listener("sing", lambda message: message.text == "sing", self.sing),
            Command("song", "Sing a song.", NoArgs, self.song),
            Command("hum", "Hum something.", NoArgs, self.hum),
            Action("encore", NoArgs, self.song),
        ]

    async def note(self, ctx: Context) -> str:
        person, said = ctx.person, ctx.message
        turn = Turn(role="person", parts=(Text(said.text),), name=person.name, person=person.id, message=said.id, tokens=3)
        await ctx.conversation.append(turn)
        return "Noted."

    async def sing(self, ctx: Context) -> str:
        found: Tone = ctx.settings
        return " ".join([found.tone, str(found.loud), found.mood, "alone" if found.solo else "together", *found.words])

    async def song(self, ctx: Context, args: NoArgs) -> Reply:
        return Reply("La la la.", buttons=[Button("Encore", "encore")])

    async def hum(self, ctx: Context, args: NoArgs) -> str:
        said = await ctx.run(Say(words="hum"))
        assert isinstance(said, Said)
        return said.words


@dataclass
class Hall:
    """The room; `router` is one of those that may serve it."""

    router: Router
    rooms: Rooms
    house: HouseRules
    plugins: Plugins
    count: int = 0

    async def own(self, person: Person = ANN, place: Place = HALL) -> None:
        """Makes a person the owner, as the terminal would."""
        assert "You own me now" in await self.say(f"/claim {await self.house.offer()}", person, place)

    async def post(self, text: str, person: Person = ANN, place: Place = HALL, reply_to: str = "") -> None:
        """Says something and waits for nothing."""
        await self.rooms.say(place, Draft(person, (Text(text),), mentioned(text, [ANN, BOB]), reply_to))

    async def say(self, text: str, person: Person = ANN, place: Place = HALL, reply_to: str = "") -> str:
        """What the bot says to that, in messages that are new or changed."""
        before = {one.id: one.version for one in await self.shown(place)}
        await self.post(text, person, place, reply_to)
        await self.quiet()
        return "\n".join(one.text for one in await self.shown(place) if before.get(one.id) != one.version)

    async def press(self, label: str, person: Person = ANN, place: Place = HALL) -> str:
        """What the bot says, or what the message with the button says then."""
        before = await self._click(label, person, place)
        await self.quiet()
        return "\n".join(one.text for one in await self.shown(place) if before.get(one.id) != one.version)

    async def press_while_busy(self, label: str, person: Person = ANN, place: Place = HALL) -> None:
        """Returns when the click has changed something, whatever else is still under way."""
        before = await self._click(label, person, place)

        async def changed() -> bool:
            return any(before.get(one.id) != one.version for one in await self.shown(place) if not one.body.busy)

        await wait_until(changed)

    async def _click(self, label: str, person: Person, place: Place) -> dict[str, int]:
        shown = await self.shown(place)
        for message in reversed(shown):
            for id, chosen in pressable(message.body, label):
                await self.rooms.click(place, message.id, id, person, chosen)
                return {one.id: one.version for one in shown}
        raise AssertionError(f"no button {label!r}: {[labels_of(one.body) for one in shown]}")

    async def fill(self, value: str, person: Person = ANN, place: Place = HALL) -> str:
        """What the bot says to a value in the form that it has opened last."""
        before = {one.id: one.version for one in await self.shown(place)}
        [*_, asked] = [one for one in await self.shown(place) if one.body.form is not None]
        assert asked.body.form is not None
        await self.rooms.click(place, asked.id, asked.body.fills, person, filled={asked.body.form.inputs[0].name: value})
        await self.quiet()
        return "\n".join(one.text for one in await self.shown(place) if before.get(one.id) != one.version)

    async def labels(self, place: Place = HALL) -> list[str]:
        """The choices and buttons of the newest message that has any."""
        found = [labels_of(message.body) for message in await self.shown(place)]
        return next((labels for labels in reversed(found) if labels), [])

    async def shown(self, place: Place = HALL) -> list[RoomMessage]:
        """What the bot says there."""
        return [message for message in await self.rooms.history(place) if message.head.author.bot]

    async def quiet(self) -> None:
        """Returns when everything is answered."""

        async def quiet() -> bool:
            arrived = await self.rooms._redis.xlen(self.rooms._keys.room_arrivals())  # first: what comes meanwhile is held then
            return not arrived and not self.router.runner.held

        await asyncio.sleep(0)
        await wait_until(quiet)


def pressable(body: Body, label: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The buttons of this label, and the menus that have such a choice, with what is chosen."""
    yield from ((key.id, ()) for key in body.keys if key.label == label)
    yield from ((menu.id, (one.value,)) for menu in body.menus for one in menu.choices if one.label == label)


def labels_of(body: Body) -> list[str]:
    """What can be pressed or chosen."""
    return [*(one.label for menu in body.menus for one in menu.choices), *(key.label for key in body.keys)]


ADMINISTERS = Manifest(summary="Rules.", api=1, licence="Apache-2.0", rights=frozenset({"administration"}))


def plugins() -> Plugins:
    """The admin plugin, one with settings of every kind, and one that the operator has off."""
    singer = Loaded("singer", Singer(), Manifest(summary="Sings.", api=1, licence="MIT"), settings=Tone, version="1")
    drum = Loaded("drum", object(), Manifest(summary="Drums.", api=1, licence="MIT"), version="1", enabled=False)
    return Plugins([Loaded("admin", Admin(NoConfig(), load_catalogue()), ADMINISTERS, version="1"), singer, drum])


@asynccontextmanager
async def hall(redis: Redis, keys: Keys, folder: Path) -> AsyncIterator[Hall]:
    """The room with its router."""
    rooms, loaded = Rooms(redis, keys, folder), plugins()
    async with app.running(app.build(redis, keys, loaded, [RoomConnector(rooms)]), loaded) as router:
        yield Hall(router, rooms, HouseRules(redis, keys), loaded)
    await rooms.close()
