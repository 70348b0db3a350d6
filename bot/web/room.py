"""The room's page: what happens in Redis goes to the browser, what happens in the browser goes to Redis. How it looks is in `static/`."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Literal

import structlog
from nicegui import ui
from pydantic import BaseModel, Field
from starlette.requests import Request

from bot.errors import StoreError, UserError
from bot.messages import Part, Person, Text
from bot.store.places import BOT, LONGEST_TEXT, MOST_FILES, Came, Draft, Place, identity, mentioned, newcomer, part_of
from bot.store.rooms import Rooms
from bot.store.uploads import LARGEST
from bot.translation import tr
from bot.web.language import spoken
from bot.web.markdown import Markdown
from bot.web.showing import Showing
from bot.web.site import Commands, no_commands
from bot.web.view import View, styled
from bot.web.visitors import OPERATOR, Visitors, may

ROOM = "lobby"
"""The room that the page opens."""

HISTORY = 200
"""Messages that a page shows when it opens."""

STAY_SECONDS = 25.0
PAUSE = 1.0
"""Seconds between tries while the store is away."""

Where = Literal["room", "direct"]
log = structlog.get_logger(__name__)


class Hello(BaseModel):
    """A page has opened. `secret` makes a tab the same person again after it was loaded anew."""

    secret: str = Field(min_length=16, max_length=128)
    name: str = Field(max_length=200)
    language: str = Field(default="", max_length=35)


class Attached(BaseModel):
    """A file that was uploaded before."""

    id: str
    name: str = Field(max_length=200)
    voice: bool = False
    seconds: float = Field(default=0.0, ge=0.0, le=86_400.0)


class Saying(BaseModel):
    """Somebody presses send."""

    where: Where
    text: str
    files: list[Attached] = []
    reply_to: str = Field(default="", pattern=r"^\d{0,20}$")
    nonce: str = Field(pattern=r"^[\w-]{8,64}$")


class Clicking(BaseModel):
    """Somebody presses a button below a message."""

    where: Where
    id: str = Field(pattern=r"^\d{1,20}$")
    key: str = Field(max_length=64)


class Slash(BaseModel):
    """Somebody begins a command."""

    where: Where


class RoomView(View, component="static/room.js"):
    """The room in the browser."""


class Visit:
    """One open tab: one person, the shared channel and that person's direct conversation."""

    def __init__(self, rooms: Rooms, view: RoomView, showing: Showing, commands: Commands = no_commands) -> None:
        self._rooms = rooms
        self._commands = commands
        self._view = view
        self._showing = showing
        self._secret = ""
        self._language = ""
        self._me: Person | None = None
        self._tasks: list[asyncio.Task[None]] = []
        view.hear("hello", Hello, self._hello)
        view.hear("rename", Hello, self._enter)
        view.hear("say", Saying, self._say)
        view.hear("slash", Slash, self._slash)
        view.hear("press", Clicking, self._press)

    async def _hello(self, hello: Hello) -> None:
        known = await self._rooms.name(ROOM, identity(hello.secret)) or hello.name
        if known:
            await self._enter(Hello(secret=hello.secret, name=known, language=hello.language))
        else:
            self._view.take("naming")

    async def _enter(self, hello: Hello) -> None:
        me = newcomer(hello.name, hello.secret)
        await self._rooms.join(ROOM, me)
        self._language, first = hello.language, self._me is None or self._me.id != me.id
        self._me = me
        self._view.take("me", id=me.id, name=me.name)
        if first:
            self._end()
            self._tasks = [asyncio.create_task(self._follow(me.id)), asyncio.create_task(self._stay())]

    def _place(self, where: Where) -> Place:
        if self._me is None:
            raise UserError(tr("Pick a name first."))
        return Place(ROOM, self._me.id if where == "direct" else "")

    async def _say(self, saying: Saying) -> None:
        place = self._place(saying.where)
        assert self._me is not None
        parts = [Text(saying.text)] if saying.text.strip() else []
        files = [await self._part(file) for file in saying.files]
        around = [BOT, *(present.person for present in await self._rooms.people(ROOM))]
        mentions = mentioned(saying.text[:LONGEST_TEXT], around)
        await self._rooms.say(place, Draft(self._me, (*parts, *files), mentions, saying.reply_to, self._language), saying.nonce)
        self._view.take("said", nonce=saying.nonce)

    async def _slash(self, slash: Slash) -> None:
        """What this person may use there, as of now."""
        place = self._place(slash.where)
        assert self._me is not None
        found = await self._commands(place, self._me, self._language)
        shown = [
            {"id": f"/{one.name}", "name": one.name, "about": one.description, "usage": one.usage, "example": one.example} for one in found
        ]
        self._view.take("commands", commands=shown)

    async def _part(self, file: Attached) -> Part:
        return part_of(await self._rooms.uploads.find(file.id, file.name), voice=file.voice, seconds=file.seconds)

    async def _press(self, clicking: Clicking) -> None:
        place = self._place(clicking.where)
        assert self._me is not None
        message = await self._rooms.get(place, clicking.id)
        if message is None or not message.seen_by(self._me.id) or clicking.key not in {key.id for key in message.body.keys}:
            raise UserError(tr("That button is gone."))
        await self._rooms.click(place, clicking.id, clicking.key, self._me)

    async def _follow(self, me: str) -> None:
        """Shows what stands and what changes, until the tab is closed; starts over when the store was away."""
        while True:
            try:
                async with aclosing(self._rooms.watch(Place(ROOM), Place(ROOM, me), most=HISTORY, people=True)) as changes:
                    await self._show_people()
                    first = True
                    async for batch in changes:
                        self._view.take("all" if first else "some", changes=self._showing.all(batch, me))
                        first = False
                        if any(isinstance(change, Came) for change in batch):
                            await self._show_people()
            except StoreError:
                self._view.take("away")
                await asyncio.sleep(PAUSE)
            except Exception:  # a fault of ours must not end what the tab shows
                log.exception("a page cannot follow its room")
                await asyncio.sleep(PAUSE)

    async def _show_people(self) -> None:
        people = await self._rooms.people(ROOM)
        self._view.take("people", people=[{"id": each.person.id, "name": each.person.name, "here": each.here} for each in people])

    async def _stay(self) -> None:
        while True:
            await asyncio.sleep(STAY_SECONDS)
            try:
                if self._me is not None:
                    await self._rooms.join(ROOM, self._me)
                await self._show_people()
            except StoreError:
                self._view.take("away")
            except Exception:  # nor its signs of life
                log.exception("a page gives no sign of life")

    async def leave(self) -> None:
        """The tab was closed."""
        self._end()
        if self._me is not None:
            try:
                await self._rooms.leave(ROOM, self._me)
            except StoreError as error:
                log.debug("leaving not noted", fault=str(error))

    def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._tasks = []


def room_page(rooms: Rooms, visitors: Visitors, commands: Commands) -> None:
    """Puts the room's page at `/`."""
    showing = Showing(Markdown())

    @ui.page("/", title="Hobnob")
    async def page(request: Request) -> None:
        known = await visitors.known(request)
        styled("room", "message")
        spoken()
        view = RoomView()
        view.props["bot"] = {"id": BOT.id, "name": BOT.name, "bot": True}
        view.props["limits"] = {"text": LONGEST_TEXT, "file": LARGEST, "files": MOST_FILES}
        view.props["desk"] = OPERATOR if may([one.role for one in known.values()], OPERATOR) else ""
        ui.context.client.on_delete(Visit(rooms, view, showing, commands).leave)
