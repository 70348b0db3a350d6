"""The bot comes into servers, is shut out of them, and they move: what follows from that. What people say there: `dispatch.py`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from bot.membership import Joined, Left, Moved, Present
from bot.messages import Address, Message
from bot.router.admitting import Admitting
from bot.router.clicking import StatusButtons
from bot.router.desk import Desk
from bot.router.doorsteps import Doorsteps
from bot.router.gate import View
from bot.router.publishing import Publishing
from bot.router.saying import told
from bot.router.table import Table
from bot.router.welcoming import welcome
from bot.store.leaving import Leaving
from bot.store.tickets import Body

Residing = Joined | Left | Moved | Present

Decide = Callable[[Message, View], Awaitable[list[Body]]]
"""What becomes of a message where these choices hold."""


@dataclass(frozen=True, slots=True)
class Residence:
    """Where the bot is. `move` takes all that is kept of a server to its new id."""

    table: Table
    desk: Desk
    buttons: StatusButtons
    doorsteps: Doorsteps
    admitting: Admitting
    publishing: Publishing
    leaving: Leaving
    move: Callable[[Address, Address], Awaitable[None]]

    async def changed(self, message: Message, trigger: Residing, accept: Callable[[Message, Decide], Awaitable[None]]) -> None:
        """Returns once everything is written that follows; `accept` writes tickets. Raises StoreError when it could not be."""
        match trigger:
            case Moved(server=server):
                await self.move(message.address, replace(message.address, server=server))
            case Joined():
                await self._joined(message, trigger, accept)
            case Left():
                await self._left(message)
            case Present():
                for server in await self.doorsteps.absent(message.address.connector):
                    await self._left(replace(message, address=replace(message.address, server=server), trigger=Left()))

    async def _left(self, message: Message) -> None:
        """What it was working on there is wanted by nobody."""
        await self.leaving.left(message.address)
        await self.doorsteps.forget(message.address)
        await self.publishing.left(message)
        for id in await self.desk.under_way(message.address.tenant):
            await self.buttons.withdraw(id)

    async def _joined(self, message: Message, joined: Joined, accept: Callable[[Message, Decide], Awaitable[None]]) -> None:
        """Its commands are listed now; what its people have to know is said once."""
        await self.leaving.back(message.address)
        await self.doorsteps.learn(message)
        self.publishing.joined(message)

        async def greeted(message: Message, view: View) -> list[Body]:
            if not view.serves(message.address):
                return await self.admitting.joined(message, joined, view)
            return [told(message, welcome(joined, self.table, view, message.address))]

        if joined.new or joined.note:
            await accept(message, greeted)
