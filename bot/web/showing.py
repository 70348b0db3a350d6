"""Turns messages of a room into what its page draws. Sending them there is in `room.py`, drawing them in `static/`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import structlog

from bot.forms import Form
from bot.messages import Attachment, Audio, File, Image, Text
from bot.store.places import Gone, Place, RoomMessage
from bot.store.roomfeed import Change
from bot.web.doing import DIRECT, options
from bot.web.files import url
from bot.web.markdown import Markdown

AT_ONCE = 4_000
"""Characters that are drawn while everybody waits, together: at 9 µs for the most expensive (a list of many items), under 0.04 s."""

log = structlog.get_logger(__name__)


class Showing:
    """Draws changes for a person."""

    def __init__(self, markdown: Markdown) -> None:
        self._markdown = markdown

    async def all(self, changes: Sequence[Change], me: str) -> list[dict[str, Any]]:
        """The changes that the person may see, as plain data; one that cannot be drawn is left out. Much is drawn beside the loop."""
        if sum(len(change.text) for change in changes if isinstance(change, RoomMessage)) > AT_ONCE:
            return await asyncio.to_thread(self._all, changes, me)
        return self._all(changes, me)

    def _all(self, changes: Sequence[Change], me: str) -> list[dict[str, Any]]:
        return [drawn for change in changes if (drawn := self._tried(change, me))]

    def _tried(self, change: Change, me: str) -> dict[str, Any] | None:
        try:
            return self._one(change, me)
        except Exception:  # of whatever kind: it must not hide all the others
            log.exception("a message cannot be drawn", place=change.place.key, message=change.id)
            return None

    def _one(self, change: Change, me: str) -> dict[str, Any] | None:
        place = where(change.place)
        if isinstance(change, Gone):
            return {"where": place, "id": change.id, "gone": True}
        if not isinstance(change, RoomMessage) or not change.seen_by(me):
            return None
        head, body = change.head, change.body
        return {
            "where": place,
            "id": change.id,
            "version": change.version,
            "at": change.at,
            "author": {"id": head.author.id, "name": head.author.name, "bot": head.author.bot},
            "html": self._markdown.render(change.text, tuple(person.name for person in head.mentions)),
            "text": change.text,
            "files": [_file(part) for part in body.parts if not isinstance(part, Text)],
            "keys": [{"id": key.id, "label": key.label} for key in body.keys],
            "menus": [asdict(menu) for menu in body.menus],
            "form": None if body.form is None else _form(body.form),
            "replies": change.replies,
            "reply_to": head.reply_to,
            "busy": body.busy,
            "fault": body.fault,
            "only": bool(body.only),
            "calls_me": any(person.id == me for person in head.mentions),
        }


def where(place: Place) -> str:
    """The place as the page names it."""
    return DIRECT if place.person else place.key


def _form(form: Form) -> dict[str, Any]:
    return {"title": form.title, "options": options(form.inputs), "values": dict(form.values)}


def _file(part: Image | Audio | File) -> dict[str, Any]:
    source = part.source
    assert isinstance(source, Attachment)
    shown: dict[str, Any] = {"kind": part.kind, "url": url(source), "name": source.name, "mime": source.mime, "size": source.size}
    if isinstance(part, Image):
        return {**shown, "alt": part.alt, "spoiler": part.spoiler}
    return {**shown, "voice": part.voice, "seconds": part.seconds} if isinstance(part, Audio) else shown
