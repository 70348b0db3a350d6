"""Answers those who speak to the bot, and forgets what it is told to. How the words come about: `model.py`, in the worker."""

from __future__ import annotations

from collections.abc import Iterable

from bot import Audio, Catalogue, Command, Context, Listener, Message, NoArgs, Reply, Route, Tool, Turn, UserError, hookimpl, tr
from plugins.chat.choosing import Choosing
from plugins.chat.config import Config, served
from plugins.chat.documents import read_in_part, with_documents
from plugins.chat.looking import tools
from plugins.chat.recalling import recalled, talk
from plugins.chat.recordings import with_recording
from plugins.chat.replying import Replying, exchange
from plugins.chat.requests import Requests
from plugins.chat.wording import question, quoted, too_long, unreadable, words


def speaks(message: Message) -> bool:
    """Whether an answer is expected of the chat."""
    return message.addressed


def has_sound(message: Message) -> bool:
    """Whether others may know better what to do with it: a recording has to become words first."""
    return any(isinstance(part, Audio) for part in message.parts)


class Plugin:
    """Chats."""

    def __init__(self, config: Config, catalogue: Catalogue) -> None:
        self._choosing = Choosing(served(config, catalogue))
        self._replying = Replying(self._choosing)
        self._requests = Requests(self._choosing.chosen)

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        """What appends turns is ordered."""
        return [
            Listener("said", speaks, self.answer, ordered=True, yields=has_sound),
            Command("reset", "Forget what was said in this conversation.", NoArgs, self.reset, ordered=True),
            Command("undo", "Forget the last question and its answer.", NoArgs, self.undo, ordered=True),
            *self._replying.routes(),
            *self._choosing.routes(),
            *self._requests.routes(),
        ]

    @hookimpl
    def register_tools(self) -> Iterable[Tool]:
        """What needs no other plugin."""
        return tools()

    async def reset(self, ctx: Context, args: NoArgs) -> str:
        """Starts the conversation anew."""
        await talk(ctx).reset()
        return tr("Done. I have forgotten what we said here.")

    async def undo(self, ctx: Context, args: NoArgs) -> str:
        """Forgets the last question and its answer, as if they had not been said."""
        last = exchange((await recalled(ctx, self._choosing.room(ctx))).turns)
        if not last:
            return tr("There is nothing to forget.")
        await talk(ctx).withdraw(last[0].message)
        return tr("Forgotten: “{question}”", question=_short(last[0].text))

    async def answer(self, ctx: Context) -> Reply | str:
        """What was said to the bot, with files and what it replies to."""
        room = self._choosing.room(ctx)
        message, read = await with_documents(ctx, ctx.message, room - question(ctx.message, []).tokens)
        if not words(message) and (unreadable(message) or not quoted(message)):
            return _wordless(message)
        message, heard = await with_recording(ctx, message, room - question(message, []).tokens)
        memory = await recalled(ctx, room)
        asked = question(message, memory.turns)
        if asked.tokens > room:
            raise UserError(_too_long(asked, room))
        return await self._replying.reply(ctx, memory, asked, [_unread(message), read_in_part([*read, heard])])


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"


LONGEST_SHOWN = 60
"""Characters of a question that is named."""


def _wordless(message: Message) -> str:
    if cannot := unreadable(message):
        return f"{cannot} {tr('Tell me in words what it is about, and I will try to help.')}"
    return tr("Hello {name}! Ask me something, or tell me what you need.", name=message.sender.name)


def _unread(message: Message) -> str:
    cannot = unreadable(message)
    return f"({cannot} {tr('I have answered the words alone.')})" if cannot else ""


def _too_long(asked: Turn, most: int) -> str:
    length = len(asked.text)
    readable = length * most // asked.tokens
    return too_long(length, readable)
