"""What a group has, as this process has heard: Telegram lists neither topics nor people. What was said: `reading.py`."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import telegram

from bot.connectors.telegram import facts
from bot.messages import Person

MOST_GROUPS = 4096
MOST_TOPICS = 500
MOST_PEOPLE = 200
"""Of a group those who said something last."""

MOST_NAMED = 10_000
"""People whose user names are known."""


@dataclass
class Group:
    """One group: names by ids."""

    title: str = ""
    topics: OrderedDict[str, str] = field(default_factory=OrderedDict)
    people: OrderedDict[str, str] = field(default_factory=OrderedDict)


@dataclass
class Surroundings:
    """All groups in which somebody said something since the start."""

    _groups: OrderedDict[str, Group] = field(default_factory=OrderedDict)
    _named: OrderedDict[str, Person] = field(default_factory=OrderedDict)

    def heard(self, message: telegram.Message) -> None:
        """Somebody said something, or opened a topic or gave it another name."""
        who = message.from_user
        if who is not None and who.username and not message.sender_chat:
            _put(self._named, who.username.lower(), facts.person(who), MOST_NAMED)
        if message.chat.type == "private":
            return
        group = self._groups.get(str(message.chat.id)) or Group()
        _put(self._groups, str(message.chat.id), group, MOST_GROUPS)
        group.title = message.chat.title or ""
        if who is not None and not who.is_bot and not message.sender_chat:
            _put(group.people, str(who.id), who.full_name, MOST_PEOPLE)
        place = facts.address(message)
        if place.thread and (name := _topic(message) or group.topics.get(place.place) or f"#{place.thread}"):
            _put(group.topics, place.place, name, MOST_TOPICS)

    def topics(self, server: str) -> Mapping[str, str]:
        """The group as a whole, whose words stand in General, and its topics."""
        group = self._groups.get(server) or Group()
        return {facts.CHANNEL: group.title or facts.CHANNEL, **group.topics}

    def people(self, server: str) -> dict[str, str]:
        """Those who said something lately."""
        return dict((self._groups.get(server) or Group()).people)

    def meant(self, person: Person) -> Person:
        """Whom a user name means; somebody who never said anything stays a name."""
        return self._named.get(person.id.removeprefix("@"), person) if person.id.startswith("@") else person


def _topic(message: telegram.Message) -> str:
    """What the topic is called, where the message says so."""
    begun = message.forum_topic_created or (message.reply_to_message.forum_topic_created if message.reply_to_message else None)
    changed = message.forum_topic_edited.name if message.forum_topic_edited else ""
    return changed or (begun.name if begun else "")


def _put(into: OrderedDict[str, Any], key: str, value: Any, most: int) -> None:
    """As the newest; the oldest goes where there are too many."""
    into[key] = value
    into.move_to_end(key)
    if len(into) > most:
        into.popitem(last=False)
