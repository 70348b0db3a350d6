"""aiogram's Dispatcher: an echo, and twenty handlers that nothing reaches. Arguments: root, token."""

from __future__ import annotations

import asyncio
import sys

from aiogram import Bot, Dispatcher, F
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.types import Message

root, token = sys.argv[1:]
dispatcher = Dispatcher()


async def idle(message: Message) -> None:
    raise AssertionError


async def echo(message: Message) -> None:
    await message.reply(message.text)


for _ in range(20):
    dispatcher.message.register(idle, F.text.contains("xyzzy"))
dispatcher.message.register(echo, F.text)


async def main() -> None:
    server = TelegramAPIServer(base=f"{root}/bot{{token}}/{{method}}", file=f"{root}/file/bot{{token}}/{{path}}")
    await dispatcher.start_polling(Bot(token, session=AiohttpSession(api=server)))


asyncio.run(main())
