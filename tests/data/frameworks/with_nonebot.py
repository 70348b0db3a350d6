"""nonebot2 with its adapter for Telegram: an echo, and twenty matchers that nothing reaches. Arguments: root, token."""

from __future__ import annotations

import sys

import nonebot
from nonebot import on_keyword, on_message
from nonebot.adapters.telegram import Adapter, Bot
from nonebot.adapters.telegram.event import MessageEvent

root, token = sys.argv[1:]
bots = [{"token": token, "api_server": f"{root}/"}]
nonebot.init(driver="~aiohttp", telegram_bots=bots, log_level="ERROR")
nonebot.get_driver().register_adapter(Adapter)

for _ in range(20):

    @on_keyword({"xyzzy"}).handle()
    async def idle() -> None:
        raise AssertionError


@on_message(priority=10).handle()
async def echo(bot: Bot, event: MessageEvent) -> None:
    await bot.send(event, event.get_plaintext(), reply_to_message_id=event.message_id)


nonebot.run()
