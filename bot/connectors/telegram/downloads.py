"""Files that people sent: over HTTP, or from the disk that a Bot API server of one's own shares. What they are: `facts.py`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
from telegram import Bot
from telegram.error import TelegramError

from bot.connectors.telegram import faults
from bot.errors import ConnectorError, UserError
from bot.messages import Attachment
from bot.translation import tr

PIECE = 1 << 16

FETCHED = 600.0
"""Seconds in which a server of one's own has brought a file from Telegram; it answers only then, and a file may have 2 GB."""


@dataclass(frozen=True)
class Downloads:
    """Downloads as `bot` from `root`, the address of its files. `own` says that the server may run in `--local` mode."""

    bot: Bot
    client: httpx.AsyncClient
    root: str
    own: bool

    async def pieces(self, attachment: Attachment) -> AsyncIterator[bytes]:
        """The bytes. Raises UserError for a file that is larger than Telegram gives, ConnectorError for one that cannot be reached."""
        told = await self._told(attachment)
        if not told.startswith("/"):
            source = self._fetched(f"{self.root}/{told}")
        elif self.own and await asyncio.to_thread(Path(told).is_file):
            source = _read(Path(told))
        else:
            source = self._fetched(f"{self.root}/{told.rpartition(f'/{self.bot.token}/')[2].lstrip('/')}", told)
        async for piece in source:
            yield piece

    async def _told(self, attachment: Attachment) -> str:
        """Where the server says that the file is: below its root, or on its own disk in `--local` mode."""
        try:
            file = await (self.bot.get_file(attachment.id, read_timeout=FETCHED) if self.own else self.bot.get_file(attachment.id))
        except TelegramError as error:
            if faults.says(error, faults.TOO_BIG):
                raise UserError(_too_big(attachment)) from error
            raise faults.translated(error) from error
        return (file.file_path or "").removeprefix(f"{self.root}/")

    async def _fetched(self, url: str, told: str = "") -> AsyncIterator[bytes]:
        try:
            async with self.client.stream("GET", url) as answer:
                if answer.status_code != httpx.codes.OK:
                    raise ConnectorError(_unreachable(answer.status_code, told))
                async for piece in answer.aiter_bytes(PIECE):
                    yield piece
        except httpx.HTTPError as error:
            raise ConnectorError(f"the file's download broke off: {type(error).__name__}", retry_after=faults.PAUSE) from error


async def _read(path: Path) -> AsyncIterator[bytes]:
    try:
        file = await asyncio.to_thread(path.open, "rb")
        try:
            while piece := await asyncio.to_thread(file.read, PIECE):
                yield piece
        finally:
            await asyncio.to_thread(file.close)
    except OSError as error:
        raise ConnectorError(f"the file {path} of the Bot API server cannot be read: {error.strerror}") from error


def _unreachable(status: int, told: str) -> str:
    fault = f"Telegram does not give the file: HTTP status {status}"
    if not told:
        return fault
    where = "make its folder readable at the same path where the router runs, or have a web server give it at connectors.telegram.file_url"
    return f"{fault}. The Bot API server runs with --local and says that it is at {Path(told).parent.name}/ in its own folder: {where}"


def _too_big(attachment: Attachment) -> str:
    size = f"{attachment.size / 1e6:.0f} MB" if attachment.size else tr("more than 20 MB")
    return tr(
        "This file has {size}, and Telegram gives bots only files up to 20 MB. Please send a shorter or smaller one, or in pieces. "
        "Whoever runs this bot can lift the limit with a Bot API server of their own (connectors.telegram.api_url).",
        size=size,
    )
