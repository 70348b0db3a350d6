"""Answers those who speak to the bot, and remembers what was said. How the words come about: `model.py`, in the worker."""

from __future__ import annotations

from collections.abc import Iterable

from bot import (
    Answer,
    Audio,
    Catalogue,
    Command,
    Context,
    Generate,
    Listener,
    Message,
    NoArgs,
    Partial,
    Reply,
    Route,
    Text,
    TextSoFar,
    Turn,
    UserError,
    hookimpl,
)
from plugins.chat.choosing import Choosing
from plugins.chat.config import Config, Served, served
from plugins.chat.documents import with_documents
from plugins.chat.requests import Requests
from plugins.chat.settings import Settings
from plugins.chat.wording import labels, may_become_label, question, quoted, unlabelled, unreadable, words


def speaks(message: Message) -> bool:
    """Whether an answer is expected of the chat."""
    return message.addressed


def has_sound(message: Message) -> bool:
    """Whether others may know better what to do with it: a recording has to become words first."""
    return any(isinstance(part, Audio) for part in message.parts)


RESET = {"zh-CN": "忘掉这段对话里说过的话。"}


class Plugin:
    """Chats."""

    def __init__(self, config: Config, catalogue: Catalogue) -> None:
        self._choosing = Choosing(served(config, catalogue))
        self._requests = Requests(self._choosing.chosen)

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        """One answer at a time in each conversation, because every answer is part of the next prompt."""
        return [
            Listener("said", speaks, self.answer, ordered=True, yields=has_sound),
            Command("reset", "Forget what was said in this conversation.", NoArgs, self.reset, ordered=True, descriptions=RESET),
            *self._choosing.routes(),
            *self._requests.routes(),
        ]

    async def reset(self, ctx: Context, args: NoArgs) -> str:
        """Starts the conversation anew."""
        await ctx.conversation.reset()
        return "Done. I have forgotten what we said here."

    async def answer(self, ctx: Context) -> Reply | str:
        """Question and answer are remembered together: a question that was cancelled or failed leaves nothing behind."""
        settings = ctx.settings
        message, left_out = await with_documents(ctx, settings.context_tokens - question(ctx.message, []).tokens)
        if not words(message) and (unreadable(message) or not quoted(message)):
            return _wordless(message)
        history = await ctx.conversation.turns(settings.context_tokens)
        asked = question(message, history)
        if asked.tokens > settings.context_tokens:
            raise UserError(_too_long(asked, settings.context_tokens))
        found = labels(message, [*history, asked])
        job = _job(settings, await self._choosing.chosen(ctx), [*history, asked])
        answer = await ctx.stream(job, lambda partial: _shown(partial, found))
        text = unlabelled(answer.text, found)
        if not text:
            return "I could not think of an answer to that. Please ask in other words."
        await ctx.conversation.append(asked)
        await ctx.conversation.append(_remembered(ctx, text, answer))
        return Reply(*filter(None, (f"{text} …" if answer.finish == "length" else text, _unread(message), left_out and f"({left_out})")))


def _job(settings: Settings, model: Served, turns: list[Turn]) -> Generate:
    persona = Turn(role="system", parts=(Text(settings.persona),))
    return Generate(model=model.name, turns=(persona, *turns), max_tokens=settings.max_tokens, temperature=settings.temperature)


def _remembered(ctx: Context, text: str, answer: Answer) -> Turn:
    """The bot's turn. It bears the id of the question, so that both leave the context when the question is deleted."""
    return Turn(role="bot", parts=(Text(text),), message=ctx.message.id, at=ctx.now.timestamp(), tokens=answer.tokens)


def _shown(partial: Partial, found: frozenset[str]) -> Reply | None:
    if not isinstance(partial, TextSoFar) or may_become_label(partial.text, found):
        return None
    text = unlabelled(partial.text, found)
    return Reply(text) if text else None


def _wordless(message: Message) -> str:
    if cannot := unreadable(message):
        return f"{cannot} Tell me in words what it is about, and I will try to help."
    return f"Hello {message.sender.name}! Ask me something, or tell me what you need."


def _unread(message: Message) -> str:
    cannot = unreadable(message)
    return f"({cannot} I have answered the words alone.)" if cannot else ""


def _too_long(asked: Turn, most: int) -> str:
    length = len(asked.text)
    readable = length * most // asked.tokens
    return f"That is too long for me: {length:,} characters, and I can read about {readable:,} at once. Please send less."
