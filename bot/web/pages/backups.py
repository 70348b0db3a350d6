"""The operator's view of the backups: which there are, and another one. What is in one: `bot/backup.py`; making it: the command line."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import structlog
from nicegui import ui
from pydantic import BaseModel, Field
from starlette.requests import Request

from bot.backup import FOLDER
from bot.config import Config
from bot.errors import BotError, Busy
from bot.translation import tr
from bot.web.desk import Desk, Link, Nothing, desk
from bot.web.errands import Errands
from bot.web.view import View
from bot.web.visitors import OPERATOR, Visitors

log = structlog.get_logger(__name__)


class BackupsView(View, component="../static/backups.js"):
    """The backups in the browser."""


class Keeping(BaseModel):
    """The operator wants one: with `secrets`, and for whoever has the key of `to` (an age or SSH public key), "" for everybody."""

    secrets: bool = False
    to: str = Field(default="", max_length=2000, pattern=r"^(age1|ssh-)\S+( .*)?$|^$")
    nonce: str = ""


class Keep:
    """The backups of this machine; one is made at a time."""

    def __init__(self, config: Config, errands: Errands) -> None:
        self.folder = config.data_dir / FOLDER
        self._errands = errands
        self._making: asyncio.Task[str] | None = None

    async def make(self, given: Keeping) -> str:
        """What the command says of it, once it is there. Raises Busy while another is made."""
        if self._making is not None and not self._making.done():
            raise Busy(tr("A backup is being made already."))
        words = [*(["--secrets"] if given.secrets else []), *(["--to", given.to] if given.to else [])]
        self._making = asyncio.create_task(self._errands.text("backup", *words))
        return await asyncio.shield(self._making)


class BackupsPage:
    """One tab of it."""

    def __init__(self, made: Desk, keep: Keep) -> None:
        self._made = made
        self._keep = keep
        made.hear("hello", Nothing, self.show)
        made.hear("make", Keeping, self.make)

    async def show(self, _: Nothing) -> None:
        """The newest first."""
        files = await asyncio.to_thread(found, self._keep.folder)
        self._made.view.take("seen", seen={"files": files, "folder": str(self._keep.folder)})

    async def make(self, given: Keeping) -> None:
        """In a process of its own, while everything goes on."""
        try:
            said = await self._keep.make(given)
            self._made.view.take("made", said=said)
            log.info("a backup was made", secrets=given.secrets, encrypted=bool(given.to))
        except BotError as error:
            self._made.view.take("sorry", text=str(error), nonce=given.nonce)
        await self.show(Nothing())


def found(folder: Path) -> list[dict[str, Any]]:
    """The files in it that are backups."""
    there = [(one, one.stat()) for one in folder.glob("*.tar.gz*") if one.is_file()] if folder.is_dir() else []
    newest = sorted(there, key=lambda pair: -pair[1].st_mtime)
    return [{"path": str(one), "name": one.name, "bytes": facts.st_size, "at": facts.st_mtime} for one, facts in newest]


def backups_page(config: Config, visitors: Visitors, links: tuple[Link, ...]) -> None:
    """Puts the page below the operator's door."""
    keep = Keep(config, Errands(config.source.path))

    @ui.page(f"{OPERATOR}/backups")
    async def show(request: Request) -> None:
        BackupsPage(desk(BackupsView(), visitors, request, "operator", links), keep)
