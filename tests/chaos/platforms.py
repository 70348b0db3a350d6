"""A Discord and a Telegram, each behind a proxy, and what goes wrong with them. People who use them: `people.py`."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from tests.chaos.proxy import Pair, Proxy, Trouble
from tests.wire.discord_server import TOKEN as DISCORD_TOKEN
from tests.wire.discord_server import Discord, Fault, serving
from tests.wire.telegram_rules import Pace, Refusal
from tests.wire.telegram_server import TOKEN as TELEGRAM_TOKEN
from tests.wire.telegram_server import Telegram

CONFIG = """
[admission]
servers = "open"
direct = "open"
[connectors.discord]
token = "{discord_token}"
api_url = "{discord}/api/v10"
gateway_url = "{gateway}"
cdn_url = "{discord}"
catch_up = 300.0
[connectors.telegram]
token = "{telegram_token}"
api_url = "{telegram}"
file_url = "{telegram}/file"
"""

SENDING = ("sendMessage", "editMessageText", "deleteMessage", "getUpdates", "answerCallbackQuery", "sendMessageDraft")

LATE = ("was acknowledged after", "was acknowledged twice", "was not acknowledged within")
"""What a bot must not do to interactions, and one whose process was halted or killed cannot help."""

RECENT = 20
"""Events back to which a platform repeats itself."""

Kinds = dict[str, tuple[int, Callable[[], Awaitable[bool]]]]


class Platforms:
    """Both; `faults` is what our processes did that nobody may do to them."""

    def __init__(self, seed: int) -> None:
        self.discord = Discord()
        self.telegram = Telegram(Pace(time.monotonic))
        self.faults: list[str] = []
        self.proxies: dict[str, Proxy] = {}
        self._rng = random.Random(f"{seed} platforms")

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Platforms]:
        """On ports of their own."""
        async with serving(self.discord), self.telegram.serving():
            for name, url in (("discord", self.discord.url), ("telegram", self.telegram.root)):
                self.proxies[name] = Proxy(int(urlsplit(url).port or 0), self._rng)
                await self.proxies[name].start()
            self.discord.gateway.url = f"ws://127.0.0.1:{self.proxies['discord'].port}/gateway/"
            try:
                yield self
            finally:
                for proxy in self.proxies.values():
                    await proxy.stop()
                self.faults = [one for one in self.discord.violations if not any(words in one for words in LATE)]
                self.discord.violations.clear()
                self.discord.interactions.made.clear()

    @property
    def config(self) -> str:
        """The tables of the configuration that lead to them."""
        discord, telegram = (f"http://127.0.0.1:{self.proxies[name].port}" for name in ("discord", "telegram"))
        gateway = self.discord.gateway.url.removesuffix("/")
        return CONFIG.format(
            discord=discord, gateway=gateway, telegram=telegram, discord_token=DISCORD_TOKEN, telegram_token=TELEGRAM_TOKEN
        )

    def used(self) -> bool:
        """Whether people find the bot there, with its commands."""
        return (
            self.telegram.polled
            and self.discord.gateway.ready
            and any(self.discord.world.commands.get(id) for id in self.discord.world.guilds)
        )

    def heal(self) -> None:
        """Nothing is in trouble any more."""
        for proxy in self.proxies.values():
            proxy.heal()
        self.discord.gateway.refuse_resume = False

    @property
    def kinds(self) -> Kinds:
        """What can go wrong, by how often."""
        return {
            "Discord refuses for a while (429)": (4, self._discord_refuses),
            "Discord fails (5xx)": (4, self._discord_fails),
            "Discord disconnects": (2, self._discord_disconnects),
            "Discord asks to reconnect": (2, self._discord_asks),
            "Discord forgets its sessions": (2, self._discord_forgets),
            "Discord says things twice": (6, self._discord_repeats),
            "Discord's status lines removed": (4, self._line_removed),
            "Telegram refuses for a while (429)": (4, self._telegram_refuses),
            "Telegram fails (5xx)": (4, self._telegram_fails),
            "Telegram says things twice": (6, self._telegram_repeats),
            "Telegram knows another poller": (2, self._conflict),
            "Telegram's answers lost": (3, self._telegram_silent),
            "platforms' requests lost": (3, lambda: self._hit("lose request")),
            "platforms' replies lost": (3, lambda: self._hit("lose reply")),
            "platforms silent for a while": (2, lambda: self._hit("silence", heals=True)),
            "platforms' connections cut": (4, self._cut),
        }

    def _wait(self) -> int:
        return self._rng.choice((1, 1, 2, 5))

    async def _discord_refuses(self) -> bool:
        wait = self._wait()
        body = {"message": "You are being rate limited.", "retry_after": float(wait), "global": self._rng.random() < 0.2}
        headers = {"Retry-After": f"{wait}", "Via": "1.1 wire"} | ({"X-RateLimit-Global": "true"} if body["global"] else {})
        self.discord.faults.append(Fault(self._verb(), "/messages", 429, body, headers, self._rng.choice((1, 3))))
        return True

    async def _discord_fails(self) -> bool:
        status = self._rng.choice((500, 502, 503))
        where = self._rng.choice(("/messages", "/messages", "/callback", "/webhooks", "/gateway", "/commands"))
        self.discord.faults.append(
            Fault(self._verb(), where, status, {"message": "Bad Gateway", "code": 0}, times=self._rng.choice((1, 3)))
        )
        return True

    def _verb(self) -> str:
        return self._rng.choice(("POST", "PATCH", "PATCH", "GET", "DELETE"))

    async def _discord_disconnects(self) -> bool:
        await self.discord.gateway.drop(self._rng.choice((1001, 4000)))
        return True

    async def _discord_asks(self) -> bool:
        await self.discord.gateway.ask_to_reconnect()
        return True

    async def _discord_forgets(self) -> bool:
        """Whoever comes back within three seconds has to begin anew; what was said meanwhile is in the channels alone."""
        self.discord.gateway.refuse_resume = True
        await self.discord.gateway.drop()
        await asyncio.sleep(3.0)
        self.discord.gateway.refuse_resume = False
        return True

    async def _discord_repeats(self) -> bool:
        """As a RESUME does, from too early."""
        sessions = [one for one in self.discord.gateway.sessions.values() if one.socket is not None]
        told = [frame for one in sessions for frame in one.sent[-RECENT:] if frame["t"] == "MESSAGE_CREATE"]
        if not told:
            return False
        frame = self._rng.choice(told)
        await self.discord.gateway.dispatch(frame["t"], frame["d"], frame["d"].get("guild_id", ""))
        return True

    async def _line_removed(self) -> bool:
        """A moderator takes away what the bot says of its work."""
        bot = self.discord.world.bot["id"]
        lines = [
            message
            for channel in self.discord.world.messages.values()
            for message in list(channel.values())[-RECENT:]
            if message["author"]["id"] == bot and message["components"] and "_interaction" not in message
        ]
        if lines:
            await self.discord.delete(self._rng.choice(lines))
        return bool(lines)

    async def _telegram_refuses(self) -> bool:
        wait = self._wait()
        refusal = Refusal(429, f"Too Many Requests: retry after {wait}", retry_after=wait)
        self.telegram.fail(self._rng.choice(SENDING), *[refusal] * self._rng.choice((1, 3)))
        return True

    async def _telegram_fails(self) -> bool:
        self.telegram.fail(self._rng.choice(SENDING), *[Refusal(502, "Bad Gateway")] * self._rng.choice((1, 3)))
        return True

    async def _telegram_repeats(self) -> bool:
        """What somebody said, as another update: Telegram says that it may happen."""
        said = [one for one in self.telegram.told[-RECENT:] if "message" in one]
        if said:
            number = self.telegram.told[-1]["update_id"]
            self.telegram.again({**self._rng.choice(said), "update_id": number})
        return bool(said)

    async def _conflict(self) -> bool:
        self.telegram.fail("getUpdates", Refusal(409, "Conflict: terminated by other getUpdates request"))
        return True

    async def _telegram_silent(self) -> bool:
        """Carried out, and the answer never comes."""
        self.telegram.fail(self._rng.choice(SENDING), None)
        return True

    async def _hit(self, trouble: Trouble, *, heals: bool = False) -> bool:
        proxy = self._rng.choice(list(self.proxies.values()))
        found = proxy.hit(lambda pair: setattr(pair, "trouble", trouble), self._rng.choice((0.0, 0.3)))
        if heals:
            await asyncio.sleep(self._rng.choice((1.0, 4.0)))
            proxy.heal()
        return found > 0

    async def _cut(self) -> bool:
        return self._rng.choice(list(self.proxies.values())).hit(Pair.cut, self._rng.choice((0.0, 0.3, 1.0))) > 0
