"""The connector of our own rooms: what people say becomes Messages, Posts become what the bot says. Rooms: `bot/store/rooms.py`."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Literal

import structlog

from bot.connector import Deliver, Limits, Post, Upload, typed_command
from bot.errors import ConnectorError, MessageGone, StoreError, UserError
from bot.forms import Form
from bot.messages import Address, Attachment, Clicked, Deleted, Message, Part, Person, Quote, Said, Text
from bot.store.places import BOT, Arrival, Body, Place, RoomMessage, part_of
from bot.store.rooms import Rooms
from bot.store.uploads import LARGEST

PAUSE = 0.5
"""Seconds between tries while the store is away."""

LIMITS = Limits(text=16_000, file=LARGEST, edit_interval=0.15, preview_interval=1.0, menus=True, spoilers=True)

CHANNEL = "main"
"""A room has one channel so far."""

SEARCHED = 500
"""Messages among which threads are looked for."""

LONGEST = 60
"""Letters of the message that a thread is called by."""

log = structlog.get_logger(__name__)


class RoomConnector:
    """Speaks to rooms as `bot`."""

    name = "room"
    private = True
    picks = False

    def __init__(self, rooms: Rooms, bot: Person = BOT) -> None:
        self._rooms = rooms
        self._bot = bot
        self._refused = False

    def limits(self, to: Address) -> Limits:
        """The same in every room."""
        return LIMITS

    async def run(self, deliver: Deliver) -> None:
        """Receives until cancelled. An arrival leaves the store when `deliver` has returned, so none is lost with this process."""
        after = "0-0"
        while True:
            try:
                arrivals = await self._rooms.arrivals(after)
            except StoreError as error:
                await self._pause("rooms cannot be read", error)
                continue
            self._refused = False
            places = defaultdict[Place, list[Arrival]](list)
            for arrival in arrivals:
                places[arrival.place].append(arrival)
                after = arrival.id
            await asyncio.gather(*(self._hand_over_all(some, deliver) for some in places.values()))

    async def _hand_over_all(self, arrivals: Sequence[Arrival], deliver: Deliver) -> None:
        """Those of one place in their order; who speaks elsewhere at the same moment does not wait for them."""
        for arrival in arrivals:
            await self._hand_over(arrival, deliver)

    async def _hand_over(self, arrival: Arrival, deliver: Deliver) -> None:
        while True:
            try:
                message = await self._message(arrival)
                if message is not None:
                    await _deliver(message, deliver)
                await self._rooms.done(arrival, message.event if message else "")
            except StoreError as error:
                await self._pause("arrival waits", error, arrival=arrival.id)
            else:
                self._refused = False
                return

    async def _pause(self, what: str, error: StoreError, **facts: str) -> None:
        """Before the next try; of a store that refuses for hours the log hears once."""
        if not self._refused:
            log.warning(what, **facts, fault=str(error))
        self._refused = True
        await asyncio.sleep(PAUSE)

    async def _message(self, arrival: Arrival) -> Message | None:
        if arrival.by is not None:
            return self._click(arrival, arrival.by)
        if arrival.gone:
            gone, event = Person("", ""), _event(arrival, arrival.version)
            return Message(arrival.target, f"deleted:{event}", address(arrival.place), gone, trigger=Deleted(event), me=self._bot.id)
        if arrival.message is None:
            return None
        head, version = arrival.message.head, arrival.version
        said, called = Said(version, _event(arrival, version - 1) if version else ""), typed_command(arrival.message.text, self._bot.name)
        return Message(
            id=arrival.target,
            event=_event(arrival, version),
            address=address(arrival.place),
            sender=head.author,
            parts=arrival.message.body.parts,
            trigger=said if called is None else replace(called, edits=_event(arrival, 0) if version else ""),
            at=arrival.message.at,
            me=self._bot.id,
            mentions=head.mentions,
            reply_to=await self._quote(arrival.place, head.reply_to, head.author),
            language=head.language,
            manages=bool(arrival.place.person),
        )

    async def _quote(self, place: Place, id: str, by: Person) -> Quote | None:
        return _quoted(await self._rooms.get(place, id) if id else None, by)

    def _click(self, arrival: Arrival, by: Person) -> Message:
        return Message(
            id=f"{arrival.target}~{by.id}",  # an answer that only the clicker may see finds its way from this alone
            event=f"click:{arrival.id}",
            address=address(arrival.place),
            sender=by,
            trigger=Clicked(arrival.button, arrival.chosen, arrival.filled),
            at=int(arrival.id.partition("-")[0]) / 1000,
            me=self._bot.id,
            reply_to=_quoted(arrival.message, by),
            manages=bool(arrival.place.person),
        )

    async def send(self, to: Address, post: Post, nonce: str) -> str:
        """The new message's id; the same nonce gives the same id and nothing new, always."""
        try:
            body = await self._body(to, post)
            reply_to = post.reply_to.partition("~")[0]
            return await self._rooms.send(place(to), self._bot, body, nonce, "" if reply_to == to.thread else reply_to)
        except StoreError as error:
            raise ConnectorError(str(error), retry_after=PAUSE) from error

    async def edit(self, to: Address, message: str, post: Post) -> None:
        """Replaces a message in place."""
        try:
            found = await self._rooms.edit(place(to), message.partition("~")[0], await self._body(to, post))
        except StoreError as error:
            raise ConnectorError(str(error), retry_after=PAUSE) from error
        if not found:
            raise MessageGone(f"message {message} of {place(to).key} is gone")

    async def delete(self, to: Address, message: str) -> None:
        """Takes a message away."""
        try:
            await self._rooms.delete(place(to), message)
        except StoreError as error:
            raise ConnectorError(str(error), retry_after=PAUSE) from error

    async def open_thread(self, message: Message, title: str) -> str:
        """A thread has the id of the message that began it, and no title but what that says."""
        return message.id

    async def open_form(self, message: Message, form: Form) -> None:
        """The pages of who clicked show it at once; it stands in the place until it is filled in or put away."""
        target, _, clicker = message.id.partition("~")
        assert isinstance(message.trigger, Clicked)
        body = Body(parts=(Text(form.title),), form=form, fills=message.trigger.button, only=clicker)
        try:
            await self._rooms.send(place(message.address), self._bot, body, f"form:{message.event}", target)
        except StoreError as error:
            raise ConnectorError(str(error), retry_after=PAUSE) from error

    async def known(self, to: Address, kind: Literal["channel", "role", "person"]) -> Mapping[str, str]:
        """A room is one channel with threads; nobody has roles in it."""
        try:
            return await self._known(place(to), kind)
        except StoreError as error:
            raise ConnectorError(str(error), retry_after=PAUSE) from error

    async def _known(self, here: Place, kind: str) -> Mapping[str, str]:
        match kind:
            case "person":
                return {one.person.id: one.person.name for one in await self._rooms.people.of(here.room)}
            case "channel" if not here.person:
                begun = [one for one in await self._rooms.history(Place(here.room), SEARCHED) if one.replies and not one.body.only]
                return {CHANNEL: here.room} | {f"{CHANNEL}/{one.id}": one.text[:LONGEST] for one in begun}
        return {}

    async def said_by(self, person: str) -> tuple[list[Any], list[tuple[str, bytes]]]:
        """All that a person said in rooms, and the files that are kept still."""
        said = await self._rooms.said_by(person)
        files: list[tuple[str, bytes]] = []
        for message in said:
            for part in message.body.parts:
                if not isinstance(part, Text) and isinstance(part.source, Attachment):
                    with suppress(UserError):
                        content = b"".join([piece async for piece in self._rooms.uploads.read(part.source.id)])
                        files.append((f"{message.id}-{part.source.name}", content))
        shown = [
            {"name": one.head.author.name, "place": one.place.key, "at": one.at, **json.loads(one.body.model_dump_json(include={"parts"}))}
            for one in said
        ]
        return shown, files

    async def forget(self, person: str) -> int:
        """Deletes what a person said in rooms."""
        return await self._rooms.forget(person)

    async def read(self, attachment: Attachment) -> AsyncIterator[bytes]:
        """The attachment's bytes, in pieces."""
        try:
            async for piece in self._rooms.uploads.read(attachment.id):
                yield piece
        except UserError as error:
            raise ConnectorError(str(error)) from error

    async def _body(self, to: Address, post: Post) -> Body:
        parts = [Text(post.text)] if post.text else []
        files = [await self._file(upload) for upload in post.uploads]
        only = await self._only(to, post) if post.private else ""
        return Body(parts=(*parts, *files), keys=post.keys, menus=post.menus, busy=post.busy, fault=post.fault, only=only)

    async def _file(self, upload: Upload) -> Part:
        try:
            kept = await self._rooms.uploads.put(upload.content, upload.name)
        except UserError as error:
            raise ConnectorError(str(error)) from error
        return part_of(kept, alt=upload.alt, spoiler=upload.spoiler)

    async def _only(self, to: Address, post: Post) -> str:
        """Who alone may see the post: the person who clicked or asked."""
        id, _, clicker = post.reply_to.partition("~")
        asked = None if clicker or not id else await self._rooms.get(Place(to.server) if id == to.thread else place(to), id)
        who = clicker or (asked.head.author.id if asked else "")
        if not who:
            raise ConnectorError("a private post must reply to a message of the person who may see it")
        return who


async def _deliver(message: Message, deliver: Deliver) -> None:
    try:
        await deliver(message)
    except StoreError:
        raise
    except Exception:  # a fault of ours in one message must not silence the room
        log.exception("message not delivered", message=message.event)


def _quoted(message: RoomMessage | None, by: Person) -> Quote | None:
    """A page may name any message: nobody quotes what is shown to somebody else alone."""
    return Quote(message.id, message.head.author, message.body.parts) if message is not None and message.seen_by(by.id) else None


def _event(arrival: Arrival, version: int) -> str:
    """A message's own event, or that of an edit."""
    return f"{arrival.place.key}:{arrival.target}" + (f":{version}" if version else "")


def address(place: Place) -> Address:
    """A place as the rest of the house knows it."""
    if place.person:
        return Address("room", server=place.person, channel=place.room, direct=True)
    return Address("room", server=place.room, channel=CHANNEL, thread=place.thread)


def typing(place: Place, person: Person, language: str) -> Message:
    """What stands for somebody who is about to write there."""
    return Message("", "", address(place), person, language=language, manages=bool(place.person))


def place(address: Address) -> Place:
    """The place behind an address."""
    return Place(address.channel, address.server) if address.direct else Place(address.server, thread=address.thread)
