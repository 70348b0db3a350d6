"""A chat in which a test lets people speak, click and react, and reads what the bot answered. What stands behind it: `house.py`."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.connector import Deliver, Key, Menu, Post, typed_command
from bot.messages import (
    Address,
    Attachment,
    Audio,
    Called,
    Clicked,
    File,
    Image,
    Message,
    Part,
    Person,
    Quote,
    Reacted,
    Said,
    Text,
    Trigger,
)
from bot.testing.calling import CALLER
from bot.testing.house import House
from bot.testing.models import Models

BOT = Person("bot", "Hobnob", bot=True)


class Seen(str):
    """A message of the bot: its words as they stand, and beside them what belongs to it. It equals a plain string with these words."""

    __slots__ = ("buttons", "files", "id", "private", "reply_to", "versions")

    id: str
    buttons: list[str]
    """Labels, in order; those of a menu's choices too."""
    files: dict[str, bytes]
    versions: list[str]
    """What it said, from the first status line to what stands."""
    private: bool
    reply_to: str

    def __new__(cls, id: str, versions: Sequence[Post]) -> Seen:
        """Of what the platform has."""
        post = versions[-1]
        seen = super().__new__(cls, post.text)
        seen.id, seen.private, seen.reply_to = id, post.private, post.reply_to
        seen.buttons = [key.label for key in post.keys] + [choice.label for menu in post.menus for choice in menu.choices]
        seen.files = {upload.name: upload.content for upload in post.uploads}
        seen.versions = [version.text for version in versions]
        return seen


