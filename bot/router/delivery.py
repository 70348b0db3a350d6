"""The one way anything reaches a chat: a status line that becomes the answer, paced and retried. What fits in a post: `posts.py`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import structlog

from bot.connector import Connector, Key, Post, Signing
from bot.errors import ConnectorError, MessageGone, StoreError, UserError
from bot.messages import Clicked, Image
from bot.metrics import RouterMetrics
from bot.replies import Reply, reply_json
from bot.router.clicking import CANCEL
from bot.router.insisting import Insisting, Tell
from bot.router.journal import Journal, outlasting
from bot.router.pace import Pace
from bot.router.posts import Posts
from bot.router.splitting import beginning
from bot.store.tickets import Superseded
from bot.translation import tr

SLOW = 30.0
"""Seconds after which an answer is sent anew as a reply, because an edit notifies nobody."""

PAUSE = 0.05
"""Seconds until it is looked again whether the ticket is still ours."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What lines need to reach their chats."""

    connectors: Mapping[str, Connector]
    posts: Posts
    pace: Pace
    tell: Tell | None = None
    metrics: RouterMetrics = field(default_factory=RouterMetrics)
    unsure: set[str] = field(default_factory=set)
    """Tickets of which something is being sent, or was and is not written down yet: cut off now, it might be said again."""

    def line(self, journal: Journal) -> Line:
        """The visible outcome of a ticket."""
        return Line(self, journal)


@dataclass(frozen=True, slots=True)
class Status:
    """What a status line is to show; the picture is fetched when it is shown."""

    post: Post
    picture: Image | None = None


