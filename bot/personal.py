"""What is kept of a person, as plugins give it back and delete it through `ctx.personal`. Where it is kept: `bot/store/keys.py` says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from bot.messages import Blob


@dataclass(frozen=True, slots=True)
class Kept:
    """A kind of data that has to do with people: what it is, how long it lives, and whether it is given back and deleted when asked.

    What is not goes by itself, after the time that is said.
    """

    what: str
    lives: str
    asked: bool


class Keeping(Protocol):
    """What stands behind `ctx.personal`; the router's is durable."""

    async def kept(self) -> list[Kept]:
        """See `Personal.kept`."""

    async def export(self) -> Blob:
        """See `Personal.export`."""

    async def forget(self) -> Mapping[str, int]:
        """See `Personal.forget`."""


class Personal:
    """What is kept of the person who asks. Only a plugin whose manifest says `rights = ["administration"]` may use it."""

    def __init__(self, acts: Keeping) -> None:
        self._acts = acts

    async def kept(self) -> list[Kept]:
        """Every kind of data that has to do with people, of everybody."""
        return await self._acts.kept()

    async def export(self) -> Blob:
        """All that is kept of the person on this platform, as a zip of JSON and files."""
        return await self._acts.export()

    async def forget(self) -> Mapping[str, int]:
        """Deletes all of that, from every plugin and store; how much of each kind there was."""
        return await self._acts.forget()
