"""What a model may look up while it answers: the time, and what was said here lately. How tools are called is the core's affair."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field

from bot import BadArguments, Context, Tool
from plugins.chat.recalling import lines, talk

MOST = 1_000
"""Tokens of what was said that a model is told at once."""


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
        Tool("read_channel", "Reads what was said in this channel lately.", LatelyArgs, lately),
    ]


async def time(ctx: Context, args: TimeArgs) -> str:
    """When the question was asked."""
    try:
        zone = ZoneInfo(args.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadArguments(f"{args.zone!r} is no time zone, expected a name such as Europe/Paris") from error
    return f"It is {ctx.now.astimezone(zone):%A, %d %B %Y, %H:%M} in {args.zone}."


async def lately(ctx: Context, args: LatelyArgs) -> str:
    """What the bot remembers of it: what was said to it, and all else where it reads along."""
    since = (ctx.now - timedelta(minutes=args.minutes)).timestamp()
    return lines(turn for turn in await talk(ctx).turns(MOST) if turn.at >= since) or "Nothing was said."
