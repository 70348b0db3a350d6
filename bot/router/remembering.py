"""Reads along where a place wants it: remembers what was not said to the bot, and says once that it does. Where: `addressing.py`."""

from __future__ import annotations

from pydantic import BaseModel

from bot.choices import CORE
from bot.context import Context
from bot.messages import Message, Text
from bot.router.table import Entry
from bot.routes import Listener
from bot.store.tickets import Body
from bot.translation import later, translated
from bot.turns import Turn, estimate_tokens

NOTICE = later(
    "From now on I remember what is said here, so that I know what you talk about when you mention me. "
    "An admin of this server, or whoever runs me, switched that on and can switch it off."
)


class Noticed(BaseModel):
    """That a chat was told."""


async def follow(ctx: Context) -> str | None:
    """Remembers the message as a turn of its sender."""
    said, sender = ctx.message.text, ctx.person
    tokens = estimate_tokens(f"{sender.name}: {said}")
    await ctx.conversation.append(
        Turn(
            role="person", parts=(Text(said),), name=sender.name, person=sender.id, message=ctx.message.id, at=ctx.message.at, tokens=tokens
        )
    )
    if await ctx.store.get(Noticed, "chat", "noticed") is not None:
        return None
    await ctx.store.put(Noticed(), "chat", "noticed")
    return translated(NOTICE)


FOLLOWED = Entry(CORE, Listener("followed", lambda message: True, follow, ordered=True))
"""The core's own route; no message finds it by itself."""


def followed(message: Message, retention: int) -> Body:
    """The ticket of a message that is to be remembered."""
    return Body(plugin=CORE, route=FOLLOWED.id, version="", message=message, ordered=True, retention=retention)
