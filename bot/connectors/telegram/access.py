"""What Telegram says about the bot itself, for the doctor. Nothing is received here."""

from __future__ import annotations

import time
from dataclasses import dataclass

from telegram import Bot
from telegram.error import TelegramError

from bot.connectors.telegram.faults import translated
from bot.connectors.telegram.requests import Requests

PATIENCE = 10.0
"""Seconds for one answer, which somebody waits for."""

LATELY = 3600.0
"""Seconds for which a fault of a webhook is worth a word."""


@dataclass(frozen=True, slots=True)
class Myself:
    """A bot's user name, whether it may be added to groups, and whether it `hears` there what is not said to it.

    `undelivered` is why Telegram could not bring updates lately, in its words; "" where it could, or is asked for them.
    """

    name: str
    joins: bool
    hears: bool
    undelivered: str = ""


async def myself(token: str, api_url: str, proxy: str | None = None) -> Myself:
    """Who the token is for. Raises ConnectorError."""
    requests = Requests(PATIENCE, proxy), Requests(PATIENCE, proxy)
    try:
        async with Bot(token, f"{api_url}/bot", request=requests[0], get_updates_request=requests[1]) as bot:
            me, hook = await bot.get_me(), await bot.get_webhook_info()
    except TelegramError as error:
        raise translated(error) from error
    finally:
        for request in requests:
            await request.shutdown()
    lately = hook.url and hook.last_error_date and hook.last_error_date.timestamp() > time.time() - LATELY
    undelivered = hook.last_error_message or "" if lately else ""
    return Myself(me.username or me.full_name, bool(me.can_join_groups), bool(me.can_read_all_group_messages), undelivered)
