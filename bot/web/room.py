"""The room's page: what happens in Redis goes to the browser, what happens in the browser goes to Redis. How it looks is in `static/`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing

import structlog
from nicegui import ui
from starlette.requests import Request

from bot.errors import StoreError, UserError
from bot.messages import Part, Person, Text
from bot.store.places import BOT, LONGEST_TEXT, MOST_FILES, Body, Came, Draft, Place, RoomMessage, identity, mentioned, newcomer, part_of
from bot.store.roomfeed import Change
from bot.store.rooms import Rooms
from bot.store.uploads import LARGEST
from bot.translation import tr
from bot.web.doing import DIRECT, Amending, Attached, Clicking, Filling, Going, Hello, Saying, Slash, Withdrawing, options
from bot.web.language import spoken
from bot.web.markdown import Markdown
from bot.web.showing import Showing, where
from bot.web.site import Commands, no_commands
from bot.web.view import View, styled
from bot.web.visitors import OPERATOR, Visitors, may

ROOM = "lobby"
"""The room that there always is."""

HISTORY = 200
"""Messages that a page shows when it opens."""

STAY_SECONDS = 25.0
PAUSE = 1.0
"""Seconds between tries while the store is away."""

log = structlog.get_logger(__name__)


class RoomView(View, component="static/room.js"):
    """The room in the browser."""


class Visit:
    """One open tab: one person, the room and thread that they look into, and their direct conversation, which is the lobby's."""

    def __init__(self, rooms: Rooms, view: RoomView, showing: Showing, commands: Commands = no_commands) -> None:
        self._rooms = rooms
        self._commands = commands
        self._view = view
        self._showing = showing
        self._language = ""
        self._me: Person | None = None
        self._here = Place(ROOM)
        self._known: list[str] = []
        self._tasks: list[asyncio.Task[None]] = []
        view.hear("hello", Hello, self._hello)
        view.hear("rename", Hello, self._enter)
        view.hear("go", Going, self._go)
        view.hear("say", Saying, self._say)
        view.hear("amend", Amending, self._amend)
        view.hear("withdraw", Withdrawing, self._withdraw)
        view.hear("slash", Slash, self._slash)
        view.hear("press", Clicking, self._press)
        view.hear("fill", Filling, self._fill)

    async def _hello(self, hello: Hello) -> None:
        known = await self._rooms.name(ROOM, identity(hello.secret)) or hello.name
        if known:
            await self._enter(hello.model_copy(update={"name": known}))
        else:
            self._view.take("naming")

    async def _enter(self, hello: Hello) -> None:
        me = newcomer(hello.name, hello.secret)
        await self._rooms.join(ROOM, me)
        self._language, first = hello.language, self._me is None or self._me.id != me.id
        self._me = me
        self._view.take("me", id=me.id, name=me.name)
        if first:
            await self._look(self._place(hello.where))

    async def _go(self, going: Going) -> None:
        await self._look(self._place(going.where))

    async def _look(self, place: Place) -> None:
        """Has the page show this place, and with a thread its room."""
        me = self._person()
        if not place.person:
            if place.room != self._here.room:
                await self._rooms.leave(self._here.room, me)
            self._here = place
            await self._rooms.join(place.room, me)
        await self._list()
        self._begin()

    async def _list(self) -> bool:
        """Which rooms there are; whether that is something new."""
        found = [ROOM, *(name for name in await self._rooms.all() if name != ROOM)]
        before, self._known = self._known, found
        self._view.take("rooms", rooms=found)
        return before != found

    def _person(self) -> Person:
        if self._me is None:
            raise UserError(tr("Pick a name first."))
        return self._me

    def _place(self, where: str) -> Place:
        me = self._person()
        if where == DIRECT:
            return Place(ROOM, me.id)
        room, _, thread = where.partition("/")
        return Place(room, thread=thread)

    async def _say(self, saying: Saying) -> None:
        place, me = self._place(saying.where), self._person()
        parts = [Text(saying.text)] if saying.text.strip() else []
        files = [await self._part(file) for file in saying.files]
        around = [BOT, *(present.person for present in await self._rooms.people(place.room))]
        mentions = mentioned(saying.text[:LONGEST_TEXT], around)
        await self._rooms.say(place, Draft(me, (*parts, *files), mentions, saying.reply_to, self._language), saying.nonce)
        self._view.take("said", nonce=saying.nonce)

    async def _amend(self, amending: Amending) -> None:
        await self._rooms.amend(self._place(amending.where), amending.id, self._person(), amending.text)
        self._view.take("said", nonce=amending.nonce)

    async def _withdraw(self, withdrawing: Withdrawing) -> None:
        place, me = self._place(withdrawing.where), self._person()
        message = await self._rooms.get(place, withdrawing.id)
        if message is not None and message.body.form is not None and message.body.only == me.id:
            await self._rooms.delete(place, withdrawing.id)
        else:
            await self._rooms.withdraw(place, withdrawing.id, me)

    async def _slash(self, slash: Slash) -> None:
        """What this person may use there, as of now."""
        found = await self._commands(self._place(slash.where), self._person(), self._language)
        shown = [
            {
                "id": f"/{one.name}",
                "name": one.name,
                "about": one.description,
                "usage": one.usage,
                "example": one.example,
                "options": options(one.options),
            }
            for one in found
        ]
        self._view.take("commands", commands=shown)

    async def _part(self, file: Attached) -> Part:
        return part_of(await self._rooms.uploads.find(file.id, file.name), voice=file.voice, seconds=file.seconds)

    async def _press(self, clicking: Clicking) -> None:
        place, me = self._place(clicking.where), self._person()
        message = await self._rooms.get(place, clicking.id)
        if message is None or not message.seen_by(me.id) or not _offers(message.body, clicking.key, clicking.chosen):
            raise UserError(tr("That button is gone."))
        await self._rooms.click(place, clicking.id, clicking.key, me, clicking.chosen)

    async def _fill(self, filling: Filling) -> None:
        place, me = self._place(filling.where), self._person()
        message = await self._rooms.get(place, filling.id)
        if message is None or message.body.form is None or message.body.only != me.id:
            raise UserError(tr("That form is gone."))
        await self._rooms.click(place, message.head.reply_to, message.body.fills, me, filled=filling.filled)
        await self._rooms.delete(place, filling.id)

    async def _follow(self, me: Person) -> None:
        """Shows what stands and what changes, until the tab looks elsewhere; starts over when the store was away."""
        shown = list(dict.fromkeys([Place(self._here.room), self._here, Place(ROOM, me.id)]))
        others = [Place(name) for name in self._known if name != self._here.room]
        while True:
            try:
                async with aclosing(self._rooms.watch(*shown, most=HISTORY, people=True, news=others)) as changes:
                    await self._show_people()
                    first = True
                    async for batch in changes:
                        self._show([change for change in batch if change.place in shown], me, shown if first else ())
                        first = False
                        if fresh := [change for change in batch if change.place not in shown and _new(change, me)]:
                            self._view.take("news", rooms=[change.place.room for change in fresh])
                        if any(isinstance(change, Came) for change in batch):
                            await self._show_people()
            except StoreError:
                self._view.take("away")
                await asyncio.sleep(PAUSE)
            except Exception:  # a fault of ours must not end what the tab shows
                log.exception("a page cannot follow its room")
                await asyncio.sleep(PAUSE)

    def _show(self, changes: Sequence[Change], me: Person, anew: Sequence[Place]) -> None:
        """What changed; with all that stands in the places that are shown `anew`."""
        drawn = self._showing.all(changes, me.id)
        if anew:
            self._view.take("all", wheres=[where(place) for place in anew], changes=drawn)
        elif drawn:
            self._view.take("some", changes=drawn)

    async def _show_people(self) -> None:
        people = await self._rooms.people(self._here.room)
        self._view.take("people", people=[{"id": each.person.id, "name": each.person.name, "here": each.here} for each in people])

    async def _stay(self, me: Person) -> None:
        while True:
            await asyncio.sleep(STAY_SECONDS)
            try:
                await self._rooms.join(self._here.room, me)
                await self._show_people()
                if await self._list():
                    self._begin()
            except StoreError:
                self._view.take("away")
            except Exception:  # nor its signs of life
                log.exception("a page gives no sign of life")

    async def leave(self) -> None:
        """The tab was closed."""
        self._end()
        if self._me is not None:
            try:
                await self._rooms.leave(self._here.room, self._me)
            except StoreError as error:
                log.debug("leaving not noted", fault=str(error))

    def _begin(self) -> None:
        """Follows from now on what the tab looks at."""
        self._end()
        me = self._person()
        self._tasks = [asyncio.create_task(self._follow(me)), asyncio.create_task(self._stay(me))]

    def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._tasks = []


def _new(change: Change, me: Person) -> bool:
    """Whether somebody else has said something."""
    return isinstance(change, RoomMessage) and not change.version and change.seen_by(me.id) and change.head.author.id != me.id


def _offers(body: Body, key: str, chosen: Sequence[str]) -> bool:
    """Whether there is such a button, or such a menu with these choices."""
    menu = next((one for one in body.menus if one.id == key), None)
    if menu is None:
        return not chosen and key in {one.id for one in body.keys}
    return menu.least <= len(set(chosen)) <= menu.most and all(int(one) < len(menu.choices) for one in chosen)


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