@dataclass(frozen=True, slots=True)
class Room:
    """One chat. Whatever is done in it returns when all that follows from it is done, with the messages that are new or changed.

    `by` is a name, or a Person. AssertionError when something stands in the way that a plugin's author has to know.
    """

    house: House
    address: Address

    def elsewhere(self, server: str) -> Room:
        """A room of another server."""
        return replace(self, address=Address(self.address.connector, server, "main"))

    def alone(self, person: str) -> Room:
        """Where this person is alone with the bot."""
        return replace(self, address=Address(self.address.connector, person.lower(), "main", direct=True))

    @property
    def messages(self) -> list[Seen]:
        """What the bot says here, as it stands."""
        return [Seen(id, self.house.platform.versions[id]) for id in self._chat]

    @property
    def _chat(self) -> dict[str, Post]:
        return self.house.platform.chats.get(self.address, {})

    @property
    def models(self) -> Models:
        """See `Models`."""
        return self.house.models

    async def say(
        self,
        text: str = "",
        files: Mapping[str, bytes] | None = None,
        *,
        by: str | Person = "Ada",
        to_bot: bool = True,
        reply_to: Seen | None = None,
        voice: bool = False,
        wait: bool = True,
        **facts: Any,
    ) -> list[Seen]:
        """Somebody writes, `/name …` for a command; `files` by name, of which sound is a recording with `voice`.

        `to_bot` mentions the bot. Without `wait` it returns once the message is accepted. `facts` are more fields of the Message:
        `manages=True` for who manages the server.
        """
        parts = [*([Text(text)] if text else []), *(self._file(name, content, voice) for name, content in (files or {}).items())]
        trigger = typed_command(text, BOT.name) or Said()
        facts = {"mentions": (BOT,) if to_bot else (), "reply_to": self._quote(reply_to)} | facts
        return await self._happens(trigger, by, tuple(parts), wait=wait, **facts)

    async def click(self, label: str, on: Seen | None = None, *, by: str | Person = "Ada", wait: bool = True, **facts: Any) -> list[Seen]:
        """Somebody presses the button of this label, the newest one or that of a message."""
        key, below = self._button(label, on)
        return await self._happens(Clicked(key.id), by, wait=wait, reply_to=self._quote(below), **facts)

    async def choose(self, *labels: str, on: Seen | None = None, by: str | Person = "Ada", **facts: Any) -> list[Seen]:
        """Somebody chooses in the newest menu that has these labels."""
        menus: list[tuple[Menu, Seen]] = [(menu, seen) for seen, post in self._posts(on) for menu in post.menus]
        fitting = [(menu, seen) for menu, seen in menus if {one.label for one in menu.choices} >= set(labels)]
        assert fitting, f"expected a menu with {', '.join(labels)}, found {[[one.label for one in menu.choices] for menu, _ in menus]}"
        menu, below = fitting[-1]
        chosen = tuple(one.value for one in menu.choices if one.label in labels)
        return await self._happens(Clicked(menu.id, chosen=chosen), by, reply_to=self._quote(below), **facts)

    async def fill(self, label: str, on: Seen | None = None, *, by: str | Person = "Ada", **values: Any) -> list[Seen]:
        """Somebody presses the button of this label, fills in the form that it opens, and sends it."""
        (key, below), opened = self._button(label, on), len(self.house.platform.forms)
        await self._happens(Clicked(key.id), by)
        assert len(self.house.platform.forms) > opened, f"expected {label!r} to open a form"
        return await self._happens(Clicked(key.id, filled=values), by, reply_to=self._quote(below))

    async def react(self, emoji: str, on: Seen, *, by: str | Person = "Ada", **facts: Any) -> list[Seen]:
        """Somebody puts an emoji on a message of the bot."""
        return await self._happens(Reacted(emoji), by, reply_to=self._quote(on), **facts)

    async def call(self, tool: str, *, by: str | Person = "Ada", **arguments: Any) -> Seen:
        """A chat model calls a tool for somebody: what it is told of that, and what goes to the chat, as one message."""
        (said,) = await self._happens(Called(CALLER, options={"tool": tool, "arguments": json.dumps(arguments)}), by)
        return said

    async def later(self, seconds: float) -> list[Seen]:
        """Time passes: what is scheduled until then happens, and from now on `ctx.now` is so much later."""
        before = self._versions()
        await self.house.later(seconds)
        return self._since(before)

    async def _happens(
        self, trigger: Trigger, by: str | Person, parts: Sequence[Part] = (), *, wait: bool = True, **facts: Any
    ) -> list[Seen]:
        id, before = f"m{next(self.house.ids)}", self._versions()
        sender = by if isinstance(by, Person) else Person(by.lower(), by)
        deliver: Deliver = self.house.router.deliver
        await deliver(Message(id, id, self.address, sender, tuple(parts), trigger, self.house.now, BOT.id, **facts))
        if wait:
            await self.house.settled()
        return self._since(before)

    def _versions(self) -> dict[str, int]:
        return {id: len(self.house.platform.versions[id]) for id in self._chat}

    def _since(self, before: Mapping[str, int]) -> list[Seen]:
        return [seen for seen in self.messages if len(seen.versions) != before.get(seen.id)]

    def _posts(self, on: Seen | None) -> list[tuple[Seen, Post]]:
        return [(seen, self._chat[seen.id]) for seen in self.messages if on is None or seen.id == on.id]

    def _button(self, label: str, on: Seen | None) -> tuple[Key, Seen]:
        keys = [(key, seen) for seen, post in self._posts(on) for key in post.keys]
        found = [(key, seen) for key, seen in keys if key.label == label]
        assert found, f"expected a button {label!r}, found {', '.join(repr(key.label) for key, _ in keys) or 'none'}"
        return found[-1]

    def _quote(self, seen: Seen | None) -> Quote | None:
        return None if seen is None else Quote(seen.id, BOT, (Text(str(seen)),) if seen else ())

    def _file(self, name: str, content: bytes, voice: bool) -> Part:
        mime = mimetypes.guess_type(name)[0] or "application/octet-stream"
        source = Attachment(f"f{next(self.house.ids)}", mime, len(content), name)
        self.house.platform.files[source.id] = content
        match mime.partition("/")[0]:
            case "image":
                return Image(source)
            case "audio":
                return Audio(source, voice=voice)
        return File(source)
