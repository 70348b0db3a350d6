"""Calls that are no posts wait for turns of their own: history, reactions, threads, lists of commands. How posts are paced: the router."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import discord
from discord.http import Route

from bot.connectors.discord.access import Access
from bot.connectors.discord.limits import ASIDE, RATE
from bot.spacing import Beside, Spacing

POSTS = frozenset(
    {
        "POST /channels/{channel_id}/messages",
        "PATCH /channels/{channel_id}/messages/{message_id}",
        "DELETE /channels/{channel_id}/messages/{message_id}",
    }
)
"""What the router has counted already. Answers to interactions count for no limit, and discord.py makes them elsewhere."""


LARGE = 8.0
"""Calls a second of a router's part of the bot, in whose line a post waits for the others for less than a second."""


def turns(access: Access, clock: Callable[[], float] = time.monotonic) -> Spacing:
    """For every call that is no post. A router with shards of its own sees all posts of its part of the bot, and has what they leave: half
    of the shards would else read the history of two channels in a second, and who asked while nobody was there waited for minutes.
    Of a small part of the bot posts leave nothing worth having.
    """
    whole = (RATE + ASIDE) * access.share
    return Beside(whole, clock) if access.shard_ids and whole >= LARGE else Spacing(ASIDE * access.share, clock)


def spaced(client: discord.Client, spacing: Spacing) -> None:
    """From now on every other call of this client takes a turn, however many of them something of discord.py needs.

    While a limit on all calls lasts, discord.py lets nobody call until the one that met it has waited; if that one is cancelled (its
    ticket was taken over, say), for ever. So the limit ends with it, and whoever comes too soon meets it once more.
    """
    request = client.http.request

    async def in_turn(route: Route, **more: Any) -> Any:
        await (spacing.first() if f"{route.method} {route.path}" in POSTS else spacing.turn())
        try:
            return await request(route, **more)
        except asyncio.CancelledError:
            client.http._global_over.set()
            raise

    client.http.request = in_turn  # type: ignore[method-assign]
