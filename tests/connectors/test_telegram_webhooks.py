"""Updates that Telegram brings itself: proved to be Telegram's, answered when they are written down, once however often they come."""

from __future__ import annotations

import itertools
from contextlib import ExitStack
from pathlib import Path

import httpx

from bot.connectors.telegram import Account, Hook, TelegramConnector
from bot.connectors.telegram.webhooks import SECRET
from bot.errors import StoreError
from bot.store import embedded
from bot.store.hearsay import Hearsay
from bot.testing import wait_until
from bot.testing.contract import PATIENCE
from tests.connectors.on_telegram import ANN, Ear, hearing
from tests.house import House
from tests.ports import free_port
from tests.wire.telegram_server import TOKEN, Telegram

CONFIG = """
[admission]
direct = "open"
[connectors.telegram]
token = "{token}"
api_url = "{url}"
file_url = "{url}/file"
{hook}
"""


def hooked(telegram: Telegram, hearsay: Hearsay) -> tuple[TelegramConnector, Hook]:
    port = free_port()
    hook = Hook.of(TOKEN, f"http://127.0.0.1:{port}/telegram", "127.0.0.1", port)
    return TelegramConnector(Account(TOKEN, telegram.root, f"{telegram.root}/file", hook=hook), hearsay), hook


async def test_what_is_brought_is_heard_and_brought_again_until_it_is_written_down(telegram: Telegram, hearsay: Hearsay) -> None:
    connector, _ = hooked(telegram, hearsay)
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


async def test_an_album_that_is_brought_to_several_routers_is_one_message(telegram: Telegram, tmp_path: Path) -> None:
    first, second = free_port(), free_port()
    hook = f"webhook_url = 'http://127.0.0.1:{first}/telegram'"
    house = House(tmp_path, CONFIG.format(token=TOKEN, url=telegram.root, hook=hook))
    telegram.behind = itertools.cycle(f"http://127.0.0.1:{port}/telegram" for port in (first, second))
    alone, store = telegram.chats.direct(ANN), embedded.start(house.data)
    with ExitStack() as routers:
        for port in (first, second):
            house.environ["HOBNOB_CONNECTORS__TELEGRAM__WEBHOOK_PORT"] = str(port)
            process = routers.enter_context(house.begin("router", "--no-pages"))
            routers.callback(process.terminate)
        await wait_until(lambda: len(telegram.asked("setWebhook")) == 2, 2 * PATIENCE)  # everything has to start first
        telegram.chats.album(alone, ANN, ["one", "two", "three"], "count")
        telegram.chats.say(alone, ANN, "count")
        await wait_until(lambda: len(alone.said) == 2, PATIENCE)
    store.terminate()
    store.wait(10)
    assert sorted(alone.said) == ["0 files", "3 files"]
    assert telegram.refused_posts == 0, "both took some"


async def test_a_request_without_the_secret_or_sense_is_refused(telegram: Telegram, hearsay: Hearsay) -> None:
    connector, hook = hooked(telegram, hearsay)
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


async def test_a_bot_that_polls_again_takes_the_webhook_away(telegram: Telegram, hearsay: Hearsay) -> None:
    connector, _ = hooked(telegram, hearsay)
    async with hearing(connector, Ear()):
        await wait_until(lambda: telegram.webhook)
    await connector.close()
    polling = TelegramConnector(Account(TOKEN, telegram.root, f"{telegram.root}/file", wait=1), hearsay)
    async with hearing(polling, Ear()):
        await wait_until(lambda: telegram.polled)
    assert telegram.webhook == {}
    await polling.close()
