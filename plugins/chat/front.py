"""Answers those who speak to the bot, and remembers what was said. How the words come about: `model.py`, in the worker."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile

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


UNDO = {"zh-CN": "忘掉上一个问题和回答。"}
AGAIN = {"zh-CN": "换一种说法回答上一个问题。"}
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
            Command("undo", "Forget the last question and its answer.", NoArgs, self.undo, ordered=True, descriptions=UNDO),
            Command("again", "Answer the last question in other words.", NoArgs, self.again, ordered=True, descriptions=AGAIN),
            *self._choosing.routes(),
            *self._requests.routes(),
        ]

    async def reset(self, ctx: Context, args: NoArgs) -> str:
        """Starts the conversation anew."""
        await ctx.conversation.reset()
        return "Done. I have forgotten what we said here."

    async def undo(self, ctx: Context, args: NoArgs) -> str:
        """Forgets the last question and its answer, as if they had not been said."""
        last = _last(await ctx.conversation.turns(ctx.settings.context_tokens))
        await ctx.conversation.withdraw(len(last))
        return f"Forgotten: “{_short(last[0].text)}”" if last else "There is nothing to forget."

    async def again(self, ctx: Context, args: NoArgs) -> Reply | str:
        """Answers the last question anew, in other words; the first answer is forgotten."""
        settings = ctx.settings
        history = await ctx.conversation.turns(settings.context_tokens)
        last = _last(history)
        asked = next((turn for turn in last if turn.role == "person"), None)
        if asked is None:
            return "There is no question to answer again."
        before = [*history[: len(history) - len(last)], asked]
        freely = settings.model_copy(update={"temperature": max(settings.temperature, LIVELY)})
        job = _job(freely, await self._choosing.chosen(ctx), before).model_copy(update={"seed": ctx.random.getrandbits(32)})
        answer, text = await _written(ctx, job, labels(ctx.message, before))
        if not text:
            return NOTHING
        await ctx.conversation.withdraw(len(last))
        await ctx.conversation.append(asked)
        await ctx.conversation.append(_remembered(asked.message, ctx, text, answer))
        return _ended(text, answer)

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
        job = _job(settings, await self._choosing.chosen(ctx), [*history, asked])
        answer, text = await _written(ctx, job, labels(message, [*history, asked]))
        if not text:
            return NOTHING
        await ctx.conversation.append(asked)
        await ctx.conversation.append(_remembered(message.id, ctx, text, answer))
        return Reply(*filter(None, (_ended(text, answer), _unread(message), left_out and f"({left_out})")))


NOTHING = "I could not think of an answer to that. Please ask in other words."

LIVELY = 0.8
"""The least temperature of a second answer: what is likeliest has been said."""


async def _written(ctx: Context, job: Generate, found: frozenset[str]) -> tuple[Answer, str]:
    """The answer while it is shown, and its words without a label."""
    answer = await ctx.stream(job, lambda partial: _shown(partial, found))
    return answer, unlabelled(answer.text, found)


def _ended(text: str, answer: Answer) -> str:
    return f"{text} …" if answer.finish == "length" else text


def _last(turns: Sequence[Turn]) -> list[Turn]:
    """The newest exchange: the turns that came of one message."""
    return list(takewhile(lambda turn: turn.message == turns[-1].message, reversed(turns)))[::-1]


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"


LONGEST_SHOWN = 60
"""Characters of a question that is named."""


def _job(settings: Settings, model: Served, turns: list[Turn]) -> Generate:
    persona = Turn(role="system", parts=(Text(settings.persona),))
    return Generate(model=model.name, turns=(persona, *turns), max_tokens=settings.max_tokens, temperature=settings.temperature)


def _remembered(message: str, ctx: Context, text: str, answer: Answer) -> Turn:
    """The bot's turn. It bears the id of the question, so that both leave the context when the question is deleted."""
    return Turn(role="bot", parts=(Text(text),), message=message, at=ctx.now.timestamp(), tokens=answer.tokens)


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
