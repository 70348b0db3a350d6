"""What an update of Telegram says, as the house knows it: people, places, parts. How updates come: `polling.py` and `webhooks.py`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from hashlib import blake2b

import telegram
from telegram import MessageOriginChannel, MessageOriginChat, MessageOriginHiddenUser, MessageOriginUser

from bot.messages import Address, Attachment, Audio, File, Image, Part, Person, Quote, Text

NAME = "telegram"

CHANNEL = "main"
"""A chat of Telegram has topics, which are threads, but no channels."""

Downloadable = telegram.PhotoSize | telegram.Document | telegram.Voice | telegram.VideoNote | telegram.Audio | telegram.Video

CODE = {"pre": ("```\n", "\n```"), "code": ("`", "`")}
"""What people typed around code, and their program turned into a style."""


def address(message: telegram.Message) -> Address:
    """Where it was said. The General topic has no number, and what only looks like a topic (comments, chains of replies) is none."""
    topic = str(message.message_thread_id) if message.is_topic_message and message.message_thread_id else ""
    direct = message.chat.type == "private"
    return Address(NAME, str(message.chat.id), CHANNEL, topic, direct)


def subject(message: telegram.Message) -> str:
    """What the group is called, and in a topic what that is called, where Telegram says it."""
    begun = message.reply_to_message.forum_topic_created if message.reply_to_message else None
    return ", ".join(filter(None, (message.chat.title, begun.name if begun else None)))


def person(user: telegram.User) -> Person:
    """Somebody with an account."""
    return Person(str(user.id), user.full_name, user.is_bot)


def speaker(message: telegram.Message) -> Person:
    """Who said it: a person, or the group or channel in whose name they did."""
    behind = message.sender_chat
    if behind is not None:
        return Person(str(behind.id), message.author_signature or behind.effective_name or "Somebody")
    return person(message.from_user) if message.from_user else Person("", "Somebody")


def anonymous_admin(message: telegram.Message) -> bool:
    """Whether somebody speaks in the name of this very group, which only its administrators can."""
    return message.sender_chat is not None and message.sender_chat.id == message.chat.id


def mentions(message: telegram.Message, me: telegram.User) -> tuple[Person, ...]:
    """Those who are named. Of somebody without a link Telegram tells the name alone."""
    return tuple(_mentions(message, me))


def _mentions(message: telegram.Message, me: telegram.User) -> Iterator[Person]:
    for entity, words in (message.parse_entities() | message.parse_caption_entities()).items():
        if entity.type == "text_mention" and entity.user:
            yield person(entity.user)
        elif entity.type in ("mention", "bot_command") and "@" in words:
            name = words.partition("@")[2]
            yield person(me) if name.lower() == (me.username or "").lower() else Person(f"@{name.lower()}", name)


def words(message: telegram.Message) -> str:
    """What was typed, the marks around code included."""
    text = message.text or message.caption or ""
    entities = message.entities or message.caption_entities
    if not any(one.type in CODE for one in entities):
        return text
    wide = text.encode("utf-16-le")
    for one in sorted(entities, key=lambda one: -one.offset):
        if one.type in CODE:
            before, after = CODE[one.type]
            start, end = 2 * one.offset, 2 * (one.offset + one.length)
            opening = before.replace("\n", f"{one.language or ''}\n")
            wide = wide[:start] + opening.encode("utf-16-le") + wide[start:end] + after.encode("utf-16-le") + wide[end:]
    return wide.decode("utf-16-le")


def parts(message: telegram.Message) -> Iterator[Part]:
    """Words and files; a forwarded text is no word of the person who forwards it, see `quote`."""
    text = words(message)
    if text and not (message.forward_origin and message.text):
        yield Text(text)
    yield from files(message)


def files(message: telegram.Message) -> Iterator[Part]:
    """What can be downloaded. Round and other videos are recordings: what is said in them is what is in them."""
    if message.photo:
        largest = max(message.photo, key=lambda size: size.width)
        yield Image(_attachment(largest, "image/jpeg", "photo.jpg"), spoiler=bool(message.has_media_spoiler))
    if voice := message.voice:
        yield Audio(_attachment(voice, voice.mime_type or "audio/ogg", "voice.ogg"), voice=True, seconds=_seconds(voice.duration))
    if round_video := message.video_note:
        yield Audio(_attachment(round_video, "video/mp4", "video.mp4"), voice=True, seconds=_seconds(round_video.duration))
    if audio := message.audio:
        yield Audio(_attachment(audio, audio.mime_type or "audio/mpeg", audio.file_name or "audio"), seconds=_seconds(audio.duration))
    if video := message.video:
        yield Audio(_attachment(video, video.mime_type or "video/mp4", video.file_name or "video.mp4"), seconds=_seconds(video.duration))
    if (document := message.document) and not message.animation:
        yield _document(document)
    if message.sticker and message.sticker.emoji:
        yield Text(message.sticker.emoji)


def _document(document: telegram.Document) -> Part:
    source = _attachment(document, document.mime_type or "application/octet-stream", document.file_name or "file")
    match source.mime.partition("/")[0]:
        case "image":
            return Image(source)
        case "audio" | "video":
            return Audio(source)
        case _:
            return File(source)


def _attachment(file: Downloadable, mime: str, name: str) -> Attachment:
    return Attachment(file.file_id, mime, file.file_size or 0, name)


def _seconds(duration: int | timedelta) -> float:
    """The library gives a number or a timedelta, as its environment says."""
    return duration.total_seconds() if isinstance(duration, timedelta) else float(duration)


def quote(message: telegram.Message) -> Quote | None:
    """What it replies to, or what it hands on from somebody else.

    In a topic, what replies to nothing replies to the topic's beginning; that is no quote.
    """
    if message.forward_origin and message.text:
        return Quote(str(message.id), _origin(message.forward_origin), (Text(words(message)),))
    told = (Text(message.quote.text),) if message.quote else None
    if (replied := message.reply_to_message) and not replied.forum_topic_created:
        return Quote(str(replied.id), speaker(replied), told or tuple(parts(replied)))
    if other := message.external_reply:
        return Quote(str(other.message_id or ""), _origin(other.origin), told or ())
    return None


def _origin(origin: telegram.MessageOrigin) -> Person:
    """Whom a message is from that was brought here; without an id, because it was not said here."""
    match origin:
        case MessageOriginUser():
            return Person("", origin.sender_user.full_name, origin.sender_user.is_bot)
        case MessageOriginHiddenUser():
            return Person("", origin.sender_user_name)
        case MessageOriginChat():
            return Person("", origin.author_signature or origin.sender_chat.effective_name or "Somebody")
        case MessageOriginChannel():
            return Person("", origin.chat.effective_name or "Somebody")
        case _:
            return Person("", "Somebody")


def fingerprint(message: telegram.Message) -> str:
    """The same for the same words and files, however often Telegram tells them: of a file only one of its two ids never changes."""
    attached = message.effective_attachment
    newest = attached[-1] if isinstance(attached, Sequence) and attached else attached
    return blake2b(f"{words(message)}\0{getattr(newest, 'file_unique_id', '')}".encode(), digest_size=4).hexdigest()


def shows(message: telegram.Message, told: str) -> bool:
    """Whether a button below it tells exactly this."""
    rows = message.reply_markup.inline_keyboard if message.reply_markup else ()
    return any(button.callback_data == told for row in rows for button in row)
