"""Hobnob in the race: a router with an echo plugin, whose pace is not held back, on one platform. The others: `tests/data/frameworks/`.

Which platform and where it is comes on the command line behind the store's address, or "" for a router that writes nothing down.
"""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import uvloop

from bot import log
from bot.allowing import UNLIMITED, AdmissionTable, Allowed
from bot.cli.processes import settled
from bot.config import LogTable
from bot.connector import Connector, Limits
from bot.connectors.discord.access import Access
from bot.connectors.discord.connector import DiscordConnector
from bot.connectors.telegram import Account, TelegramConnector
from bot.messages import Address, Message, Said
from bot.plugins import Plugins
from bot.router import app
from bot.store.connection import connect
from bot.store.keys import Keys
from tests.bench.forgetful import forgetful, plugins
from tests.connectors.on_telegram import Deaf

EVERYBODY = Allowed(AdmissionTable(servers="open", direct="open"), UNLIMITED)


@cache
def unpaced(limits: Limits) -> Limits:
    """The platform of the race takes everything, and so the others may not be asked to wait."""
    return replace(limits, rate=float("inf"), budget=(0, 0.0), edit_interval=0.0)


class OnDiscord(DiscordConnector):
    """Without a pace."""

    def limits(self, to: Address) -> Limits:
        return unpaced(super().limits(to))


class OnTelegram(TelegramConnector):
    """Without a pace."""

    def limits(self, to: Address) -> Limits:
        return unpaced(super().limits(to))


def connected(platform: str, *where: str) -> Connector:
    if platform == "discord":
        api, gateway, token = where
        return OnDiscord(Access(token, api, gateway.rstrip("/")))
    root, token = where
    return OnTelegram(Account(token, root, f"{root}/file"), Deaf())


async def durable(connector: Connector, loaded: Plugins, url: str) -> None:
    redis = connect(url)
    async with app.running(app.build(redis, Keys(f"race-{os.getpid()}"), loaded, [connector], allowed=EVERYBODY), loaded):
        settled()
        await asyncio.Event().wait()


async def fleeting(connector: Connector, loaded: Plugins) -> None:
    dispatch = forgetful(connector, loaded)

    async def deliver(message: Message) -> None:
        if isinstance(message.trigger, Said):
            await dispatch.deliver(message)

    settled()
    await connector.run(deliver)


def main(url: str, *where: str) -> None:
    with Path(os.devnull).open("w") as nobody:
        log.setup(LogTable(format="json"), stream=nobody)  # what is measured writes its log, as in operation
        run(url, *where)


def run(url: str, *where: str) -> None:
    connector, loaded = connected(*where), plugins()
    uvloop.run(durable(connector, loaded, url) if url else fleeting(connector, loaded))  # as the product's router


if __name__ == "__main__":
    main(*sys.argv[1:])
