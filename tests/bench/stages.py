"""The platforms on which bots race: Discord and Telegram of the tests, which say when words left for the bot and when its answer came."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

from aiohttp import web

from tests.wire import discord_server, telegram_server
from tests.wire.discord_limits import Limiter
from tests.wire.discord_server import Discord, serving
from tests.wire.telegram_chats import person
from tests.wire.telegram_server import Telegram

CHATS = 100
"""In which people talk, because platforms and libraries keep the order within one."""

WORDS = "How many messages does it take to fill a room?"

PATIENCE = 60.0
"""Seconds in which an answer comes."""


class Echoes:
    """What was said and not yet answered; each begins with its number."""

    def __init__(self) -> None:
        self._asked = 0
        self._waiting: dict[str, asyncio.Future[float]] = {}

    def next(self) -> tuple[int, str, asyncio.Future[float]]:
        """A number, what to say, and when its answer comes."""
        self._asked += 1
        came = self._waiting[str(self._asked)] = asyncio.get_running_loop().create_future()
        return self._asked, f"{self._asked} {WORDS}", came

    def came(self, words: Any, at: float) -> None:
        """An answer, whose first bytes came at that moment."""
        waiting = self._waiting.pop(str(words).partition(" ")[0], None)
        if waiting is not None:
            waiting.set_result(at)


class Stage(Protocol):
    """A platform, with one bot on it."""

    @property
    def where(self) -> tuple[str, ...]:
        """What its bot is told: which platform it is, where, and the token."""

    @property
    def ready(self) -> bool:
        """Whether its bot hears."""

    async def ask(self) -> float:
        """Says something; the seconds from its bytes on the socket to those of the answer."""


class OnDiscord(Discord):
    """A guild with many channels, and limits that nothing reaches. `prefix` is what calls the bot."""

    def __init__(self, prefix: str = "") -> None:
        super().__init__()
        self._prefix = prefix
        self._echoes = Echoes()
        self.limiter = Limiter(scale=1e9)
        guild = self.world.guild("Lounge")
        self._channels = [self.world.channel(guild, f"room-{number}") for number in range(CHATS)]
        self._ada = self.world.user("Ada")

    @property
    def where(self) -> tuple[str, ...]:
        return "discord", f"{self.url}{discord_server.ROOT}", self.gateway.url, discord_server.TOKEN

    @property
    def ready(self) -> bool:
        return self.gateway.ready

    async def ask(self) -> float:
        number, words, came = self._echoes.next()
        began = time.perf_counter()
        await self.say(self._channels[number % CHATS], self._ada, f"{self._prefix}{words}")
        return await asyncio.wait_for(came, PATIENCE) - began

    async def handle(self, request: web.Request) -> web.StreamResponse:
        at = time.perf_counter()
        answer = await super().handle(request)
        if (made := self.record.pop()).route == "/channels/{channel}/messages" and made.method == "POST":
            self._echoes.came(made.body.get("content"), at)
        return answer


class OnTelegram(Telegram):
    """Many groups, and limits that nothing reaches."""

    def __init__(self) -> None:
        super().__init__()
        self._echoes = Echoes()
        self._groups = [self.chats.group(-1000 - number, f"Lounge {number}") for number in range(CHATS)]
        self._ada = person(11, "Ada")

    @property
    def where(self) -> tuple[str, ...]:
        return "telegram", self.root, telegram_server.TOKEN

    @property
    def ready(self) -> bool:
        return self.polled

    async def ask(self) -> float:
        number, words, came = self._echoes.next()
        began = time.perf_counter()
        self.chats.say(self._groups[number % CHATS], self._ada, words)
        return await asyncio.wait_for(came, PATIENCE) - began

    async def answer(self, request: web.Request) -> web.Response:
        at = time.perf_counter()
        answer = await super().answer(request)
        if request.match_info["method"] == "sendMessage":
            self._echoes.came(self.calls[-1].params.get("text"), at)
        return answer


@asynccontextmanager
async def stage(platform: str, prefix: str = "") -> AsyncIterator[Stage]:
    """One of them, on a port of its own."""
    if platform == "discord":
        async with serving(OnDiscord(prefix)) as discord:
            assert isinstance(discord, OnDiscord)
            yield discord
    else:
        async with OnTelegram().serving() as telegram:
            assert isinstance(telegram, OnTelegram)
            yield telegram
