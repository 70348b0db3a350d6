"""What a group has, as it was heard: Telegram lists neither topics nor people. What was said: `reading.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import telegram

from bot.connectors.telegram import facts
from bot.messages import Address, Person


class Names(Protocol):
    """Where names are kept for all routers, and for the next start. Raises StoreError."""

    async def heard(
        self, server: Address, kind: Literal["channel", "person"], id: str, name: str, *, handle: str = "", may_be_old: bool = False
    ) -> None:
        """Keeps one; a name that `may_be_old` replaces none. `handle` is what somebody is mentioned by."""

    async def known(self, server: Address, kind: Literal["channel", "person"]) -> Mapping[str, str]:
        """Those that were heard lately, by id."""

    async def called(self, server: Address, handle: str) -> Person | None:
        """Whom a handle means."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """All groups in which somebody said something lately."""

    names: Names

    async def heard(self, message: telegram.Message) -> None:
        """Somebody said something in a group, or opened a topic or gave it another name."""
        if message.chat.type == "private":
            return
        who, place = message.from_user, facts.address(message)
        await self.names.heard(place, "channel", facts.CHANNEL, message.chat.title or facts.CHANNEL)
        if who is not None and not who.is_bot and not message.sender_chat:
            await self.names.heard(place, "person", str(who.id), who.full_name, handle=who.username or "")
        name, may_be_old = _topic(message)
        if place.thread and name:
            await self.names.heard(place, "channel", place.place, name, may_be_old=may_be_old)

    async def topics(self, to: Address) -> Mapping[str, str]:
        """The group as a whole, whose words stand in General, and its topics."""
        return {facts.CHANNEL: facts.CHANNEL, **await self.names.known(to, "channel")}

    async def people(self, to: Address) -> Mapping[str, str]:
        """Those who said something lately."""
        return await self.names.known(to, "person")

    async def meant(self, person: Person, to: Address) -> Person:
        """Whom a user name means; somebody who never said anything there stays a name."""
        known = await self.names.called(to, person.id[1:]) if person.id.startswith("@") else person
        return known or person


def _topic(message: telegram.Message) -> tuple[str, bool]:
    """What the topic is called where the message says so, and whether that is what it was called when it began."""
    if (now := message.forum_topic_created or message.forum_topic_edited) and now.name:
        return now.name, False
    begun = message.reply_to_message.forum_topic_created if message.reply_to_message else None
    return begun.name if begun else "", True
