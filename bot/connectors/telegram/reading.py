"""Updates become Messages. What single facts of them are: `facts.py`."""

from __future__ import annotations

import base64
import binascii
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import telegram
from telegram import ReactionTypeEmoji, Update

from bot.connector import typed_command
from bot.connectors.telegram import facts
from bot.connectors.telegram.clicks import VIA
from bot.connectors.telegram.members import GONE, MANAGING, ROLES
from bot.connectors.telegram.rights import withheld
from bot.connectors.telegram.sending import pressed
from bot.connectors.telegram.surroundings import Surroundings
from bot.membership import Joined, Left, Moved
from bot.messages import Address, Called, Clicked, Message, Person, Quote, Reacted, Said, Text, Trigger

ALLOWED = ("message", "edited_message", "callback_query", "message_reaction", "my_chat_member")
"""The updates that are asked for; reactions come only when they are named."""

GROUPS = ("group", "supergroup")

REMEMBERED = 4096
"""Messages of which it is known where and by whom they were said, and edited ones whose newest version is."""

LINK = re.compile(r"(?P<name>\w{1,32})(?:-(?P<words>[\w-]*))?", re.ASCII)

Status = Callable[[int, int], Awaitable[str]]
"""What a person, the second, is in a chat, the first."""


@dataclass(frozen=True, slots=True)
class Edits:
    """The newest versions of a message: all those of one second, which is as exactly as Telegram tells when, and the version `before`."""

    second: int
    before: str
    events: list[str] = field(default_factory=list)

    def replaced(self, event: str) -> str:
        """The version whose place one of them takes: the same when it is read once more."""
        if event not in self.events:
            self.events.append(event)
        at = self.events.index(event)
        return self.events[at - 1] if at else self.before


