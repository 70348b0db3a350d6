"""What discord.py hands over, as Messages: facts only. When it comes: `gateway.py`; commands, buttons and forms: `interactions.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import discord

from bot.membership import Joined, Left, Present
from bot.messages import (
    Address,
    Attachment,
    Audio,
    Deleted,
    File,
    Image,
    Message,
    Part,
    Person,
    Quote,
    Reacted,
    Said,
    Text,
)

MOST_SUBJECT = 300
"""Characters of what a channel is about; Discord's topics have up to 4,096, and every message carries them."""

SOMEBODY = "Somebody"
"""Whose name Discord did not tell."""


def said(message: discord.Message, me: discord.ClientUser, replaces: str = "", *, found: bool = False) -> Message:
    """A message, or the newest version of one whose earlier event is `replaces`; `found` in its channel's history."""
    version = int(message.edited_at.timestamp() * 1000) if message.edited_at else 0
    return Message(
        id=str(message.id),
        event=event_of(message),
        address=address(message.channel, message.guild, message.author),
        sender=person(message.author, message.webhook_id is not None),
        parts=parts(message),
        trigger=Said(version, replaces, found),
        at=(message.edited_at or message.created_at).timestamp(),
        me=str(me.id),
        mentions=_mentions(message, me),
        reply_to=quote(message.reference.resolved if message.reference else None),
        language=str(message.guild.preferred_locale) if message.guild else "",
        place=message.guild.name if message.guild else "",
        **rights(message.author, message.guild),
        age_restricted=age_restricted(message.channel),
        subject=subject(message.channel),
    )


def event_of(message: discord.Message) -> str:
    """A message and its version."""
    return f"{message.id}:{message.edited_at.timestamp():.3f}" if message.edited_at else str(message.id)


def alone_with(person: int, channel: int) -> Address:
    """Where somebody is alone with the bot."""
    return Address("discord", str(person), str(channel), direct=True)


def address(channel: Any, guild: discord.Guild | None, person: discord.abc.User) -> Address:
    """Where something happened; a thread is one of its channel."""
    if guild is None:
        return alone_with(person.id, channel.id)
    if isinstance(channel, discord.Thread):
        return Address("discord", str(guild.id), str(channel.parent_id), str(channel.id))
    return Address("discord", str(guild.id), str(channel.id))


def person(user: discord.abc.User, webhook: bool = False) -> Person:
    """Somebody, under the name that others see; what a webhook says is no human's word."""
    return Person(str(user.id), user.display_name, user.bot or webhook)


def parts(message: discord.Message) -> tuple[Part, ...]:
    """Words with names in the place of mentions, what was forwarded, and files."""
    said = (
        message.clean_content if "@" in message.content or "<#" in message.content else message.content
    )  # of words alone that is the same
    texts = [said, *(snapshot.content for snapshot in message.message_snapshots)]
    files = [*message.attachments, *(one for snapshot in message.message_snapshots for one in snapshot.attachments)]
    words = [Text(text) for text in texts if text.strip()]
    return (*words, *(_file(message, one, voice=message.flags.voice) for one in files))


def _file(message: discord.Message, found: discord.Attachment, *, voice: bool) -> Part:
    mime = found.content_type or "application/octet-stream"
    source = Attachment(f"{message.channel.id}/{message.id}/{found.id} {found.url}", mime.partition(";")[0], found.size, found.filename)
    match mime.partition("/")[0]:
        case "image":
            return Image(source, found.description or "", found.is_spoiler())
        case "audio" | "video":
            return Audio(source, voice=voice, seconds=found.duration or 0.0)
    return File(source)


def _mentions(message: discord.Message, me: discord.ClientUser) -> tuple[Person, ...]:
    """Who is mentioned; the role that Discord made for the bot is the bot."""
    people = {user.id: person(user) for user in message.mentions}
    roles = message.raw_role_mentions if "<@&" in message.content else ()
    mine = message.guild.self_role if message.guild and roles else None  # which is looked for among all
    if mine is not None and mine.id in roles:
        people.setdefault(me.id, Person(str(me.id), mine.name, bot=True))
    return tuple(people.values())


def quote(found: Any) -> Quote | None:
    """The message that another one is about, unless it is gone."""
    return Quote(str(found.id), person(found.author), parts(found)) if isinstance(found, discord.Message) else None


