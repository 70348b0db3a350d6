"""`hobnob update`: backup, new release, migration, a look whether it works; and back again where it does not. For checkouts."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import typer

from bot.backup import opened
from bot.cli.preserving import save, store, undo, unused
from bot.cli.reaching import setup
from bot.config import USUAL, Config
from bot.errors import BotError, UserError
from bot.locking import holder
from bot.plugins import load as load_plugins
from bot.store import schema
from bot.store.keys import Keys

ROOT = Path(__file__).parents[2]

UNTOUCHED = 6
"""What a new release's part ends with when it could not begin with the store. A number that `exits.py` does not have."""


def update(path: Path | None, ref: str) -> None:
    """Goes to `ref`, else to what the branch follows. Raises UserError, with everything as it was, when the new release does not work."""
    config = setup(path, "hobnob")
    _may(config)
    checkout = Checkout(ref)
    _say("git fetch", lambda: _git("fetch", "--quiet", "--tags"))
    target = checkout.target()
    if target == checkout.before:
        typer.echo("This is the newest already.")
        return
    kept, manifest = save(config, None, [], secrets=True)
    if not manifest.whole:  # its way back would remove what it does not have
        raise UserError("a router or worker began meanwhile: stop all of them first. Nothing was changed")
    typer.echo(f"Everything is kept in {kept}.")
    back: list[Callable[[], object]] = [checkout.back]

    def undone() -> None:
        with opened(kept) as archive:
            undo(config, archive)

    try:
        _say(f"git to {target[:10]}", lambda: checkout.go(target))
        back.append(lambda: _run(str(ROOT / "tools/setup")))
        _say("packages", back[-1])
        _stopped(config)  # whoever began meanwhile has it as it was, and keeps it
        back.insert(1, undone)
        _say("what is kept, and whether it works", lambda: _new("update", "--finish", config=config))
    except (Exception, KeyboardInterrupt) as error:
        fault = str(error) or type(error).__name__
        if isinstance(error, _EndedError) and error.code == UNTOUCHED:
            back.remove(undone)
        if left := [str(one) for step in back if (one := _tried(step)) is not None]:
            again = f", then `hobnob restore {kept} --replace`" if undone in back else ""
            by_hand = f"`git checkout {checkout.place}`, tools/setup{again}"
            raise UserError(f"the update did not work: {fault}\nOn the way back: {'; '.join(left)}. By hand: {by_hand}") from error
        raise UserError(f"the update did not work, and everything is as it was: {fault}") from error
    typer.echo("Updated. Start it again: hobnob run.")


def finish(path: Path | None) -> None:
    """The new release's part: brings the store forward, and loads everything that a router and a worker would. Raises what they raise.

    Ends with `UNTOUCHED` where one of them lives: the old release is the one that would not understand what it finds.
    """
    config = setup(path, "hobnob")
    asyncio.run(_forward(config))
    for half in ("front", "model"):
        load_plugins(config, half)


async def _forward(config: Config) -> None:
    async with AsyncExitStack() as stack:
        try:
            redis = await stack.enter_async_context(store(config, alone=True))
            await unused(config, redis)
        except BotError as error:
            typer.echo(error, err=True)
            raise typer.Exit(UNTOUCHED) from error
        await schema.migrate(redis, Keys())


class Checkout:
    """Where the code is, where it goes and how it comes back. A release by name is beside the branch; a plain update goes on with that.

    `before` is the commit at the start, `place` the same by the branch's name where it was on one.
    """

    def __init__(self, ref: str) -> None:
        self.before = _git("rev-parse", "HEAD")
        self.place = _git("branch", "--show-current") or self.before
        self._ref = ref
        self._branch = "" if ref else _branch()
        self._tip = _git("rev-parse", self._branch) if self._branch else ""

    def target(self) -> str:
        """The commit. Raises UserError where there is no such."""
        try:
            return _git("rev-parse", "--verify", f"{self._ref or f'{self._branch}@{{upstream}}'}^{{commit}}")
        except UserError as error:
            missing = f"there is no release {self._ref}: `git tag` lists them" if self._ref else f"{self._branch} follows no other branch"
            raise UserError(missing if self._ref else f"{missing}: name a release, hobnob update v…") from error

    def go(self, target: str) -> None:
        """There. Raises UserError."""
        if self._branch:
            _git("checkout", "--quiet", self._branch)
            _git("merge", "--quiet", "--ff-only", target)
        else:
            _git("checkout", "--quiet", "--detach", target)

    def back(self) -> None:
        """As it was. Raises UserError."""
        if self._branch and _git("branch", "--show-current") == self._branch:
            _git("reset", "--quiet", "--keep", self._tip)
        _git("checkout", "--quiet", self.place)


def _branch() -> str:
    """The branch, else the one before a release by name was taken."""
    if here := _git("branch", "--show-current"):
        return here
    for number in range(1, 100):
        try:
            name = _git("rev-parse", "--symbolic-full-name", f"@{{-{number}}}")
        except UserError:  # as far as git remembers
            break
        if name.startswith("refs/heads/"):
            return name.removeprefix("refs/heads/")
    raise UserError(f"{ROOT} is on no branch: `git checkout` one first, or name a release: hobnob update v…")


def _may(config: Config) -> None:
    if not (ROOT / ".git").exists():
        raise UserError("this is no checkout: take a backup, then the new image or package; a router brings the store forward at its start")
    if _git("status", "--porcelain", "--untracked-files=no", "--", ".", f":!{USUAL}"):
        raise UserError(f"files in {ROOT} were changed: keep them elsewhere, or `git stash` them, first")
    _stopped(config)


def _stopped(config: Config) -> None:
    """Raises UserError where anything runs, behind a Redis of one's own too."""
    if holder(config.data_dir) is not None:
        raise UserError("Hobnob runs: stop it first")
    if config.redis.url is not None:
        asyncio.run(_unused(config))


async def _unused(config: Config) -> None:
    async with store(config, alone=False) as redis:
        await unused(config, redis)


def _tried(step: Callable[[], object]) -> Exception | None:
    """What went wrong; the steps after it are taken all the same."""
    try:
        step()
    except Exception as error:
        return error
    return None


class _EndedError(UserError):
    """A command that ended with an exit `code` other than 0."""

    def __init__(self, said: str, code: int) -> None:
        super().__init__(said)
        self.code = code


def _git(*words: str) -> str:
    return _run("git", "-C", str(ROOT), *words)


def _new(*words: str, config: Config) -> str:
    return _run(sys.executable, "-m", "bot.cli", *words, "--config", str(config.source.path.resolve()))


def _run(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise _EndedError(f"`{' '.join(command[:3])}`: {(done.stderr or done.stdout).strip()[-1000:]}", done.returncode)
    return done.stdout.strip()


def _say(what: str, do: Callable[[], object]) -> None:
    typer.echo(f"{what} …")
    do()
