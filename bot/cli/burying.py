"""`hobnob queue dead`, `retry` and `drop`: what killed its workers. What there is to do with it: `bot/store/dead.py`."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import typer
from rich.table import Table

from bot.cli.reaching import console, setup, store
from bot.config import Config
from bot.errors import UserError
from bot.store.dead import Dead, DeadList
from bot.store.keys import Keys

SHORT = 8
"""Letters of an id that are shown, and the fewest that are understood."""


Act = Callable[[DeadList, Sequence[str]], Awaitable[None]]


def listed(path: Path | None, *, as_json: bool) -> None:
    """Says what is on the list, without what was asked."""
    dead = asyncio.run(_read(setup(path, "queue")))
    if as_json:
        print(json.dumps([asdict(one) for one in dead]))  # noqa: T201  for programs
    elif dead:
        console().print(_table(dead))
    else:
        typer.echo("The dead list is empty.")


async def _read(config: Config) -> list[Dead]:
    async with store(config) as redis:
        return await DeadList(redis, Keys()).all()


def _table(dead: Sequence[Dead]) -> Table:
    table = Table("id", "wanted", "server", "given up", "workers killed", "the last of them", "reference", box=None)
    for one in dead:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.at))
        again = ", is asked again" if one.retry else ""
        table.add_row(one.id[:SHORT], one.wanted, one.server, when + again, str(one.crashes), one.worker, one.ref)
    return table


def retry(path: Path | None, ids: Sequence[str]) -> None:
    """Raises UserError for one that is not on the list."""
    count = asyncio.run(_act(setup(path, "queue"), ids, DeadList.retry))
    typer.echo(f"{count} asked again: the answer replies to the question, as a message of its own.")


def drop(path: Path | None, ids: Sequence[str]) -> None:
    """Raises UserError for one that is not on the list."""
    count = asyncio.run(_act(setup(path, "queue"), ids, DeadList.drop))
    typer.echo(f"{count} forgotten.")


async def _act(config: Config, words: Sequence[str], act: Act) -> str:
    async with store(config) as redis:
        dead = DeadList(redis, Keys())
        chosen = _chosen([one.id for one in await dead.all()], words)
        await act(dead, chosen)
    return "1 request is" if len(chosen) == 1 else f"{len(chosen)} requests are"


def _chosen(known: Sequence[str], words: Sequence[str]) -> list[str]:
    if list(words) == ["all"]:
        return list(known)
    found = {word: [id for id in known if len(word) >= SHORT and id.startswith(word)] for word in words}
    unknown = [word for word, ids in found.items() if len(ids) != 1]
    if unknown:
        raise UserError(f"expected ids of at least {SHORT} letters as `hobnob queue dead` lists them, or `all`; found {', '.join(unknown)}")
    return [id for ids in found.values() for id in ids]