def rights(user: discord.abc.User, guild: discord.Guild | None, permissions: discord.Permissions | None = None) -> Mapping[str, Any]:
    """What somebody may and is where they speak, as the platform says: Manage Server, Manage Messages, whether they still have to agree to
    the guild's rules; a direct message is the person's own.
    """
    if guild is None:
        return {"manages": True}
    if not isinstance(user, discord.Member):  # a channel's history and webhooks name no member, so nothing is known of their rights
        return {}
    found = permissions if permissions is not None else user.guild_permissions
    manages = found.manage_guild or found.administrator
    return {"manages": manages, "moderates": found.manage_messages, "guest": user.pending, "roles": _roles(user)}


def age_restricted(channel: object) -> bool:
    """A thread is what its channel is; where people are alone with the bot there is nothing of the kind."""
    return isinstance(channel, discord.abc.GuildChannel | discord.Thread) and bool(getattr(channel, "is_nsfw", bool)())


def subject(channel: object) -> str:
    """Its name and topic; of a thread, those of its channel too."""
    places = (channel, getattr(channel, "parent", None))
    said = (getattr(place, words, None) for place in places for words in ("name", "topic"))
    return ", ".join(dict.fromkeys(words for words in said if isinstance(words, str) and words))[:MOST_SUBJECT]


def _roles(user: discord.abc.User) -> dict[str, str]:
    """Without the one that everybody has."""
    return {str(role.id): role.name for role in user.roles if not role.is_default()} if isinstance(user, discord.Member) else {}


def alone(me: discord.ClientUser) -> Message:
    """Whoever wants may write to the bot alone."""
    return Message("", "joined:", Address("discord", "", "", direct=True), Person("", ""), trigger=Joined(), me=str(me.id))


def joined(me: discord.ClientUser, guild: discord.Guild) -> Message:
    """The bot is in this guild; the address is where its admins read."""
    return Message("", f"joined:{guild.id}", _doorstep(guild), Person("", ""), trigger=Joined(), me=str(me.id), place=guild.name)


def let_in(me: discord.ClientUser, guild: discord.Guild) -> Message:
    """The bot is new in this guild, and says hello where it may."""
    since, where = guild.me.joined_at or discord.utils.utcnow(), _doorstep(guild)
    return Message(
        "", f"joined:{guild.id}:{since.timestamp():.0f}", where, Person("", ""), trigger=Joined(new=True), me=str(me.id), place=guild.name
    )


def present(me: discord.ClientUser) -> Message:
    """Discord has said which guilds the bot is in."""
    return Message("", "present:", Address("discord", "", ""), Person("", ""), trigger=Present(), me=str(me.id))


def _doorstep(guild: discord.Guild) -> Address:
    """Where those read who run the guild, else where Discord itself greets people, else the first channel that the bot may write in."""
    places = (guild.public_updates_channel, guild.system_channel, *guild.text_channels)
    found = next((one for one in places if one is not None and _may_write(one)), None)
    return Address("discord", str(guild.id), str(found.id) if found else "")


def _may_write(channel: discord.TextChannel) -> bool:
    granted = channel.permissions_for(channel.guild.me)
    return granted.view_channel and granted.send_messages


def left(me: discord.ClientUser, guild: int) -> Message:
    """The bot is in this guild no more."""
    place = Address("discord", str(guild), "")
    return Message("", f"left:{guild}", place, Person("", ""), trigger=Left(), me=str(me.id))


def deleted(message: int, place: Address, me: discord.ClientUser, replaces: str) -> Message:
    """A message that is gone. Discord does not say who took it away."""
    id = str(message)
    return Message(id, f"deleted:{id}", place, Person("", ""), trigger=Deleted(replaces), me=str(me.id))


def reacted(payload: discord.RawReactionActionEvent, place: Address, who: Person, channel: Any, me: discord.ClientUser) -> Message:
    """An emoji on a message, of which Discord tells whose it is; `channel` is None where somebody is alone with the bot."""
    mine = payload.message_author_id == me.id
    author = person(me) if mine else Person(str(payload.message_author_id or ""), SOMEBODY)
    by: Mapping[str, Any] = {} if payload.member is None else rights(payload.member, payload.member.guild)
    return Message(
        id=str(payload.message_id),
        event=f"reaction:{payload.message_id}:{payload.user_id}:{payload.emoji}",
        address=place,
        sender=who,
        trigger=Reacted(str(payload.emoji)),
        me=str(me.id),
        reply_to=Quote(str(payload.message_id), author),
        age_restricted=age_restricted(channel),
        subject=subject(channel),
        **by,
    )
