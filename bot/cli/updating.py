"""`hobnob update`: backup, new release, migration, a look whether it works; and back again where it does not. For checkouts."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import typer

from bot.backup import opened
from bot.cli.preserving import save, store, undo
from bot.cli.reaching import setup
from bot.config import USUAL, Config
from bot.errors import UserError
from bot.locking import holder
from bot.plugins import load as load_plugins
from bot.store import schema
from bot.store.keys import Keys
from bot.store.queue import Queue

ROOT = Path(__file__).parents[2]


def update(path: Path | None, ref: str) -> None:
    """Goes to `ref`, else to what the branch follows. Raises UserError, with everything as it was, when the new release does not work."""
    config = setup(path, "hobnob")
    _may(config)
    before = _git("rev-parse", "HEAD")
    _say("git fetch", lambda: _git("fetch", "--quiet", "--tags"))
    target = _git("rev-parse", "--verify", f"{ref or '@{upstream}'}^{{commit}}")
    if target == before:
        typer.echo("This is the newest already.")
        return
    kept, _ = save(config, None, [], secrets=True)
    typer.echo(f"Everything is kept in {kept}.")
    try:
        _say(f"git to {target[:10]}", lambda: _git("checkout", "--quiet", target) if ref else _git("merge", "--quiet", "--ff-only", target))
        _say("packages", lambda: _run(str(ROOT / "tools/setup")))
        _say("what is kept, and whether it works", lambda: _new("update", "--finish", config=config))
    except UserError as error:
        _git("checkout", "--quiet", before) if ref else _git("reset", "--quiet", "--keep", before)
        _run(str(ROOT / "tools/setup"))
        with opened(kept) as archive:
            undo(config, archive)
        raise UserError(f"the update did not work, and everything is as it was: {error}") from error
    typer.echo("Updated. Start it again: hobnob run.")


def finish(path: Path | None) -> None:
    """The new release's part: brings the store forward, and loads everything that a router and a worker would. Raises what they raise."""
    config = setup(path, "hobnob")

    async def forward() -> None:
        async with store(config, alone=True) as redis:
            await schema.migrate(redis, Keys())

    asyncio.run(forward())
    for half in ("front", "model"):
        load_plugins(config, half)


def _may(config: Config) -> None:
    if not (ROOT / ".git").exists():
        raise UserError("this is no checkout: take a backup, then the new image or package; a router brings the store forward at its start")
    if _git("status", "--porcelain", "--untracked-files=no", "--", ".", f":!{USUAL}"):
        raise UserError(f"files in {ROOT} were changed: keep them elsewhere, or `git stash` them, first")
    if config.redis.url is None and holder(config.data_dir) is not None:
        raise UserError("Hobnob runs: stop it first")
    if config.redis.url is not None and asyncio.run(_served(config)):
        raise UserError("workers run on that Redis: stop all routers and workers first")


async def _served(config: Config) -> bool:
    async with store(config, alone=False) as redis:
        return bool(await Queue(redis, Keys()).served())


def _git(*words: str) -> str:
    return _run("git", "-C", str(ROOT), *words)


def _new(*words: str, config: Config) -> str:
    return _run(sys.executable, "-m", "bot.cli", *words, "--config", str(config.source.path.resolve()))


def _run(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UserError(f"`{' '.join(command[:3])}`: {(done.stderr or done.stdout).strip()[-1000:]}")
    return done.stdout.strip()


def _say(what: str, do: Callable[[], str]) -> None:
    typer.echo(f"{what} …")
    do()