@dataclass
class Reader:
    """Reads updates as the bot `me`."""

    me: telegram.User
    status: Status
    around: Surroundings
    _known: set[int] = field(default_factory=set)
    _newest: OrderedDict[str, Edits] = field(default_factory=OrderedDict)
    _said: OrderedDict[tuple[str, str], Message] = field(default_factory=OrderedDict)

    def ready(self) -> Message:
        """That people can speak to the bot alone."""
        return self._joined(Address(facts.NAME, "", facts.CHANNEL, direct=True))

    def joined(self, update: Update) -> Message | None:
        """That the bot is in a group of which nothing was known, or no longer in one; Telegram has no list of them."""
        chat, change = update.effective_chat, update.my_chat_member
        if chat is None or chat.type not in GROUPS or update.callback_query is not None:  # old messages can be clicked where it left, too
            return None
        where = Address(facts.NAME, str(chat.id), facts.CHANNEL)
        if change is not None and change.new_chat_member.status in GONE:
            self._known.discard(chat.id)
            return Message(
                "", f"left:{chat.id}:{update.update_id}", where, facts.person(change.from_user), trigger=Left(), me=str(self.me.id)
            )
        added = change is not None and change.old_chat_member.status in GONE
        if chat.id in self._known and not added:
            return None
        deaf = self._deaf(change.new_chat_member) if added and change else None
        return self._joined(where, f":{update.update_id}", Joined(deaf or "", new=added), chat.title or "")

    def told(self, message: Message) -> None:
        """That the router has written down where the bot is."""
        if isinstance(message.trigger, Joined):
            self._known.add(int(message.address.server))

    def _deaf(self, here: telegram.ChatMember) -> str | None:
        """What Telegram withholds from the bot as it was added."""
        return withheld("every_message", hears=bool(self.me.can_read_all_group_messages), administers=here.status in MANAGING)

    def _joined(self, where: Address, when: str = "", joined: Joined = Joined(), place: str = "") -> Message:
        me = facts.person(self.me)
        return Message("", f"joined:{where.server}{when}", where, me, trigger=joined, me=me.id, place=place)

    async def read(self, update: Update) -> Message | None:
        """An update as an arrival, or as a part of one, where it is one of an album. None for what is nobody's words."""
        if update.callback_query is not None:
            return await self._click(update.callback_query)
        if update.message_reaction is not None:
            return self._reaction(update, update.message_reaction)
        if (changed := update.edited_message) is not None:  # without a date nobody edited it: it got a reaction, say
            return await self._message(changed, edited=True) if changed.edit_date else None
        message = update.message
        if message is None:
            return None
        if message.migrate_to_chat_id:
            return self._moved(message, message.migrate_to_chat_id)
        found = await self._message(message)
        return replace(found, album=str(message.media_group_id)) if found and message.media_group_id else found

    async def _message(self, first: telegram.Message, *, edited: bool = False) -> Message | None:
        await self.around.heard(first)
        parts = tuple(facts.parts(first))
        quote = facts.quote(first)
        if not parts and quote is None:
            return None
        here, mentioned = facts.address(first), facts.mentions(first, self.me)
        message = Message(
            id=str(first.id),
            event=f"{first.chat.id}:{first.id}",
            address=here,
            sender=facts.speaker(first),
            parts=parts,
            at=(first.edit_date or first.date).timestamp(),
            me=str(self.me.id),
            mentions=tuple(dict.fromkeys([await self.around.meant(one, here) for one in mentioned])),
            reply_to=quote,
            language=(first.from_user.language_code or "") if first.from_user else "",
            place=first.chat.title or "",
            subject=facts.subject(first),
            **self._own(first),
        )
        message = self._named(_called(message, self.me.username or ""))
        self._remember(message)
        if edited:
            message = self._edited(message, first.date.timestamp(), facts.fingerprint(first))
        if self._asked(message) and not message.manages and first.from_user:
            return await self._placed(message, first.chat.id, first.from_user.id)
        return message

    def _asked(self, message: Message) -> bool:
        """Whether its sender wants something of the bot, for which it may matter what they are in the chat."""
        replied = message.reply_to is not None and message.reply_to.sender.id == message.me
        return isinstance(message.trigger, Called) or replied or any(one.id == message.me for one in message.mentions)

    @staticmethod
    def _own(message: telegram.Message) -> dict[str, Any]:
        """Whose rights need not be asked for: those of somebody alone with the bot, and of an anonymous administrator."""
        if facts.anonymous_admin(message):
            return {"manages": True, "roles": {"administrator": ROLES["administrator"]}}
        return {"manages": message.chat.type == "private"}

    async def _placed(self, message: Message, chat: int, who: int) -> Message:
        """With what its sender is in the chat, because they want something of the bot."""
        return placed(message, await self.status(chat, who))

    def _named(self, message: Message) -> Message:
        """With the bot called by the name that people see, as on every platform; its user name is Telegram's affair."""
        if "@" not in message.text:
            return message
        user_name = re.compile(rf"@{re.escape(self.me.username or self.me.full_name)}\b", re.IGNORECASE)
        shown = f"@{self.me.full_name}"
        parts = (replace(one, text=user_name.sub(shown, one.text)) if isinstance(one, Text) else one for one in message.parts)
        return replace(message, parts=tuple(parts))

    def _remember(self, message: Message) -> None:
        """For reactions: of what they are on, Telegram tells the number alone, not even the topic."""
        self._said[message.address.server, message.id] = message
        if len(self._said) > REMEMBERED:
            self._said.popitem(last=False)

    def _moved(self, message: telegram.Message, to: int) -> Message:
        """A group became a supergroup, which has another number."""
        where = facts.address(message)
        return Message(str(message.id), f"{message.chat.id}:{message.id}", where, facts.speaker(message), trigger=Moved(str(to)))

    def _edited(self, message: Message, began: float, content: str) -> Message:
        """A new arrival, which takes the place of the version before, however often it is read; a command counts as said when its
        message was, at `began`. Several edits of one second are told apart by their `content`.
        """
        first, version = message.event, int(message.at)
        event, newest = f"{first}:{version}:{content}", self._newest.get(first)
        if newest is None or version > newest.second:
            newest = self._newest[first] = Edits(version, newest.events[-1] if newest else first)
        replaced = newest.replaced(event) if version == newest.second else first  # read once more, with the one that took its place
        if len(self._newest) > REMEMBERED:
            self._newest.popitem(last=False)
        if isinstance(message.trigger, Called):
            return replace(message, event=event, at=began, trigger=replace(message.trigger, edits=first))
        return replace(message, event=event, trigger=Said(version, replaced))

    async def _click(self, query: telegram.CallbackQuery) -> Message | None:
        """A button: below which message is all that is told of one that is too old."""
        under = query.message
        if under is None or query.data is None:
            return None
        key, album = pressed(query.data)
        known = under if isinstance(under, telegram.Message) else None
        if not (known and facts.shows(known, query.data)):  # a client can send any data, and with it the numbers of others' messages
            album = []
        first = known.reply_to_message if known and album else None
        seen = [part for message in (known, first) if message for part in facts.parts(message)]
        place = facts.address(known) if known else Address(facts.NAME, str(under.chat.id), facts.CHANNEL, "", under.chat.type == "private")
        message = Message(
            id=str(under.message_id),
            event=f"click:{query.id}",
            address=place,
            sender=facts.person(query.from_user),
            trigger=Clicked(key),
            me=str(self.me.id),
            via=f"{VIA}{query.id}",
            reply_to=Quote(",".join(map(str, (under.message_id, *album))), facts.person(self.me), tuple(seen)),
            language=query.from_user.language_code or "",
            manages=place.direct,
        )
        return message if place.direct else await self._placed(message, under.chat.id, query.from_user.id)

    def _reaction(self, update: Update, reaction: telegram.MessageReactionUpdated) -> Message | None:
        """The first emoji that was not there before. Most of them nobody listens to, so what its sender is is not asked for here."""
        old = {one.emoji for one in reaction.old_reaction if isinstance(one, ReactionTypeEmoji)}
        new = [one.emoji for one in reaction.new_reaction if isinstance(one, ReactionTypeEmoji) and one.emoji not in old]
        who = reaction.user
        if not new or who is None:
            return None
        chat, on = str(reaction.chat.id), str(reaction.message_id)
        direct = reaction.chat.type == "private"
        said = self._said.get((chat, on))
        return Message(
            id=on,
            event=f"reaction:{update.update_id}",
            address=said.address if said else Address(facts.NAME, chat, facts.CHANNEL, "", direct),
            sender=facts.person(who),
            trigger=Reacted(new[0]),
            at=reaction.date.timestamp(),
            me=str(self.me.id),
            reply_to=Quote(on, said.sender, said.parts) if said else Quote(on, Person("", "Somebody")),
            language=who.language_code or "",
            manages=direct,
        )


def placed(message: Message, status: str) -> Message:
    """With what its sender is in the chat."""
    return replace(message, manages=status in MANAGING, guest=status in GONE, roles={status: ROLES[status]} if status in ROLES else {})


def _called(message: Message, bot: str) -> Message:
    """With the command that it is, if it is one; `/start` opens a conversation, or runs what a link says."""
    called = typed_command(message.text, bot)
    if called is None:
        return message
    named = message.text.lstrip().partition(" ")[0].count("@")
    trigger: Trigger = replace(called, shared=not message.address.direct and not named)
    if called.command == "start":
        trigger = linked(called.text) or Said()
        if isinstance(trigger, Said):
            return replace(message, parts=tuple(part for part in message.parts if part.kind != "text"))
    return replace(message, trigger=trigger)


def linked(payload: str) -> Called | None:
    """What `https://t.me/BOT?start=NAME` runs: the command NAME; words for it follow behind a hyphen, in URL-safe base64."""
    found = LINK.fullmatch(payload)
    if found is None:
        return None
    coded = found["words"] or ""
    try:
        words = base64.b64decode(coded + "=" * (-len(coded) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return Called(found["name"].lower(), text=words)
