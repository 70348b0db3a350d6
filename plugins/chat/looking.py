"""What a model may look up while it answers: the time, and what was said here lately. How tools are called is the core's affair."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from datetime import timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field

from bot import BadArguments, Context, Tool, Turn, estimate_tokens
from bot.turns import BYTES_PER_TOKEN
from plugins.chat.documents import shortened
from plugins.chat.recalling import talk

MOST = 1_000
"""Tokens of what was said that a model is told at most: of more characters than 4,000 the core would leave out the newest."""

CHANNEL = "read_channel"

OLDER = "(What was said before that is left out: there is no room for it.)"

REST = "(The rest is left out: there is no room for it.)"


class TimeArgs(BaseModel):
    """What `time` takes."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    zone: str = "UTC"
    """An IANA time zone, such as Europe/Paris."""


class LatelyArgs(BaseModel):
    """What `read_channel` takes."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    minutes: int = Field(default=60, ge=1, le=1440)
    """How far back."""


def tools() -> Iterable[Tool]:
    """Those of chat itself."""
    return [
        Tool("time", "Tells the date and time now.", TimeArgs, time),
        Tool(CHANNEL, "Reads what was said in this channel lately.", LatelyArgs, lately),
    ]


async def time(ctx: Context, args: TimeArgs) -> str:
    """When the question was asked."""
    try:
        zone = ZoneInfo(args.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadArguments(f"{args.zone!r} is no time zone, expected a name such as Europe/Paris") from error
    return f"It is {ctx.now.astimezone(zone):%A, %d %B %Y, %H:%M} in {args.zone}."


async def lately(ctx: Context, args: LatelyArgs) -> str:
    """What the bot remembers of it: what was said to it, and all else where it reads along. Where that is too much, the newest."""
    since = (ctx.now - timedelta(minutes=args.minutes)).timestamp()
    turns = await talk(ctx).turns(4 * MOST)  # of more than that it gives well over MOST, so that what is missing is seen
    said = [turn for turn in turns if turn.at >= since and turn.text]
    sizes = list(accumulate(turn.tokens for turn in reversed(said)))
    shown = max(1, bisect_right(sizes, MOST))
    text = "\n".join([*([OLDER] if shown < len(said) else []), *map(_line, said[-shown:])])
    return _newest(text, MOST)[0] or "Nothing was said."


def fitted(tool: str, said: str, most: int) -> tuple[str, bool]:
    """What a tool said, in at most so many tokens, and whether something is missing: of a channel the oldest, of all else the end."""
    if tool == CHANNEL:
        return _newest(said, most)
    if estimate_tokens(said) <= most:
        return said, False
    return f"{shortened(said, most - estimate_tokens(REST))[0]}\n{REST}", True


def _line(turn: Turn) -> str:
    return f"{turn.name or 'Bot'}: {turn.text}".replace("\n", "\n  ")


def _newest(said: str, most: int) -> tuple[str, bool]:
    """As many whole messages as fit; one that does not fit alone loses its end."""
    whole = said.removeprefix(f"{OLDER}\n")
    if estimate_tokens(said) <= most:
        return said, whole != said
    messages = re.split(r"\n(?!  )", whole)
    kept: list[str] = []
    left = (most - estimate_tokens(OLDER)) * BYTES_PER_TOKEN
    while messages and (left := left - len(messages[-1].encode()) - 1) >= 0:
        kept.insert(0, messages.pop())
    shown = kept or [shortened(messages[-1], most - estimate_tokens(OLDER))[0]]
    return "\n".join([OLDER, *shown]), True
