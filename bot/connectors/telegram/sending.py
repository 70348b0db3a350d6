"""Posts become calls of the Bot API. What Markdown becomes is in `rendering.py`, when something is sent is decided by the router."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import accumulate, pairwise
from typing import Any, TypeVar

import structlog
from telegram import (
    Bot,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    InputMediaAudio,
    InputMediaDocument,
    InputMediaPhoto,
    LinkPreviewOptions,
    ReplyParameters,
)
from telegram.error import BadRequest, ChatMigrated, RetryAfter

from bot.connector import Key, Post, Upload
from bot.connectors.telegram import faults
from bot.connectors.telegram.rendering import rendered
from bot.connectors.telegram.steps import Steps, once
from bot.connectors.telegram.styled import INERT_AT, WIDE_AT, Styled, plain, units
from bot.hiding import closed
from bot.messages import Address
from bot.translation import later, translated

MOST_TEXT = 4096
MOST_CAPTION = 1024
"""Units of a text, and of one below a file."""

MOST_PHOTO = 10_000_000
"""Bytes of a picture that is shown as one; a larger one goes as a file."""

PICTURES = frozenset({"image/jpeg", "image/png", "image/webp"})
SOUNDS = frozenset({"audio/mpeg", "audio/mp3", "audio/mp4", "audio/m4a", "audio/x-m4a"})
NOTES = frozenset({"audio/ogg", "audio/opus"})

ROW = 3
"""Buttons side by side, where their words are short."""

WIDE = 16
"""Letters from which a button has a row of its own."""

KEYS_BELOW = "⬆"
"""What carries the buttons of an album, which can have none."""

MOST_DATA = 64
"""Bytes of what a button tells."""

NO_FILES = later(
    "(I may not send files here. An administrator of this group allows that: the group's name, Edit, Permissions, Send Media.)"
)

T = TypeVar("T")

log = structlog.get_logger(__name__)


@dataclass
class Sender:
    """Sends with one bot. `moved` knows the groups that became supergroups meanwhile."""

    bot: Bot
    moved: dict[str, int] = field(default_factory=OrderedDict)

    async def send(self, to: Address, post: Post, steps: Steps, below: InlineKeyboardMarkup | None = None) -> str:
        """The new message's id; of an album, that of its first. `below` stands under words, where the post has no buttons of its own.

        A try that follows a failed one is given its `steps`, so that what stands is not said once more.
        """
        if post.uploads:
            try:
                return await (self._file(to, post, post.uploads[0]) if len(post.uploads) == 1 else self._album(to, post, steps))
            except BadRequest as error:
                post = _without_files(post, error)
        return await self._text(to, post, said(post.text, MOST_TEXT), below or keyboard(post.keys) or _forced(post))

    async def edit(self, to: Address, message: str, post: Post) -> None:
        """Replaces words, and what stands there as a whole where the post has a file."""
        try:
            await self._edit(to, message, post)
        except BadRequest as error:
            await self._edit(to, message, _without_files(post, error))

    async def _edit(self, to: Address, message: str, post: Post) -> None:
        where: dict[str, Any] = {"message_id": int(message.partition(",")[0]), "reply_markup": keyboard(post.keys)}
        if post.uploads:
            await self._unless_unchanged(to, lambda chat: self.bot.edit_message_media(_media(post.uploads[0], post), chat, **where))
            return
        words = said(post.text, MOST_TEXT)
        more: dict[str, Any] = {
            "text": words.text,
            "entities": words.entities,
            "link_preview_options": LinkPreviewOptions(is_disabled=True),
        }
        try:
            await self._unless_unchanged(to, lambda chat: self.bot.edit_message_text(chat_id=chat, **where, **more))
        except BadRequest as error:
            if not faults.says(error, faults.NO_CAPTION):
                raise
            words = said(post.text, MOST_CAPTION)
            below: dict[str, Any] = {"caption": words.text, "caption_entities": words.entities}
            await self._unless_unchanged(to, lambda chat: self.bot.edit_message_caption(chat, **where, **below))

    async def delete(self, to: Address, message: str) -> None:
        """Removes a message, with the album above it; one that is gone, or too old to be removed, stays as it is."""
        for one in message.split(","):
            await self._delete(to, int(one))

    async def _delete(self, to: Address, message: int) -> None:
        try:
            await self.call(to, lambda chat: self.bot.delete_message(chat, message))
        except BadRequest as error:
            if not faults.says(error, *faults.GONE):
                raise

    async def call(self, to: Address, call: Callable[[int], Awaitable[T]]) -> T:
        """Calls with the chat's number, and once more where the group has a new one."""
        try:
            return await call(self.moved.get(to.server, int(to.server)))
        except ChatMigrated as error:
            self.moved[to.server] = error.new_chat_id
            return await call(error.new_chat_id)

    async def _unless_unchanged(self, to: Address, call: Callable[[int], Awaitable[object]]) -> None:
        try:
            await self.call(to, call)
        except BadRequest as error:
            if not faults.says(error, faults.UNCHANGED):
                raise

    async def _text(self, to: Address, post: Post, words: Styled, below: InlineKeyboardMarkup | ForceReply | None) -> str:
        async def call(chat: int) -> str:
            more: dict[str, Any] = {
                "reply_markup": below,
                "link_preview_options": LinkPreviewOptions(is_disabled=True),
            }
            sent = await self.bot.send_message(chat, words.text or "…", entities=words.entities, **more, **_where(to, post))
            return str(sent.message_id)

        return await self.call(to, call)

    async def _file(self, to: Address, post: Post, upload: Upload) -> str:
        """One file, shown as what it is where Telegram can, else as a document."""
        words = said(post.text, MOST_CAPTION)
        more = {"caption": words.text or None, "caption_entities": words.entities, "reply_markup": keyboard(post.keys), **_where(to, post)}

        async def call(chat: int) -> str:
            await self._sign(chat, to, upload)
            sent = await self._as_it_is(upload, chat, more)
            return str(sent.message_id)

        return await self.call(to, call)

    async def _sign(self, chat: int, to: Address, upload: Upload) -> None:
        """Shows that a file is on its way, which it is all the same where that cannot be shown."""
        with suppress(RetryAfter, BadRequest):
            await self.bot.send_chat_action(chat, _action(upload), message_thread_id=_topic(to))

    async def _as_it_is(self, upload: Upload, chat: int, more: dict[str, Any]) -> Any:
        content = InputFile(upload.content, filename=upload.name)
        try:
            if _is_picture(upload):
                return await self.bot.send_photo(chat, content, has_spoiler=upload.spoiler, **more)
            if upload.mime in NOTES:
                return await self.bot.send_voice(chat, content, **more)
            if upload.mime in SOUNDS:
                return await self.bot.send_audio(chat, content, **more)
        except BadRequest as error:
            if not faults.says(error, *faults.NO_PICTURE, faults.VOICE_FORBIDDEN):
                raise
        if upload.spoiler:  # a document is shown as it is
            upload = closed(upload)
        content = InputFile(upload.content, filename=upload.name)
        return await self.bot.send_document(chat, content, disable_content_type_detection=True, **more)

    async def _album(self, to: Address, post: Post, steps: Steps) -> str:
        """Files side by side; an album has no buttons, so words and buttons follow it as a message of their own."""
        uploads, below = post.uploads, post if not post.keys else Post("")
        media = [_media(upload, below if number == 0 else Post(""), _kind(uploads)) for number, upload in enumerate(uploads)]

        async def call(chat: int) -> list[int]:
            await self._sign(chat, to, uploads[0])
            return [one.message_id for one in await self.bot.send_media_group(chat, media, **_where(to, post))]

        ids = await once(steps, "album", lambda: self.call(to, call))
        if post.keys:
            follows = Post("", reply_to=str(ids[0]), silent=True)
            await self._text(to, follows, said(post.text or KEYS_BELOW, MOST_TEXT), keyboard(post.keys, ids))
        return str(ids[0])


