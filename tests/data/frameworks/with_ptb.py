"""python-telegram-bot's Application: an echo, and twenty handlers that nothing reaches. Arguments: root, token, updates at once."""

from __future__ import annotations

import sys

from telegram import Update
from telegram.ext import Application, ContextTypes, MessageHandler, filters

root, token, at_once = sys.argv[1:]


async def echo(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    await update.message.reply_text(update.message.text, do_quote=True)


async def idle(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    raise AssertionError


made = Application.builder().token(token).base_url(f"{root}/bot").concurrent_updates(int(at_once)).build()
for _ in range(20):
    made.add_handler(MessageHandler(filters.Regex("xyzzy"), idle))
made.add_handler(MessageHandler(filters.TEXT, echo))
made.run_polling()
