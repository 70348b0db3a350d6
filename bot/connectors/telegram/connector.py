"""The connector of Telegram: receives, sends, edits, deletes, downloads. What each of these takes: the other files here."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any, Literal, TypeVar

import httpx
import structlog
from telegram import Bot
from telegram.error import BadRequest, InvalidToken, TelegramError

from bot.connector import Deliver, Limits, Need, Offer, Post
from bot.connectors.telegram import faults
from bot.connectors.telegram.aside import WORKING, Aside
from bot.connectors.telegram.clicks import VIA, Clicks
from bot.connectors.telegram.downloads import Downloads
from bot.connectors.telegram.drafts import Drafts
from bot.connectors.telegram.members import MANAGING, ROLES, Members
from bot.connectors.telegram.menu import listed
from bot.connectors.telegram.polling import WAIT, Polling
from bot.connectors.telegram.reading import Reader, placed
from bot.connectors.telegram.receiving import Receiver
from bot.connectors.telegram.requests import Requests
from bot.connectors.telegram.rights import withheld
from bot.connectors.telegram.sending import MOST_CAPTION, MOST_TEXT, Sender, said
from bot.connectors.telegram.steps import Steps
from bot.connectors.telegram.styled import Styled
from bot.connectors.telegram.surroundings import Names, Surroundings
from bot.connectors.telegram.webhooks import Hook, Webhook
from bot.errors import MessageGone
from bot.messages import Address, Attachment, Message, Said

PUBLIC = "https://api.telegram.org"

MOST_UPLOAD = 50_000_000
PREVIEW = 6.0
"""Seconds between two pictures in a status line."""

RATE = 20.0
"""Messages a second for the whole bot. Telegram takes 30, and what is sent within a second and a half may arrive within one."""

EDITS_DIRECT = 1.0
EDITS_GROUP = 3.0
"""Seconds between two changes of what is shown meanwhile."""

BUDGET_DIRECT = 3, 3.5
BUDGET_GROUP = 20, 62.0
"""Telegram takes about one message a second from a person's chat and 20 a minute from a group, edits included; and a call may be on
its way for longer than the next one."""

PATIENCE = 30.0
"""Seconds for one call; files take longer to send than words."""

REMEMBERED = 1024
"""Posts of which it is known what stands already, where not all of their calls were taken."""

T = TypeVar("T")
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Account:
    """A bot's token and where its platform is.

    `wait` in seconds is how long one call for updates may last, `patience` how late a message may come to be answered still; with a
    `hook`, Telegram brings updates itself.
    """

    token: str
    api_url: str = PUBLIC
    file_url: str = "https://api.telegram.org/file"
    proxy: str | None = None
    wait: int = WAIT
    patience: float = inf
    hook: Hook | None = None


def limits(patience: float, *, direct: bool) -> Limits:
    """Of a chat with one person, or of a group."""
    interval, budget = (EDITS_DIRECT, BUDGET_DIRECT) if direct else (EDITS_GROUP, BUDGET_GROUP)
    more: dict[str, Any] = {"files_per_edit": 1, "caption": MOST_CAPTION, "utf16": True, "preview_interval": PREVIEW, "spoilers": True}
    return Limits(MOST_TEXT, MOST_UPLOAD, interval, rate=RATE, patience=patience, budget=budget, **more)


class TelegramConnector:
    """Speaks to Telegram as one bot. Any number of routers may send."""

    name = "telegram"
    picks = False

    def __init__(self, account: Account, names: Names) -> None:
        self._account = account
        self._requests = Requests(PATIENCE, account.proxy), Requests(PATIENCE, account.proxy)
        self._bot = Bot(account.token, f"{account.api_url}/bot", f"{account.file_url}/bot", *self._requests)
        self._files = httpx.AsyncClient(proxy=account.proxy, timeout=PATIENCE, trust_env=False)
        self._sender = Sender(self._bot)
        self._polling: Polling | None = None
        self._drafts: Drafts | None = Drafts(self._draft)
        self._clicks = Clicks(self._confirm)
        self._aside: Aside | None = None
        self._begun: OrderedDict[str, Steps] = OrderedDict()
        self._starting = asyncio.Lock()
        self._started = False
        self._members = Members(self._bot.get_chat_member)
        self._limits = {direct: limits(account.patience, direct=direct) for direct in (False, True)}
        self._surroundings = Surroundings(names)

    @property
    def single(self) -> bool:
        """Updates can be asked for by one router at a time; brought they are to any."""
        return self._account.hook is None

    def limits(self, to: Address) -> Limits:
        """Groups take fewer edits than people."""
        return self._limits[to.direct]

    async def run(self, deliver: Deliver) -> None:
        """Receives until cancelled."""
        bot = await self._ready()
        reader = Reader(await bot.get_me(), self._members.status, self._surroundings)
        receiver = Receiver(bot, reader, deliver, self._clicks.came)
        await deliver(receiver.reader.ready())
        if self._account.hook is not None:
            await self._asked(Webhook(self._account.hook, receiver).run)
        await self._asked(bot.delete_webhook)
        url = f"{self._account.api_url}/bot{self._account.token}"
        self._polling = Polling(url, self._requests[1], receiver, self._account.wait)
        await self._asked(self._polling.run)

    def trouble(self) -> str:
        """ "" while Telegram answers."""
        return self._polling.told if self._polling is not None else ""

    async def publish(self, server: str, offers: Sequence[Offer]) -> None:
        """Lists the commands of a group, or with "" those for people alone with the bot."""
        bot = await self._ready()
        await self._asked(lambda: listed(bot, server, offers))

    async def send(self, to: Address, post: Post, nonce: str) -> str:
        """The new message's id; "" for a draft, which the same nonce changes and a message replaces."""
        bot = await self._ready()
        if post.private and not to.direct:
            if not post.busy:
                aside = self._aside = self._aside or Aside(self._sender, self._clicks, f"https://t.me/{bot.username}")
                return await self._step_by_step(nonce, lambda steps: aside.send(to, post, steps))
            post = replace(post, text=WORKING, uploads=())
        await self._clicks.over(post.via)
        if post.partial and to.direct and self._drafts is not None and not post.uploads:
            shown = await self._drafted(self._drafts, to, post, nonce)
            if shown:
                return ""
        if self._drafts is not None:
            await self._drafts.end(to)
        return await self._step_by_step(nonce, lambda steps: self._sender.send(to, post, steps))

    async def _step_by_step(self, nonce: str, send: Callable[[Steps], Awaitable[str]]) -> str:
        """Sends a post that may take several calls; what those before a fault did is known when it is tried once more."""
        steps = self._begun.setdefault(nonce, {})
        if len(self._begun) > REMEMBERED:
            self._begun.popitem(last=False)
        sent = await self._asked(lambda: send(steps), once=True)
        self._begun.pop(nonce, None)
        return sent

    async def edit(self, to: Address, message: str, post: Post) -> None:
        """Replaces a message; what only one person was shown stays as it was."""
        await self._ready()
        if message.startswith(VIA) or (self._aside and self._aside.stands(to, message)):
            await self._clicks.over(post.via)
            return
        if post.private and not to.direct:
            if not post.busy:
                raise MessageGone("a group's message cannot become an answer for one person")
            post = replace(post, text=WORKING, uploads=())
        await self._clicks.over(post.via)
        await self._asked(lambda: self._sender.edit(to, message, post))

    async def delete(self, to: Address, message: str) -> None:
        """Takes a message away; nothing follows a click that is named instead."""
        await self._ready()
        if message.startswith(VIA):
            await self._clicks.over(message)
            return
        await self._asked(lambda: self._sender.delete(to, message))

    async def objection(self, to: Address, need: Need) -> str | None:
        """What privacy mode or missing rights keep from the bot there, as Telegram says it now. Raises ConnectorError."""
        if to.direct:
            return None
        bot = await self._ready()
        me = await self._asked(bot.get_me)
        here = await self._asked(lambda: self._sender.call(to, lambda chat: bot.get_chat_member(chat, me.id)))
        return withheld(need, hears=bool(me.can_read_all_group_messages), administers=here.status in MANAGING)

    async def known(self, to: Address, kind: Literal["channel", "role", "person"]) -> Mapping[str, str]:
        """What a group has, as far as it was heard: Telegram lists its administrators alone."""
        match kind:
            case "role":
                return {} if to.direct else ROLES
            case "person" if not to.direct:
                bot = await self._ready()
                admins = await self._asked(lambda: self._sender.call(to, bot.get_chat_administrators))
                people = {str(one.user.id): one.user.full_name for one in admins if not one.user.is_bot}
                return {**await self._surroundings.people(to), **people}
            case "channel" if not to.direct:
                return await self._surroundings.topics(to)
        return {}

    async def placed(self, message: Message) -> Message:
        """Asks of whom reading did not; a channel that speaks is nobody. Who only said something to others is what they lately were."""
        known = message.manages or message.guest or message.roles or message.address.direct
        if known or not message.sender.id.isdecimal():
            return message
        chat = self._sender.moved.get(message.address.server, int(message.address.server))
        return placed(message, await self._members.status(chat, int(message.sender.id), lately=isinstance(message.trigger, Said)))

    async def leave(self, server: str) -> None:
        """Leaves a group."""
        bot = await self._ready()
        await self._asked(lambda: bot.leave_chat(int(server)))

    async def sign(self, to: Address) -> None:
        """Telegram shows for five seconds that somebody types."""
        bot = await self._ready()
        topic = int(to.thread) if to.thread else None
        await self._asked(lambda: bot.send_chat_action(int(to.server), "typing", message_thread_id=topic))

    async def read(self, attachment: Attachment) -> AsyncIterator[bytes]:
        """The attachment's bytes, in pieces. Raises UserError for one that is larger than Telegram lets bots read."""
        bot, root = await self._ready(), f"{self._account.file_url}/bot{self._account.token}"
        async for piece in Downloads(bot, self._files, root, self._account.api_url != PUBLIC).pieces(attachment):
            yield piece

    async def close(self) -> None:
        """Ends all connections."""
        await self._clicks.close()
        if self._drafts is not None:
            await self._drafts.close()
        await self._files.aclose()
        for request in self._requests:
            await request.shutdown()

    async def _ready(self) -> Bot:
        """The bot, once it knows itself. Raises ConnectorError."""
        async with self._starting:
            if not self._started:
                await self._asked(self._bot.initialize)
                self._started = True
        return self._bot

    async def _asked(self, call: Callable[[], Awaitable[T]], *, once: bool = False) -> T:
        """The result of a call, or a ConnectorError.

        One that should be made `once` may have been carried out although its answer never came: trying again may double it, which the
        log counts.
        """
        try:
            return await call()
        except TelegramError as error:
            if once and faults.unknown(error):
                log.warning("telegram.unsure", fault=error.message)
            raise faults.translated(error) from error

    async def _confirm(self, click: str, words: str) -> None:
        await self._bot.answer_callback_query(click, words or None, show_alert=bool(words) or None)

    async def _drafted(self, drafts: Drafts, to: Address, post: Post, nonce: str) -> bool:
        """Whether a draft stands; False from a server that knows no drafts, which is not asked again."""
        try:
            await drafts.show(to, nonce, said(post.text, MOST_TEXT))
        except (InvalidToken, BadRequest) as error:  # the library's name for a method that is not there
            log.info("this server shows no drafts: edits take their place", fault=error.message)
            self._drafts = None
            await drafts.close()
            return False
        except TelegramError as error:
            raise faults.translated(error) from error
        return True

    async def _draft(self, to: Address, number: int, words: Styled) -> None:
        topic = int(to.thread) if to.thread else None
        await self._bot.send_message_draft(int(to.server), number, words.text, message_thread_id=topic, entities=words.entities)