class Line:
    """The one visible outcome of a ticket.

    `show` puts up a status line and keeps it current, newest wins; `settle` turns it into the answer. The id of the
    status line is journalled before anything follows, so a replay edits the same one.
    """

    def __init__(self, delivery: Delivery, journal: Journal) -> None:
        self._delivery = delivery
        self._journal = journal
        self._address = journal.message.address
        self._connector = delivery.connectors[self._address.connector]
        self._limits = self._connector.limits(self._address)
        self._calls = Insisting(self._connector, self._address, self._limits, delivery.pace, delivery.metrics, delivery.tell)
        self._newest: Status | None = None
        self._shown: Status | None = None
        self._next_picture = 0.0
        self.speaking = False
        """Whether the beginning of the answer was shown."""
        self.sent: list[str] = []
        """The messages that this run made, or made the answer."""
        self._pump: asyncio.Task[None] | None = None
        self._patient = False
        self._calling = False
        self._begun = False
        self._faulty = False
        self._stands = ""
        """The status line, where Redis was away before it could be written down."""

    @property
    def failed(self) -> bool:
        """Whether the platform would not take something."""
        return self._calls.failed

    @property
    def pace(self) -> float:
        """Seconds between two edits."""
        return self._limits.edit_interval

    def show(self, reply: Reply, *, after: float = 0.0, partial: bool = False, offers: Sequence[Key] = ()) -> None:
        """Shows this unless something newer comes first; `after` seconds of grace spare quick answers a flicker.

        `partial` says that it is the beginning of the answer, `offers` are buttons beside Cancel. A quiet server sees these alone.
        """
        if self._journal.ticket.body.quiet and not partial and not offers:
            return
        self.speaking = partial or self.speaking
        post = Post(
            beginning(reply.text, self._limits),
            keys=(Key(f"{CANCEL}{self._journal.ticket.id}", tr("Cancel")), *offers),
            reply_to=self._journal.message.id,
            silent=reply.silent,
            private=reply.private,
            busy=True,
            partial=partial,
            via=self._journal.message.via,
            opening=True,
            about=self._journal.message.id,
            person=self._journal.message.sender.id,
        )
        pictures = [part for part in reply.parts if isinstance(part, Image)] if self._limits.preview_interval else []
        self._newest = Status(post, pictures[-1] if pictures else None)
        if self._patient and not after:
            self._drop_pump()
        if not self._faulty and (self._pump is None or self._pump.done()):
            self._pump = asyncio.create_task(self._keep_current(after if self._shown is None else 0.0))

    def _drop_pump(self) -> None:
        if self._pump is not None:
            self._pump.cancel()
        self._pump = None

    async def _keep_current(self, after: float) -> None:
        self._patient = after > 0.0
        if after > 0.0:
            await self._sign()
        await asyncio.sleep(after)
        self._patient = False
        while self._newest is not None and self._newest != self._shown:
            if self._newest.picture is not None:
                await asyncio.sleep(self._next_picture - time.monotonic())
            await self._delivery.pace.turn(self._address, self._limits)
            if not self._journal.held:  # the answer of whoever took over may stand there
                await asyncio.sleep(PAUSE)
                continue
            status, self._calling = self._newest, True
            try:
                await self._put(await self._drawn(status))
            except (ConnectorError, StoreError) as error:  # a partial that is lost costs nothing, the next one holds all of it
                await self._calls.hold(error, getattr(error, "retry_after", None) or 1.0)
                log.debug("status line not shown", fault=str(error))
            except Superseded:
                return
            except Exception:  # a fault of ours: the answer may be delivered all the same
                log.exception("status line cannot be shown", connector=self._connector.name)
                self._faulty = True
                return
            finally:
                self._calling = False
            self._shown = status

    async def _sign(self) -> None:
        """That something is coming, before there is anything to show."""
        if isinstance(self._connector, Signing):
            with suppress(ConnectorError):
                await self._connector.sign(self._address)

    async def _drawn(self, status: Status) -> Post:
        """The post with its picture, if that is kept still and not too large."""
        if status.picture is None:
            return status.post
        self._next_picture = time.monotonic() + self._limits.preview_interval
        try:
            upload = await self._delivery.posts.upload(status.picture)
        except UserError:
            return status.post
        return replace(status.post, uploads=(upload,)) if len(upload.content) <= self._limits.file else status.post

    async def _put(self, post: Post) -> None:
        status = self._status()
        if status is not None:
            await self._connector.edit(self._address, status, post)
            return
        if not self._stands:
            self._begun = True
            self._stands = await self._unsure(post, self._journal.ref)
            self._begun = bool(self._stands)
            self.sent += [self._stands] if self._stands else []
        if self._stands:  # this is not waited for: who stops the line would wait for Redis, too
            await self._journal.write("status", self._stands.encode())
            self._delivery.unsure.discard(self._journal.ticket.id)

    def _status(self) -> str | None:
        found = self._journal.find("status")
        return None if found is None else found.decode()

    async def settle(self, reply: Reply | None) -> None:
        """Delivers the answer, complete and in order; None takes the status line away."""
        await self.close()
        if self._stands and self._status() is None:
            await self._write("status", self._stands)
        status = self._status()
        elsewhere = reply is None or await self._delivered(reply, status)
        if elsewhere and (left := status or (self._journal.message.via if reply is None else "")):
            await self._calls.insist(lambda: self._connector.delete(self._address, left))

    async def _delivered(self, reply: Reply, status: str | None) -> bool:
        """Whether the answer stands elsewhere than in the status line."""
        posts = await self._delivery.posts.of(reply, self._journal, self._limits)
        # A handler need not run again while its answer goes out; and a run that was overtaken stops here, before it edits anything.
        if len(posts) > 1 or self._journal.touched or self._journal.again:
            await self._journal.write("outcome", reply_json.dump_json(reply))
        message = self._journal.message
        pressed = message.reply_to if reply.instead and isinstance(message.trigger, Clicked) else None
        if pressed is not None and await self._became(pressed.id, posts[0]):
            await self._send(posts[1:], "answer", 1)
            return True
        await self._answer(posts, status)
        return self._journal.find("sent.answer.0") is not None

    async def _answer(self, posts: list[Post], status: str | None) -> None:
        if status is not None:
            placed = self._may_become(posts[0]) and await self._became(status, posts[0])
        else:
            placed = self._journal.find("sent.answer.0") is None and await self._sent_over(posts)
        if placed:
            await self._send(posts[1:], "answer", 1)
        else:  # whatever stands there already, or was removed, is no place for it
            await self._send([replace(posts[0], opening=False), *posts[1:]], "answer", 0)

    def _may_become(self, post: Post) -> bool:
        """Whether the status line can become the answer, and nobody has to be notified of it."""
        early = self._journal.age() <= SLOW and self._journal.find("sent.answer.0") is None
        return early and len(post.uploads) <= self._limits.files_per_edit

    async def _became(self, status: str, post: Post) -> bool:
        """Turns the status line into the answer; False when somebody removed it meanwhile."""

        async def edit() -> bool:
            try:
                await self._connector.edit(self._address, status, post)
            except MessageGone:
                return False
            return True

        return await self._calls.insist(edit) is not False

    async def _sent_over(self, posts: Sequence[Post]) -> bool:
        """Sends the first post, which a status line with its nonce, not journalled when something died, becomes; False if that is gone."""
        id = await self._calls.insist(lambda: self._unsure(posts[0], self._journal.ref))
        if id and (self._begun or self._journal.again) and not await self._became(id, posts[0]):
            return False
        self.sent += [id] if id else []
        if len(posts) > 1:  # where nothing follows, the end of the ticket records it
            await self._write("sent.answer.0", id)
        return True

    async def post(self, reply: Reply, name: str) -> None:
        """Sends a message beside the answer, which replies to nothing unless it is private; `name` is unique within the ticket."""
        posts = await self._delivery.posts.of(reply, self._journal, self._limits)
        await self._send([replace(post, opening=False, reply_to=post.reply_to if post.private else "") for post in posts], name, 0)

    async def remove(self, message: str, name: str) -> None:
        """Takes a message of ours away; `name` is unique within the ticket."""
        if self._journal.find(name) is None:
            await self._calls.insist(lambda: self._connector.delete(self._address, message))
            await self._journal.write(name, b"")

    async def _send(self, posts: list[Post], name: str, first: int) -> None:
        for number, post in enumerate(posts, first):
            await self._send_once(post, f"sent.{name}.{number}")

    async def _send_once(self, post: Post, name: str) -> None:
        if self._journal.find(name) is None:
            nonce = f"{self._journal.ref}.{name}"
            id = await self._calls.insist(lambda: self._unsure(post, nonce))
            self.sent += [id] if id else []
            await self._write(name, id)

    async def _unsure(self, post: Post, nonce: str) -> str:
        """Sends it, and whether it stands there is unsure until it is written down, or the ticket ends."""
        self._delivery.unsure.add(self._journal.ticket.id)
        try:
            return await self._connector.send(self._address, post, nonce)
        except ConnectorError:
            self._delivery.unsure.discard(self._journal.ticket.id)
            raise

    async def _write(self, name: str, id: str | None) -> None:
        await outlasting(lambda: self._journal.write(name, (id or "").encode()))
        self._delivery.unsure.discard(self._journal.ticket.id)

    async def close(self) -> None:
        """Stops the status line; a call to the platform that is under way is waited for, never cut."""
        self._newest = None
        if not self._calling:
            self._drop_pump()
        elif self._pump is not None:
            await self._pump
