"""A bot written with aiogram, which knows nothing of us: it echoes, edits, sends a picture, downloads and confirms clicks."""

from __future__ import annotations

import asyncio
import sys

from aiogram import Bot, Dispatcher, F
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.types import BufferedInputFile, CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, Message

dispatcher = Dispatcher()


@dispatcher.message(F.voice)
async def listen(message: Message, bot: Bot) -> None:
    content = await bot.download(message.voice)
    await message.reply(f"{len(content.read())} bytes")


@dispatcher.message()
async def echo(message: Message) -> None:
    keys = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="More", callback_data="more")]])
    sent = await message.answer("…")
    await sent.edit_text(f"you said {message.text}", reply_markup=keys)
    await message.answer_photo(BufferedInputFile(b"\x89PNG\r\n\x1a\n" + bytes(64), "a.png"), caption="a picture")


@dispatcher.callback_query()
async def clicked(query: CallbackQuery) -> None:
    await query.answer("yes")


async def main(root: str, token: str) -> None:
    server = TelegramAPIServer(base=f"{root}/bot{{token}}/{{method}}", file=f"{root}/file/bot{{token}}/{{path}}")
    bot = Bot(token, session=AiohttpSession(api=server))
    await dispatcher.start_polling(bot, handle_signals=False)


asyncio.run(main(*sys.argv[1:]))
