"""The room's page: who comes, where they look, and what they see there. What they say and press: `talking.py`; how it looks: `static/`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing

import structlog
from nicegui import ui
from starlette.requests import Request

from bot.errors import StoreError
from bot.messages import Person
from bot.store.places import BOT, LOBBY, LONGEST_TEXT, MOST_FILES, Came, Place, Present, RoomMessage, Writes, identity, newcomer
from bot.store.roomfeed import Change
from bot.store.rooms import Rooms
from bot.store.uploads import LARGEST
from bot.translation import reading, tr
from bot.web.doing import Going, Hello, Looking
from bot.web.language import spoken
from bot.web.markdown import Markdown
from bot.web.showing import Showing, where
from bot.web.site import ChosenLanguage, Commands, no_choice, no_commands
from bot.web.talking import Talking, Who
from bot.web.view import View, styled
from bot.web.visitors import OPERATOR, Visitors, may

HISTORY = 200
"""Messages that a page shows when it opens, and as many more whenever somebody reads further up."""

WRITING = 0.5
"""Seconds in which the others are told once that somebody writes."""

STAY_SECONDS = 25.0
PAUSE = 1.0
"""Seconds between tries while the store is away."""

AHEAD = """<div id="ahead" class="room" aria-hidden="true">
<aside class="side"><div class="brand"><img src="/static/hobnob.svg" alt="" width="30" height="30"><b>Hobnob</b></div></aside>
<main><header class="top"></header><div class="list"></div>
<div class="foot"><p class="writers"></p><div class="composer"><div class="line"><textarea rows="1" disabled></textarea></div>
<div class="below"></div></div></div></main></div>"""
"""What is painted before the page's scripts are there: its frame, which they take away."""

log = structlog.get_logger(__name__)


class RoomView(View, component="static/room.js"):
    """The room in the browser."""