def _without_files(post: Post, error: BadRequest) -> Post:
    """The post for a group that allows words alone. Raises the error where that is not what it says."""
    if not post.uploads or not faults.says(error, *faults.NO_RIGHTS):
        raise error
    return replace(post, uploads=(), text=f"{post.text}\n\n{translated(NO_FILES)}".strip())


def said(markdown: str, most: int) -> Styled:
    """The words with their styles; where these make them too long, as they were written; and never more than fits."""
    for at in (INERT_AT, WIDE_AT):  # one letter longer for each @, and no longer
        words = rendered(markdown, at)
        if units(words.text) <= most:
            return words
    return plain(markdown).clipped(most)


def keyboard(keys: Sequence[Key], album: Sequence[int] = ()) -> InlineKeyboardMarkup | None:
    """The buttons in rows, which tell of the messages of an album that they are for; none takes those away that were there."""
    rows: list[list[InlineKeyboardButton]] = []
    for key in keys:
        button = InlineKeyboardButton(key.label, callback_data=_told(key.id, album))
        beside = rows[-1] if rows else []
        if beside and len(beside) < ROW and all(len(one.text) < WIDE for one in [*beside, button]):
            beside.append(button)
        else:
            rows.append([button])
    return InlineKeyboardMarkup(rows) if rows else None


