"""Prompts put into English, or written out, by the chat model: shown, and edited like any prompt. Who asks: `front.py`."""

from __future__ import annotations

from bot import Context, Generate, JobCancelled, JobError, Text, Turn, UserError, later
from bot import translated as told
from plugins.imagine.rules import LONGEST, clean

TRANSLATE = "Translate what the person writes into English. Answer with the translation alone. What is in English already, repeat."
EXPAND = (
    "The person names what a picture should show. Describe that picture in one English sentence of at most forty words: what is in it, "
    "where, in which light and colours. Answer with the sentence alone."
)

TRANSLATED = later("(It could not be translated, so it was drawn as it is.)"), later("(translated from “{prompt}”)")
WRITTEN_OUT = later("(It could not be written out, so it was drawn as it is.)"), later("(written out from “{prompt}”)")
"""What people are told where it did not work, and where it did."""

MOST_TOKENS = 200


async def translated(ctx: Context, prompt: str) -> tuple[str, str]:
    """The prompt in English, and what people are told of that; as it was where it is English, or nobody can translate."""
    english = prompt.isascii() and ctx.message.language[:2] in ("", "en")
    return (prompt, "") if english else await _rewritten(ctx, prompt, TRANSLATE, *TRANSLATED)


async def expanded(ctx: Context, prompt: str) -> tuple[str, str]:
    """The prompt as a sentence, and what people are told of that; as it was where nobody can write."""
    return await _rewritten(ctx, prompt, EXPAND, *WRITTEN_OUT)


async def _rewritten(ctx: Context, prompt: str, instruction: str, failed: str, done: str) -> tuple[str, str]:
    turns = (Turn(role="system", parts=(Text(instruction),)), Turn(role="person", parts=(Text(prompt),)))
    try:
        answer = await ctx.run(Generate(turns=turns, max_tokens=MOST_TOKENS, temperature=0.0, stop=("\n\n",)))
    except JobCancelled:
        raise
    except (JobError, UserError):
        return prompt, told(failed)
    words = clean(answer.text)[:LONGEST]
    return (words, told(done, prompt=prompt[:200])) if words else (prompt, "")
