"""Updates that Telegram brings itself: proved to be Telegram's, answered when they are written down, once however often they come."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable

import httpx
from redis.asyncio import Redis

from bot import Context, Listener, Route, hookimpl
from bot.allowing import AdmissionTable, Allowed
from bot.connectors.telegram import Account, Hook, TelegramConnector
from bot.connectors.telegram.webhooks import SECRET
from bot.errors import StoreError
from bot.plugins import Loaded, Plugins
from bot.router import app
from bot.store.keys import Keys
from bot.testing import wait_until
from tests.connectors.on_telegram import ANN, Ear, hearing
from tests.wire.telegram_server import TOKEN, Telegram

OPEN = AdmissionTable(direct="open")


def hooked(telegram: Telegram) -> tuple[TelegramConnector, Hook]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    hook = Hook.of(TOKEN, f"http://127.0.0.1:{port}/telegram", "127.0.0.1", port)
    return TelegramConnector(Account(TOKEN, telegram.root, f"{telegram.root}/file", hook=hook)), hook


async def test_what_is_brought_is_heard_and_brought_again_until_it_is_written_down(telegram: Telegram) -> None:
    connector, _ = hooked(telegram)
    assert not connector.single
    ear = Ear(StoreError("away"))
    telegram.chats.say(telegram.chats.direct(ANN), ANN, "before")
    async with hearing(connector, ear):
        await wait_until(lambda: len(ear.heard) == 1)
        assert telegram.refused_posts == 1
        telegram.chats.say(telegram.chats.direct(ANN), ANN, "now")
        telegram.chats.album(telegram.chats.direct(ANN), ANN, ["one", "two"], "both")
        await wait_until(lambda: len(ear.heard) == 4)
    assert [message.text for message in ear.heard] == ["before", "now", "both", ""]
    assert [[part.kind for part in message.parts] for message in ear.heard[2:]] == [["text", "image"], ["image"]]
    assert ear.heard[2].album == ear.heard[3].album != ""
    await connector.close()


class Counting:
    """Says how many pictures a message has."""

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return [Listener("count", lambda message: True, self.count)]

    async def count(self, ctx: Context) -> str:
        return f"{ctx.message.text}: {sum(part.kind == 'image' for part in ctx.message.parts)}"


async def test_an_album_that_is_brought_to_several_routers_is_one_message(telegram: Telegram, redis: Redis, keys: Keys) -> None:
    first, _ = hooked(telegram)
    loaded, alone = Plugins([Loaded("counting", Counting(), version="1")]), telegram.chats.direct(ANN)
    second = TelegramConnector(Account(TOKEN, telegram.root, f"{telegram.root}/file", wait=1))  # it answers what the other has written down
    async with app.running(app.build(redis, keys, loaded, [first], allowed=Allowed(OPEN)), loaded):
        await wait_until(lambda: telegram.webhook)
        router = app.build(redis, keys, loaded, [second], allowed=Allowed(OPEN))
        together = asyncio.create_task(router.gathering.run(["telegram"], 0.01))
        telegram.chats.album(alone, ANN, ["one", "two", "three"], "all")
        telegram.chats.say(alone, ANN, "after")
        await wait_until(lambda: len(alone.said) == 2, 20.0)
        assert sorted(alone.said) == ["after: 0", "all: 3"]
        together.cancel()
        await asyncio.wait((together,))
        await wait_until(lambda: not router.runner.held)
        await second.close()
    assert len(alone.said) == 2


async def test_a_request_without_the_secret_or_sense_is_refused(telegram: Telegram) -> None:
    connector, hook = hooked(telegram)
    ear = Ear()
    async with hearing(connector, ear), httpx.AsyncClient(trust_env=False) as stranger:
        await wait_until(lambda: telegram.webhook)
        update = {"update_id": 1}
        right, wrong = {SECRET: hook.secret}, {SECRET: "guessed"}
        statuses = [
            (await stranger.post(hook.url, json=update)).status_code,
            (await stranger.post(hook.url, json=update, headers=wrong)).status_code,
            (await stranger.post(hook.url, content=b"{", headers=right)).status_code,
            (await stranger.post(f"{hook.url}/elsewhere", json=update, headers=right)).status_code,
            (await stranger.post(hook.url, json=update, headers=right)).status_code,
        ]
    assert statuses == [403, 403, 400, 404, 200]
    assert ear.heard == []
    assert telegram.asked("setWebhook")[0]["secret_token"] == hook.secret
    await connector.close()


async def test_a_bot_that_polls_again_takes_the_webhook_away(telegram: Telegram) -> None:
    connector, _ = hooked(telegram)
    async with hearing(connector, Ear()):
        await wait_until(lambda: telegram.webhook)
    await connector.close()
    polling = TelegramConnector(Account(TOKEN, telegram.root, f"{telegram.root}/file", wait=1))
    async with hearing(polling, Ear()):
        await wait_until(lambda: telegram.polled)
    assert telegram.webhook == {}
    await polling.close()
