"""What makes somebody an owner, and what owners decide for all servers. What a server's own admins decide: `switches.py`, `forms.py`."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, Field

from bot import Command, Context, Reply, Route


class ClaimArgs(BaseModel):
    """What `/claim` takes."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(max_length=40, description="The code that `hobnob run` or `hobnob claim` has printed.")


def routes() -> Iterable[Route]:
    """The commands of owners."""
    return [Command("claim", "Become the owner of this bot, with the code that it printed.", ClaimArgs, claim)]


async def claim(ctx: Context, args: ClaimArgs) -> Reply:
    """Works once for each code."""
    await ctx.house.claim(args.code)
    return Reply("You own me now, in every server of this platform. Write to me alone to be told what you have to decide.", private=True)
