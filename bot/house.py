"""What the owners of the bot decide for all servers, as plugins change it through `ctx.house`. Where it is kept: `bot/store/house.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from bot.messages import Address

Barred = Literal["person", "server", "plugin", "model"]
"""What an owner may shut out: a person or a server is banned, a plugin or a model is stopped."""


class Owner(BaseModel):
    """Who owns the bot on one platform, and where they are told what they have to decide."""

    model_config = ConfigDict(frozen=True)

    name: str
    address: Address


class Rules(BaseModel):
    """What holds in every server, from the next message on. People are named CONNECTOR/ID, as servers are.

    `barred` has, by kind, the names of what is shut out with a word for people. `version` grows with every change.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = 0
    owners: Mapping[str, Owner] = Field(default_factory=dict)
    barred: Mapping[Barred, Mapping[str, str]] = Field(default_factory=dict)

    def bars(self, kind: Barred, name: str) -> bool:
        """Whether it is shut out."""
        return bool(self.barred) and name in self.barred.get(kind, {})


class Order(BaseModel):
    """What an owner wants shut out, or let in again; `word` is what people call it."""

    model_config = ConfigDict(frozen=True)

    kind: Barred
    name: str = Field(min_length=1, max_length=200)
    barred: bool = True
    word: str = ""


class Owning(Protocol):
    """What stands behind `ctx.house`; the router's is durable."""

    async def claim(self, code: str) -> None:
        """See `House.claim`."""

    async def rules(self) -> Rules:
        """See `House.rules`."""

    async def order(self, order: Order) -> Rules:
        """See `House.order`."""


class House:
    """What holds everywhere. Only a plugin whose manifest says `rights = ["administration"]` may use it, and only for an owner."""

    def __init__(self, acts: Owning) -> None:
        self._acts = acts

    async def claim(self, code: str) -> None:
        """Makes the person an owner, by a code that the command line printed and that works once. Raises Refused for any other."""
        await self._acts.claim(code)

    async def rules(self) -> Rules:
        """What holds. Raises Refused for who is no owner."""
        return await self._acts.rules()

    async def order(self, order: Order) -> Rules:
        """Shuts something out everywhere, at once, or lets it in again; what is being worked on for it is cancelled. Raises Refused."""
        return await self._acts.order(order)
