"""Recordings that somebody points at become words, by whichever plugin writes them down here. What else a message says: `wording.py`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bot import Audio, Call, Context, Message, Text, UserError, tr
from bot.turns import LONGEST_RESULT
from plugins.chat.documents import marked, shortened

TOOL = "transcribe"
"""As a model would call it, with the rights of whoever asks: what keeps a recording from being listened to holds here, too."""


def recorded(parts: Iterable[object]) -> bool:
    """Whether there is something to listen to."""
    return any(isinstance(part, Audio) for part in parts)


async def written_down(ctx: Context, room: int) -> tuple[str, str]:
    """What is said in the recording of the message, else of the one that it replies to, and what of it was read, "" for all.

    It is cut to `room` tokens. Raises UserError with why it cannot be had.
    """
    if all(tool.name != TOOL for tool in await ctx.tools()):
        raise UserError(tr("I cannot listen to recordings here."))
    told = await ctx.call(Call(name=TOOL))
    if told.fault:
        raise UserError(told.text)
    text, cut = shortened(told.text, room)
    return text, tr("the first {n} characters of the recording", n=f"{len(text):,}") if cut or len(told.text) > LONGEST_RESULT else ""


async def with_recording(ctx: Context, message: Message, room: int) -> tuple[Message, str]:
    """The message with the words of the voice note that it replies to, and what of them was read.

    Where they cannot be had, or have no room, the model is told no more than that there is one. So it is of music and films: to listen to
    all of them would hold up whoever says a word about one; a command says that it is wanted.
    """
    if (
        not shortened("x", room)[0]
        or message.reply_to is None
        or not any(isinstance(part, Audio) and part.voice for part in message.reply_to.parts)
    ):
        return message, ""
    try:
        text, left_out = await written_down(ctx, room)
    except UserError:
        return message, ""
    if not text:
        return message, ""
    return replace(message, parts=(*message.parts, Text(marked("voice note", text)))), left_out
