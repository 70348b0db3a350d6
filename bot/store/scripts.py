"""Finds the Lua scripts beside this file. What they do is said at the top of each."""

from __future__ import annotations

from importlib.resources import files

from redis.asyncio import Redis
from redis.commands.core import AsyncScript


def script(redis: Redis, name: str, *before: str) -> AsyncScript:
    """The script `lua/NAME.lua`, called by its hash and loaded again when the server has forgotten it."""
    return redis.register_script(source(name, *before))


def source(name: str, *before: str) -> str:
    """The text of a script, behind those that define what it uses."""
    return "\n".join(files("bot.store").joinpath("lua", f"{part}.lua").read_text() for part in (*before, name))