class Visit:
    """One open tab: one person, the room and thread that they look into, and their direct conversation, which is the lobby's."""

    def __init__(
        self, rooms: Rooms, view: RoomView, showing: Showing, commands: Commands = no_commands, speaks: ChosenLanguage = no_choice
    ) -> None:
        self._rooms = rooms
        self._speaks = speaks
        self._view = view
        self._showing = showing
        self._page = reading().tag
        self._chose = ""
        self._who = Who()
        self._here = Place(LOBBY)
        self._wrote = 0.0
        self._tasks: list[asyncio.Task[None]] = []
        view.hear("hello", Hello, self._hello)
        view.hear("rename", Hello, self._enter)
        view.hear("go", Going, self._go)
        view.hear("older", Looking, self._older)
        view.hear("writes", Going, self._writes)
        Talking(rooms, view, self._who, commands)

    async def _hello(self, hello: Hello) -> None:
        known = await self._rooms.people.name(LOBBY, identity(hello.secret)) or hello.name
        if known:
            await self._enter(hello.model_copy(update={"name": known}))
        else:
            self._view.take("naming")

    async def _enter(self, hello: Hello) -> None:
        me = newcomer(hello.name, hello.secret)
        await self._rooms.people.join(LOBBY, me)
        first = self._who.me is None or self._who.me.id != me.id
        self._who.me, self._who.language = me, hello.language
        self._view.take("me", id=me.id, name=me.name)
        if first:
            await self._look(self._who.place(hello.where))
        await self._speak(me)

    async def _speak(self, me: Person) -> None:
        """Has the page be loaded anew where its person has chosen another language, or none any more."""
        chosen, before = await self._speaks(self._here, me), self._chose
        self._chose = chosen
        if chosen != self._page if chosen else before:
            self._view.take("language", tag=chosen)

    async def _go(self, going: Going) -> None:
        await self._look(self._who.place(going.where))

    async def _look(self, place: Place) -> None:
        """Has the page show this place, and with a thread its room; the room alone where what began the thread is gone."""
        me = self._who.person()
        if place.thread and not await self._began(place, me):
            self._view.take("moved", where=place.room, text=tr("That thread is gone."))
            place = Place(place.room)
        if not place.person:
            if place.room != self._here.room:
                await self._rooms.people.leave(self._here.room, me)
            self._here = place
            await self._rooms.people.join(place.room, me)
        await self._list()
        self._begin()

    async def _began(self, thread: Place, me: Person) -> bool:
        found = await self._rooms.get(Place(thread.room), thread.thread)
        return found is not None and found.seen_by(me.id)

    async def _list(self) -> None:
        """Which rooms there are."""
        self._view.take("rooms", rooms=[LOBBY, *await self._rooms.all()])

    async def _older(self, looking: Looking) -> None:
        """What stands further up than the page goes."""
        place, me = self._who.place(looking.where), self._who.person()
        found = await self._rooms.history(place, HISTORY, looking.before)
        drawn = await self._showing.all(found, me.id)
        self._view.take("older", where=looking.where, changes=drawn, whole=len(found) < HISTORY)

    async def _writes(self, going: Going) -> None:
        if time.monotonic() - self._wrote > WRITING:
            self._wrote = time.monotonic()
            await self._rooms.people.writes(self._who.place(going.where), self._who.person())

    async def _follow(self, me: Person) -> None:
        """Shows what stands and what changes, until the tab looks elsewhere; starts over when the store was away."""
        shown = list(dict.fromkeys([Place(self._here.room), self._here, Place(LOBBY, me.id)]))
        while True:
            try:
                async with aclosing(self._rooms.watch(*shown, most=HISTORY, people=True, news=True)) as changes:
                    await self._show(await anext(changes), me, shown)
                    self._show_people(await self._rooms.people.of(self._here.room))
                    async for batch in changes:
                        await self._show([change for change in batch if change.place in shown], me)
                        self._tell(batch, me, shown)
                        if any(_private(change, me) for change in batch):  # the answer to /language, say
                            await self._speak(me)
            except StoreError:
                self._view.take("away")
                await asyncio.sleep(PAUSE)
            except Exception:  # a fault of ours must not end what the tab shows
                log.exception("a page cannot follow its room")
                await asyncio.sleep(PAUSE)

    async def _show(self, changes: Sequence[Change], me: Person, anew: Sequence[Place] = ()) -> None:
        """What changed; with all that stands in the places that are shown `anew`."""
        drawn = await self._showing.all(changes, me.id)
        if anew:
            self._view.take("all", wheres=[where(place) for place in anew], changes=drawn)
        elif drawn:
            self._view.take("some", changes=drawn)

    def _tell(self, changes: Sequence[Change], me: Person, shown: Sequence[Place]) -> None:
        """Who came, who writes, and where else something was said."""
        if fresh := [change.place.room for change in changes if change.place not in shown and _said(change, me)]:
            self._view.take("news", rooms=fresh)
        for change in changes:
            if isinstance(change, Came) and change.place == Place(self._here.room):
                self._show_people(change.people)
            elif isinstance(change, Writes) and change.id != me.id:
                self._view.take("writes", where=where(change.place), id=change.id)

    def _show_people(self, people: Sequence[Present]) -> None:
        self._view.take("people", people=[{"id": each.person.id, "name": each.person.name, "here": each.here} for each in people])

    async def _stay(self, me: Person) -> None:
        while True:
            await asyncio.sleep(STAY_SECONDS)
            try:
                await self._rooms.people.join(self._here.room, me)
                self._show_people(await self._rooms.people.of(self._here.room))
                await self._list()
                await self._speak(me)
            except StoreError:
                self._view.take("away")
            except Exception:  # nor its signs of life
                log.exception("a page gives no sign of life")

    async def leave(self) -> None:
        """The tab was closed."""
        self._end()
        if self._who.me is not None:
            try:
                await self._rooms.people.leave(self._here.room, self._who.me)
            except StoreError as error:
                log.debug("leaving not noted", fault=str(error))

    def _begin(self) -> None:
        """Follows from now on what the tab looks at."""
        self._end()
        me = self._who.person()
        self._tasks = [asyncio.create_task(self._follow(me)), asyncio.create_task(self._stay(me))]

    def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._tasks = []


def _said(change: Change, me: Person) -> bool:
    """Whether it is for this person, from somebody else."""
    return isinstance(change, RoomMessage) and change.seen_by(me.id) and change.head.author.id != me.id


def _private(change: Change, me: Person) -> bool:
    return isinstance(change, RoomMessage) and not change.body.busy and (change.body.only == me.id or bool(change.place.person))


def room_page(rooms: Rooms, visitors: Visitors, commands: Commands, speaks: ChosenLanguage) -> None:
    """Puts the room's page at `/`."""
    showing = Showing(Markdown())

    @ui.page("/", title="Hobnob")
    async def page(request: Request) -> None:
        known = await visitors.known(request)
        styled("room", "message")
        spoken()
        ui.add_body_html(AHEAD)
        view = RoomView()
        view.props["bot"] = {"id": BOT.id, "name": BOT.name, "bot": True}
        view.props["limits"] = {"text": LONGEST_TEXT, "file": LARGEST, "files": MOST_FILES}
        view.props["desk"] = OPERATOR if may([one.role for one in known.values()], OPERATOR) else ""
        ui.context.client.on_delete(Visit(rooms, view, showing, commands, speaks).leave)
