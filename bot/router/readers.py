"""In which language people read the bot's own words. Which languages there are: `bot/locales.py`."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from bot.choices import CORE
from bot.errors import BadArguments
from bot.locales import Locales
from bot.messages import Address, Message, Person
from bot.personal import Language
from bot.router.gate import View
from bot.store.tickets import Supposed, Write
from bot.translation import Translation, tr

KEY = "language"
"""Under which the core keeps what a person has chosen, beside what plugins keep for them."""

REMEMBERED = 10_000
"""People of whom it is remembered what they chose; a change is found by the script that writes their next ticket."""


class LanguageStore(Protocol):
    """Where it is kept."""

    async def load(self, plugin: str, scope: str, owner: str, key: str) -> bytes | None:
        """See `PluginData.load`."""

    def saving(self, plugin: str, scope: str, owner: str, key: str, value: bytes | None, ttl: float | None) -> list[Write]:
        """See `PluginData.saving`."""

    def where(self, plugin: str, scope: str, owner: str, key: str) -> str:
        """See `PluginData.where`."""


class Readers:
    """Knows what people chose, and what follows from it."""

    def __init__(self, locales: Locales, store: LanguageStore) -> None:
        self.locales = locales
        self._store = store
        self._supposed: OrderedDict[str, Supposed] = OrderedDict()

    async def settled(self, message: Message, view: View) -> tuple[Message, Supposed | None]:
        """The message with the language that its sender reads: their own choice, else that of the place, else what the platform says.

        The choice is remembered, so whoever writes a ticket has its script look whether it is still so, and calls `forget` where not.
        """
        supposed = await self._remembered(message) if message.sender.id else None
        wanted = self._read(supposed) or view.talking(message.address).language
        return replace(message, language=wanted) if wanted not in ("", message.language) else message, supposed

    async def _remembered(self, message: Message) -> Supposed:
        owner = _owner(message.address, message.sender)
        found = self._supposed.get(owner)
        if found is not None:
            self._supposed.move_to_end(owner)
            return found
        found = self._supposed[owner] = await self._chosen(owner)
        if len(self._supposed) > REMEMBERED:
            self._supposed.popitem(last=False)
        return found

    async def _chosen(self, owner: str) -> Supposed:
        return Supposed(self._store.where(CORE, "person", owner, KEY), await self._store.load(CORE, "person", owner, KEY) or b"")

    def _read(self, supposed: Supposed | None) -> str:
        return self.locales.known(json.loads(supposed.value)) if supposed is not None and supposed.value else ""

    def forget(self, message: Message) -> None:
        """Reads anew next time what its sender has chosen."""
        self._supposed.pop(_owner(message.address, message.sender), None)

    def of(self, message: Message, plugin: str = "") -> Translation:
        """The language of a message that is settled."""
        return self.locales.of(message.language, plugin)

    def at(self, address: Address, view: View) -> Translation:
        """That of a place, for what is said there to nobody in particular."""
        return self.locales.of(view.talking(address).language)

    async def languages(self, message: Message) -> list[Language]:
        """All of them; none is `chosen` for who leaves it to the place and the platform."""
        chosen = self._read(await self._chosen(_owner(message.address, message.sender))) if message.sender.id else ""
        return [Language(tag, self.locales.name(tag), tag == chosen) for tag in self.locales.tags]

    def speaking(self, message: Message, tag: str) -> Sequence[Write]:
        """What is written when a person chooses one, "" for none. Raises BadArguments."""
        known = self.locales.known(tag)
        if tag and not known:
            there = ", ".join(f"{self.locales.name(one)} ({one})" for one in self.locales.tags)
            raise BadArguments(tr("I do not speak {language}. There is: {languages}.", language=tag, languages=there))
        value = json.dumps(known).encode() if known else None
        self.forget(message)
        return self._store.saving(CORE, "person", _owner(message.address, message.sender), KEY, value, None)


def _owner(address: Address, person: Person) -> str:
    return f"{address.connector}/{person.id}"