def _told(key: str, album: Sequence[int]) -> str:
    """What a button tells when it is pressed: Telegram says nothing of an album but its first message, if at all."""
    if not album:
        return key
    told = f"{key}{KEYS_BELOW}{album[0]}" + "".join(f".{after - before}" for before, after in pairwise(album))
    return told if len(told.encode()) <= MOST_DATA else key


def pressed(told: str) -> tuple[str, list[int]]:
    """The key of the button that tells this, and the messages of the album above it."""
    key, _, steps = told.partition(KEYS_BELOW)
    return key, list(accumulate(int(step) for step in steps.split(".") if step.isdecimal()))


def _forced(post: Post) -> ForceReply | None:
    """Opens the reply for who is asked for something."""
    return ForceReply(selective=True) if post.asks else None


def _where(to: Address, post: Post) -> dict[str, Any]:
    """The topic, and what it answers; a question that is gone is answered all the same.

    Below a channel's post the comments are one thread, which only a reply to one of them stays in. Nothing says that a group is such a
    place, so wherever there is no topic every part of an answer replies to the question, and only the first so that its author is told.
    """
    within = post.about if not to.direct and not to.thread and post.about.isdecimal() else ""
    answers = post.reply_to or within
    reply = ReplyParameters(int(answers), allow_sending_without_reply=True) if answers else None
    silent = post.silent or bool(within and not post.reply_to)
    return {"message_thread_id": _topic(to), "reply_parameters": reply, "disable_notification": silent or None}


def _topic(to: Address) -> int | None:
    return int(to.thread) if to.thread else None


def _is_picture(upload: Upload) -> bool:
    return upload.mime in PICTURES and len(upload.content) <= MOST_PHOTO


def _kind(uploads: Sequence[Upload]) -> str:
    """What all of an album are shown as; what differs goes as documents, which cannot stand beside anything else."""
    if all(map(_is_picture, uploads)):
        return "photo"
    return "audio" if all(upload.mime in SOUNDS for upload in uploads) else "document"


def _media(upload: Upload, post: Post, kind: str = "") -> InputMediaPhoto | InputMediaAudio | InputMediaDocument:
    words = said(post.text, MOST_CAPTION)
    below: dict[str, Any] = {"caption": words.text or None, "caption_entities": words.entities}
    match kind or _kind([upload]):
        case "photo":
            return InputMediaPhoto(upload.content, has_spoiler=upload.spoiler, filename=upload.name, **below)
        case "audio":
            return InputMediaAudio(upload.content, filename=upload.name, **below)
        case _:
            upload = closed(upload) if upload.spoiler else upload
            return InputMediaDocument(upload.content, filename=upload.name, disable_content_type_detection=True, **below)


def _action(upload: Upload) -> str:
    """The sign that stands while a file is on its way."""
    if _is_picture(upload):
        return "upload_photo"
    return "upload_voice" if upload.mime in NOTES else "upload_document"
