"""In which language people read the bot's own words. Which languages there are: `bot/locales.py`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from bot.choices import CORE
from bot.errors import BadArguments
from bot.locales import Locales
from bot.messages import Address, Message, Person
from bot.personal import Language
from bot.router.gate import View
from bot.store.tickets import Write
from bot.translation import Translation, tr

KEY = "language"
"""Under which the core keeps what a person has chosen, beside what plugins keep for them."""


class LanguageStore(Protocol):
    """Where it is kept."""

    async def load(self, plugin: str, scope: str, owner: str, key: str) -> bytes | None:
        """See `PluginData.load`."""

    def saving(self, plugin: str, scope: str, owner: str, key: str, value: bytes | None, ttl: float | None) -> list[Write]:
        """See `PluginData.saving`."""


class Readers:
    """Knows what people chose, and what follows from it."""

    def __init__(self, locales: Locales, store: LanguageStore) -> None:
        self.locales = locales
        self._store = store

    async def settled(self, message: Message, view: View) -> Message:
        """The message with the language that its sender reads: their own choice, else that of the place, else what the platform says."""
        wanted = await self._chosen(message) or view.talking(message.address).language
        return replace(message, language=wanted) if wanted else message

    async def _chosen(self, message: Message) -> str:
        if not message.sender.id:
            return ""
        found = await self._store.load(CORE, "person", _owner(message.address, message.sender), KEY)
        return self.locales.known(json.loads(found)) if found else ""

    def of(self, message: Message, plugin: str = "") -> Translation:
        """The language of a message that is settled."""
        return self.locales.of(message.language, plugin)

    def at(self, address: Address, view: View) -> Translation:
        """That of a place, for what is said there to nobody in particular."""
        return self.locales.of(view.talking(address).language)

    async def languages(self, message: Message) -> list[Language]:
        """All of them; none is `chosen` for who leaves it to the place and the platform."""
        chosen = await self._chosen(message)
        return [Language(tag, self.locales.name(tag), tag == chosen) for tag in self.locales.tags]

    def speaking(self, message: Message, tag: str) -> Sequence[Write]:
        """What is written when a person chooses one, "" for none. Raises BadArguments."""
        known = self.locales.known(tag)
        if tag and not known:
            there = ", ".join(f"{self.locales.name(one)} ({one})" for one in self.locales.tags)
            raise BadArguments(tr("I do not speak {language}. There is: {languages}.", language=tag, languages=there))
        value = json.dumps(known).encode() if known else None
        return self._store.saving(CORE, "person", _owner(message.address, message.sender), KEY, value, None)


def _owner(address: Address, person: Person) -> str:
    return f"{address.connector}/{person.id}"
