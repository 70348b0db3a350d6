"""What is kept of a person, as plugins give it back and delete it through `ctx.personal`. Where it lies: `bot/store/contents.py`."""

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


@dataclass(frozen=True, slots=True)
class Language:
    """A language that the bot speaks: its tag [BCP 47], what those who speak it call it, and whether the person has chosen it."""

    tag: str
    name: str
    chosen: bool = False


class Keeping(Protocol):
    """What stands behind `ctx.personal`; the router's is durable."""

    async def languages(self) -> list[Language]:
        """See `Personal.languages`."""

    async def speak(self, tag: str) -> None:
        """See `Personal.speak`."""

    async def wants_memory(self) -> bool:
        """See `Personal.remembered`."""

    async def want_memory(self, wanted: bool) -> None:
        """See `Personal.remember`."""

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

    async def remembered(self) -> bool:
        """Whether what the person says to the bot on this platform, and is answered, stays in conversations."""
        return await self._acts.wants_memory()

    async def remember(self, wanted: bool) -> None:
        """Changes that, from the next message on; what was said before stays until it is deleted."""
        await self._acts.want_memory(wanted)

    async def export(self) -> Blob:
        """All that is kept of the person on this platform, as a zip of JSON and files."""
        return await self._acts.export()

    async def languages(self) -> list[Language]:
        """The languages that the bot speaks; none is chosen where the person follows the server, or what the platform says of them."""
        return await self._acts.languages()

    async def speak(self, tag: str) -> None:
        """What the bot says to the person on this platform is in this language from now on; "" takes that back. Raises BadArguments."""
        await self._acts.speak(tag)

    async def forget(self) -> Mapping[str, int]:
        """Deletes all of that, from every plugin and store; how much of each kind there was."""
        return await self._acts.forget()
