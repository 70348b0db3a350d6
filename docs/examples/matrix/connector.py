"""Matrix, by matrix-nio. A button is a reaction that the bot puts below its message; encrypted rooms are not read. Events: `events.py`."""

from __future__ import annotations

import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import aiohttp
import nio
from nio.api import RelationshipType

from bot import Address, Attachment, ConnectorError, Deliver, Limits, Message, MessageGone, NotAllowed, Post

from .config import Config
from .events import BUTTON, NAME, Json, arrival, clicked, crown, joined, left, room_of, written

WAIT = 30_000
"""Milliseconds for which the homeserver holds a sync while nothing happens."""

FILTER = {"room": {"timeline": {"limit": 50}, "ephemeral": {"types": []}}, "presence": {"types": []}}

PATIENCE = 3600.0
"""Seconds after which nobody waits for an answer any more."""

AGAIN = 5.0
"""Seconds before what failed for no reason of ours is tried again."""

LATELY = 10_000
"""Messages of which it is known what stands below them, and that are gone; of others the homeserver is asked."""

log = logging.getLogger(__name__)


class Matrix:
    """`single`: a homeserver tells every session everything, so one router receives. All of them send."""

    name = NAME
    single = True

    def __init__(self, config: Config) -> None:
        self._config = config
        self._made: nio.AsyncClient | None = None
        self._since: str | None = None
        self._buttons: dict[str, dict[str, tuple[str, str]]] = {}
        """By message, what stands below it: by label the button's id, and the reaction's."""
        self._gone: dict[str, bool] = {}

    @property
    def _client(self) -> nio.AsyncClient:
        if self._made is None:
            patient = nio.AsyncClientConfig(max_limit_exceeded=0, max_timeouts=0)  # how long to wait is the core's affair
            self._made = nio.AsyncClient(self._config.homeserver, self._config.user, config=patient)
            self._made.access_token, self._made.user_id = self._config.token.get_secret_value(), self._config.user
        return self._made

    def limits(self, to: Address) -> Limits:
        """An event has 65,536 bytes at most, and a text is in it three times when it is edited, once as HTML."""
        return Limits(
            text=4000, file=50 << 20, edit_interval=self._config.edit_interval, files_per_post=1, files_per_edit=0, patience=PATIENCE
        )

    async def run(self, deliver: Deliver) -> None:
        """A batch counts as received once the next one is asked for; after a start the last events of each room come again."""
        self._client.next_batch = ""
        while True:
            found = await self._asked(self._client.sync(WAIT if self._since else 0, FILTER, self._since))
            async for message in self._arrivals(found, first=self._since is None):
                await deliver(message)
            self._since = found.next_batch
            for kept in (self._buttons, self._gone):
                for id in list(kept)[:-LATELY]:
                    del kept[id]

    async def send(self, to: Address, post: Post, nonce: str) -> str:
        """The nonce is Matrix's own transaction id: the same one gives the same event."""
        content = await self._content(post)
        thread = {"rel_type": "m.thread", "event_id": to.thread} if to.thread else {}
        quote = {"m.in_reply_to": {"event_id": post.reply_to}} if post.reply_to else {}
        if thread or quote:
            content["m.relates_to"] = thread | quote
        id = await self._put(room_of(to), "m.room.message", content, nonce)
        self._buttons.setdefault(id, {})
        await self._label(room_of(to), id, post)
        return id

    async def edit(self, to: Address, message: str, post: Post) -> None:
        """Raises MessageGone for one that was seen to be redacted; a homeserver takes changes to it in silence."""
        if message in self._gone:
            raise MessageGone("the message is redacted")
        content = await self._content(post)
        change = {"rel_type": "m.replace", "event_id": message}
        edited = {**content, "body": f"* {content['body']}", "m.new_content": content, "m.relates_to": change}
        await self._put(room_of(to), "m.room.message", edited)
        await self._label(room_of(to), message, post)

    async def delete(self, to: Address, message: str) -> None:
        """Redacting what is redacted is no error."""
        await self._asked(self._client.room_redact(room_of(to), message))

    async def read(self, attachment: Attachment) -> AsyncIterator[bytes]:
        """In one piece."""
        yield (await self._asked(self._client.download(attachment.id))).body

    async def sign(self, to: Address) -> None:
        """Shows for ten seconds that somebody is typing."""
        await self._asked(self._client.room_typing(room_of(to), True, 10_000))

    async def leave(self, server: str) -> None:
        """Leaves a room."""
        await self._asked(self._client.room_leave(server))

    async def close(self) -> None:
        """Ends the connections."""
        if self._made is not None:
            await self._made.close()

    async def _arrivals(self, found: Any, *, first: bool) -> AsyncIterator[Message]:
        for id in found.rooms.invite:
            told = await self._reached(self._client.join(id))
            if isinstance(told, nio.ErrorResponse) and told.status_code != "M_LIMIT_EXCEEDED":
                log.warning("invited to %s, but there is no way in: %s", id, told)
                await self._reached(self._client.room_leave(id))  # whatever comes of it: nobody else is to wait for that
                continue
            await self._fine(told)
            yield joined(id)
        for id in found.rooms.leave:
            yield left(id)
        for id, info in found.rooms.join.items():
            for made in (one for one in (*info.state, *info.timeline.events) if isinstance(one, nio.RoomCreateEvent)):
                crown(self._client.rooms[id], made)
            for event in info.timeline.events:
                if isinstance(event, nio.RedactionEvent):
                    self._gone[event.redacts] = True
                if event.sender != self._config.user and (message := await self._arrival(self._client.rooms[id], event, first)):
                    yield message

    async def _arrival(self, room: nio.MatrixRoom, event: nio.Event, first: bool) -> Message | None:
        if isinstance(event, nio.ReactionEvent):
            below = await self._below(room.room_id, event.reacts_to)
            if event.key in below:
                return clicked(room, event, self._config.user, below[event.key][0])
        quoted = None
        if about := event.source.get("content", {}).get("m.relates_to", {}).get("m.in_reply_to", {}).get("event_id"):
            with suppress(ConnectorError):  # it may be older than what the bot may see
                quoted = (await self._asked(self._client.room_get_event(room.room_id, about))).event
        return arrival(room, event, self._config.user, quoted, found=first)

    async def _content(self, post: Post) -> Json:
        """Where there is a file, the text is its caption."""
        if not post.uploads:
            return written(post)
        (file,) = post.uploads
        told, _ = await self._client.upload(lambda *_: file.content, file.mime, file.name, filesize=len(file.content))
        return written(post, (await self._fine(told)).content_uri)

    async def _label(self, room: str, message: str, post: Post) -> None:
        """Puts and takes away reactions until they are the post's buttons."""
        below, wanted = await self._below(room, message), {key.label: key.id for key in post.keys}
        for label, (id, reaction) in list(below.items()):
            if wanted.get(label) != id:
                del below[label]
                await self._asked(self._client.room_redact(room, reaction))
        for label, id in wanted.items():
            if label not in below:
                about = {"rel_type": "m.annotation", "event_id": message, "key": label}
                reaction = await self._put(room, "m.reaction", {"m.relates_to": about, BUTTON: id}, f"{message}-{id}")
                below[label] = id, reaction

    async def _below(self, room: str, message: str) -> dict[str, tuple[str, str]]:
        """Another process may have put them there."""
        if message not in self._buttons:
            related = self._client.room_get_event_relations(room, message, RelationshipType.annotation, "m.reaction")
            try:
                ours = [event async for event in related if event.sender == self._config.user and BUTTON in event.source["content"]]
            except AttributeError:  # how nio meets a refusal, such as for what was said before the bot came
                return {}
            self._buttons[message] = {event.key: (event.source["content"][BUTTON], event.event_id) for event in ours}
        return self._buttons[message]

    async def _put(self, room: str, kind: str, content: Json, transaction: str = "") -> str:
        sent = await self._asked(self._client.room_send(room, kind, content, transaction or uuid.uuid4().hex))
        return str(sent.event_id)

    async def _asked(self, call: Any) -> Any:
        return await self._fine(await self._reached(call))

    async def _reached(self, call: Any) -> Any:
        try:
            return await call
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ConnectorError(f"the homeserver is away: {error}", retry_after=AGAIN) from error

    async def _fine(self, response: Any) -> Any:
        if not isinstance(response, nio.ErrorResponse):
            return response
        match response.status_code:
            case "M_LIMIT_EXCEEDED":
                raise ConnectorError(str(response), retry_after=(response.retry_after_ms or 1000) / 1000, limited=True)
            case "M_FORBIDDEN":
                raise NotAllowed(str(response), "I may not write in this room: give me the power level that sending messages needs.")
            case "M_NOT_FOUND" | "M_TOO_LARGE" | "M_UNKNOWN_TOKEN" | "M_BAD_JSON":
                raise ConnectorError(str(response))
        raise ConnectorError(str(response), retry_after=AGAIN)
