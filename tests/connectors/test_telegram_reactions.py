"""Reactions on Telegram, through a router: who may is asked for those that somebody listens to, and for no others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pytest
from redis.asyncio import Redis

from bot import Context, Listener, Reaction, Route, hookimpl
from bot.allowing import AdmissionTable, Allowed
from bot.connectors.telegram import TelegramConnector
from bot.permissions import Grant
from bot.plugins import Loaded, Plugins
from bot.router import app
from bot.router.app import running
from bot.store.keys import Keys
from bot.store.servers import Choices, Server, Servers
from bot.testing import wait_until
from tests.connectors.on_telegram import ANN, BEN
from tests.wire.telegram_chats import Chat, person
from tests.wire.telegram_server import Telegram


@dataclass
class Likes:
    """A plugin with one reaction, which hears what is said, too."""

    emoji: str

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return [Reaction("liked", self.emoji, self.liked), Listener("hear", lambda message: message.text == "anybody?", self.hear)]

    async def liked(self, ctx: Context) -> str:
        return f"{ctx.person.name} ({'admin' if ctx.message.manages else 'member'}) likes it"

    async def hear(self, ctx: Context) -> str:
        return f"{self.emoji} hears"


def asked(telegram: Telegram) -> list[int]:
    return [call["user_id"] for call in telegram.asked("getChatMember")]


@pytest.fixture
def chat(telegram: Telegram) -> Chat:
    made = telegram.chats.group(-1001, "Lounge", admins=[ANN])
    made.bot, made.members[BEN["id"]] = "administrator", "member"
    return made


@pytest.mark.parametrize("granted", [False, True])
async def test_who_reacts_is_asked_for_once_a_route_listens(
    telegram: Telegram, on_telegram: TelegramConnector, chat: Chat, redis: Redis, keys: Keys, granted: bool
) -> None:
    plugins = Plugins([Loaded("likes", Likes("👍")), Loaded("off", Likes("🔥"), enabled=False)])
    grants = (Grant(who="everyone", what="likes", allowed=False, name="everyone"),) if granted else ()
    await Servers(redis, keys).put(f"telegram/{chat.id}", Server(choices=Choices(grants=grants)))
    note = telegram.chats.say(chat, ANN, "a note")
    for id in range(100, 180):
        telegram.chats.react(chat, person(id, "Somebody"), note, "❤🔥"[id % 2])
    telegram.chats.say(chat, ANN, "anybody?")
    allowed = Allowed(admission=AdmissionTable(servers="open"))
    async with running(app.build(redis, keys, plugins, [on_telegram], allowed=allowed), plugins) as router:
        await wait_until(lambda: chat.said == ["👍 hears"])
        assert asked(telegram) == ([ANN["id"]] if granted else []), "of those to whose reactions nobody listens nothing is asked"
        for who in (BEN, ANN):
            telegram.chats.react(chat, who, note, "👍")
        likes = ["Ann (admin) likes it"] if granted else ["Ben (member) likes it", "Ann (admin) likes it"]
        await wait_until(lambda: likes[-1] in chat.said and not router.runner.held)
        assert sorted(chat.said[1:]) == likes[::-1]
    assert asked(telegram)[granted:] == [BEN["id"], ANN["id"]]
