"""Turns a Reply into the posts a platform takes: text in pieces, files with bytes, buttons with short ids. Sending: `delivery.py`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import structlog

from bot.connector import Key, Limits, Menu, Post, Upload
from bot.errors import UserError
from bot.forms import Button, Select
from bot.hiding import closed
from bot.media import Decoder
from bot.messages import Audio, Blob, File, Image, Text
from bot.pictures import Pictures
from bot.replies import Reply
from bot.router.asking import CHOOSE
from bot.router.journal import Journal
from bot.router.splitting import split
from bot.store.digests import digest
from bot.store.plugindata import Pressed
from bot.translation import tr

MOST_PIECES = 3
"""Messages that a long text may fill; a longer one becomes a file with its beginning above."""

FITTED = {"image": ("jpg", "image/jpeg"), "audio": ("ogg", "audio/ogg")}
"""What is made of a file that is too large, by its kind: the ending of its name, and its type."""

log = structlog.get_logger(__name__)


class BlobSource(Protocol):
    """Where bytes come from."""

    async def get(self, blob: Blob) -> bytes:
        """See `Blobs.get`."""


class ButtonStore(Protocol):
    """Where buttons are remembered."""

    async def keep_buttons(self, buttons: Mapping[str, Pressed]) -> None:
        """See `PluginData.keep_buttons`."""


@dataclass(frozen=True, slots=True)
class Posts:
    """Makes posts."""

    blobs: BlobSource
    buttons: ButtonStore
    most_pieces: int = MOST_PIECES
    pictures: Pictures = field(default_factory=Pictures)
    sounds: Decoder = field(default_factory=Decoder)

    async def of(self, reply: Reply, journal: Journal, limits: Limits) -> list[Post]:
        """The reply as posts, in order; the buttons are under the last, the first replies to the question.

        Private ones all do: from the message that it replies to, a platform knows whose eyes a post is for.
        """
        fitting = [await self._fitting(part, limits) for part in reply.parts if not isinstance(part, Text)]
        made = [closed(one) if one.spoiler and not limits.spoilers else one for one in fitting]
        uploads = [upload for upload in made if len(upload.content) <= limits.file]
        said = "\n\n".join([reply.text, *(_too_large(upload, limits) for upload in made if upload not in uploads)])
        pieces = split(said, limits.text, limits.size, self.most_pieces) if said.strip() else [""]
        if len(pieces) > self.most_pieces:
            whole = Upload("answer.md", "text/markdown", said.encode())
            fits = len(whole.content) <= limits.file
            pieces, uploads = pieces[:1] if fits else [pieces[0], _too_large(whole, limits)], uploads + [whole] * fits
        keys, menus = await self._below(reply, journal, limits)
        groups = list(_groups(uploads, limits)) or [()]
        apart = bool(uploads) and limits.caption is not None and limits.size(pieces[-1]) > limits.caption
        texts = pieces + [""] * (len(groups) - 1 + apart)
        files = [()] * (len(pieces) - 1 + apart) + groups
        last = len(texts) - 1
        return [
            Post(
                text,
                uploads=files[number],
                keys=keys if number == last else (),
                menus=menus if number == last else (),
                reply_to=journal.message.id if number == 0 or reply.private else "",
                silent=reply.silent,
                private=reply.private,
                fault=reply.fault,
                asks=journal.ticket.body.asks and number == last,
                via=journal.message.via,
                opening=number == 0,
                about=journal.message.id,
                person=journal.message.sender.id,
            )
            for number, text in enumerate(texts)
        ]

    async def _fitting(self, part: Image | Audio | File, limits: Limits) -> Upload:
        """The part with its bytes; a picture or a sound that is too large for the chat, as one that is not, where that can be done."""
        upload = await self.upload(part)
        kind, most = upload.mime.partition("/")[0], limits.file
        if len(upload.content) <= most or kind not in FITTED:
            return upload
        try:
            content = await (self.pictures if kind == "image" else self.sounds).fitted(upload.content, most)
        except UserError as error:
            log.warning("a file could not be made to fit", name=upload.name, fault=str(error))
            return upload
        ending, mime = FITTED[kind]
        return replace(upload, name=f"{upload.name.rpartition('.')[0] or upload.name}.{ending}", mime=mime, content=content)

    async def upload(self, part: Image | Audio | File) -> Upload:
        """The part with its bytes. Raises UserError when they are not kept any more."""
        source = part.source
        if not isinstance(source, Blob):
            raise TypeError(f"a reply carries blobs, not attachments of the platform: pass {source.name!r} through ctx.read and ctx.keep")
        alt, spoiler = (part.alt, part.spoiler) if isinstance(part, Image) else ("", False)
        return Upload(source.name or _file_name(source), source.mime, await self.blobs.get(source), alt, spoiler)

    async def _below(self, reply: Reply, journal: Journal, limits: Limits) -> tuple[tuple[Key, ...], tuple[Menu, ...]]:
        """Buttons and menus; a menu is as many buttons where the platform has none."""
        keys = [Key(f"{CHOOSE}{one}", one) for one in journal.ticket.body.choices]
        menus: list[Menu] = []
        kept: dict[str, Pressed] = {}
        for number, part in enumerate(reply.buttons):
            id, pressed = _pressed(part, number, journal)
            kept[id] = pressed
            if isinstance(part, Button):
                keys.append(Key(id, part.label))
            elif limits.menus:
                menus.append(_menu(id, part))
            else:
                keys += [Key(f"{id}.{at}", f"{'✓ ' * one.chosen}{one.label}") for at, one in enumerate(part.choices)]
        if kept:
            await self.buttons.keep_buttons(kept)
        return tuple(keys), tuple(menus)


def _pressed(part: Button | Select, number: int, journal: Journal) -> tuple[str, Pressed]:
    """The id that it gets, and what is remembered under that."""
    body = journal.ticket.body
    what, asks = (part.label, part.form) if isinstance(part, Button) else (part.name, replace(part, payload={}))
    payload = json.dumps(part.payload, sort_keys=True, default=str)  # several posts of a ticket may have buttons that look the same
    id = digest(journal.ticket.id, part.action, what, str(number), payload)[:24]
    person = f"{body.message.address.connector}/{body.message.sender.id}"
    return id, Pressed(body.plugin, part.action, part.payload, body.version, asks, person)


def _menu(id: str, select: Select) -> Menu:
    """A choice comes back by its place, because platforms take neither empty nor long values; no more of them stand chosen than may be."""
    most, left = min(select.most, len(select.choices)), select.most
    choices = []
    for at, one in enumerate(select.choices):
        choices.append(replace(one, value=str(at), chosen=one.chosen and left > 0))
        left -= one.chosen
    return Menu(id, tuple(choices), select.placeholder, select.least, most)


def _groups(uploads: Sequence[Upload], limits: Limits) -> Iterator[tuple[Upload, ...]]:
    """The files in their order, as many beside one another as a post takes."""
    group: list[Upload] = []
    for upload in uploads:
        size = sum(len(one.content) for one in group) + len(upload.content)
        if group and (len(group) == limits.files_per_post or size > limits.bytes_per_post):
            yield tuple(group)
            group = []
        group.append(upload)
    if group:
        yield tuple(group)


def _too_large(upload: Upload, limits: Limits) -> str:
    has, most = f"{len(upload.content) / 1e6:.1f}", f"{limits.file / 1e6:.1f}"
    return tr("({file} has {has} MB, and this chat takes at most {most} MB.)", file=upload.name, has=has, most=most)


def _file_name(blob: Blob) -> str:
    kind, _, subtype = blob.mime.partition("/")
    return f"{kind}.{subtype.split(';')[0].split('+')[0] or 'bin'}"
