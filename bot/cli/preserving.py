"""`hobnob backup`, `hobnob restore`, `hobnob export`. What an archive is: `bot/backup.py`."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from bot import backup as archives
from bot import log
from bot.cli.meeting import runs
from bot.cli.reaching import connected, setup
from bot.config import DOTENV, Config
from bot.errors import UserError
from bot.locking import holder, lock
from bot.metrics import release
from bot.plugins import load as load_plugins
from bot.store import embedded, schema
from bot.store.dump import Dump
from bot.store.exporting import Exported, exported
from bot.store.keys import Keys
from bot.store.living import living
from bot.store.restoring import restoring
from bot.writing import unwritten

if TYPE_CHECKING:
    from redis.asyncio import Redis

MOMENT = "%Y-%m-%dT%H-%M-%SZ"


def backup(path: Path | None, file: Path | None, to: Sequence[str], key: Path | None, secrets: bool) -> None:
    """Writes one, and says where; encrypted for `to`, and for the `key` in a file that is made when it is not there."""
    config = setup(path, "hobnob")
    new = key is not None and not key.exists()
    with _placed(key):
        recipients = [*to, *([archives.make_key(key)] if key else [])]
    written, manifest = save(config, file, recipients, secrets=secrets)
    typer.echo(f"{written}: {manifest.keys} keys, {written.stat().st_size:,} bytes.")
    if not manifest.whole:
        runs, stop = ("routers or workers run", "all of them") if config.redis.url else ("Hobnob runs", "it")
        typer.echo(
            f"Not in it, because {runs}: what waits or is being answered, and bytes that live for a day. To have all, stop {stop} first."
        )
    if new:
        typer.echo(f"{key} is the only thing that can read it: keep a copy of it elsewhere.")


def restore(path: Path | None, file: Path, key: Path | None, replace: bool) -> None:
    """Brings everything back; nothing may run meanwhile."""
    config = setup(path, "hobnob")
    with archives.opened(file, key) as archive:
        count = asyncio.run(_restore(config, archive, replace))
        written = _aside(config, archives.CONFIG, archive.config.encode())
        typer.echo(f"Restored {archive.manifest.keys} keys and {count} files of {archive.manifest.at}. Its configuration is {written}.")
        for name, content in archive.beside().items():
            _put(config, name, content)


def _put(config: Config, name: str, content: bytes) -> None:
    """Where it was; what is there already, and otherwise, stays, and that is said."""
    place = config.models_dir / Path(name).name if name.startswith(archives.ENTRIES) else config.source.path.parent / name
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _private(place, content)
        typer.echo(f"{place} is back.")
    elif place.read_bytes() != content:
        typer.echo(f"{place} is there already and stays as it is; what the backup has is {_aside(config, place.name, content)}.")


def _aside(config: Config, name: str, content: bytes) -> Path:
    """In the data directory, for its owner to look at."""
    place = config.data_dir / f"restored-{name}"
    place.unlink(missing_ok=True)
    _private(place, content)
    return place


def _private(place: Path, content: bytes) -> None:
    with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


def export(path: Path | None, server: str, file: Path | None) -> None:
    """Writes what is kept of one server as JSON, for its admins; without `file`, to the standard output."""
    config = setup(path, "hobnob")
    found = asyncio.run(_export(config, server))
    if not found.anything:
        raise UserError(f"nothing is kept of {server}: expected a server as the log names it, discord/ID, telegram/ID or room/NAME")
    text = found.model_dump_json(indent=1)
    if file is None:
        typer.echo(text)
        return
    with _placed(file):
        file.write_text(text, encoding="utf-8")
        file.chmod(0o600)


@contextmanager
def _placed(path: Path | None) -> Iterator[None]:
    """What cannot be written is a sentence. Raises UserError; a full disk is told of where all are."""
    try:
        yield
    except OSError as error:
        if path is None or error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise UserError(f"{unwritten(path, error)}. Name a place where you may write") from error


async def _export(config: Config, server: str) -> Exported:
    async with store(config, alone=False) as redis:
        return await exported(redis, Keys(), server)


def save(config: Config, file: Path | None, to: Sequence[str], *, secrets: bool) -> tuple[Path, archives.Manifest]:
    """Writes a backup, into `file` or where they usually are; where it is, and what is in it.

    Where nothing runs, behind a Redis of one's own either, what is under way is in it, too.
    """
    return asyncio.run(_backup(config, file, to, secrets))


def undo(config: Config, archive: archives.Archive) -> None:
    """Has the store as the backup has it, whatever came of it since."""
    asyncio.run(_restore(config, archive, replace=True))


async def _backup(config: Config, file: Path | None, to: Sequence[str], secrets: bool) -> tuple[Path, archives.Manifest]:
    now = datetime.now(UTC)
    ending = ".tar.gz.age" if to else ".tar.gz"
    written = file or config.data_dir / archives.FOLDER / f"hobnob-{now.strftime(MOMENT)}{ending}"
    async with store(config, alone=False) as redis:
        form = await schema.form(redis, Keys()) or schema.newest()
        facts = {"release": release(), "form": form, "at": now.isoformat(timespec="seconds"), "keys": 0}
        told, beside = _told(config, secrets), _beside(config, secrets)

        async def write(*, running: bool) -> archives.Manifest:
            manifest = archives.Manifest(**facts, whole=not running, secrets=secrets)
            records = Dump(redis, Keys()).read(running=running, credentials=secrets)
            with _placed(written):
                return await archives.write(written, manifest, records, told, config.files_dir, to, beside)

        manifest = await write(running=await _at_work(config, redis))
        if manifest.whole and await _at_work(config, redis):  # somebody began meanwhile
            manifest = await write(running=True)
        return written, manifest


async def _at_work(config: Config, redis: Redis) -> bool:
    """Whether anybody may change what is under way."""
    return bool(await living(redis, Keys())) if config.redis.url else holder(config.data_dir) != os.getpid()


def _beside(config: Config, secrets: bool) -> dict[str, bytes]:
    """The entries of models that were added; with secrets, the file of environment variables in which tokens are, too."""
    added = {f"{archives.ENTRIES}{file.name}": file.read_bytes() for file in sorted(config.models_dir.glob("*.toml"))}
    env = config.source.path.parent / DOTENV
    return added | ({archives.ENV: env.read_bytes()} if secrets and env.is_file() else {})


def _told(config: Config, secrets: bool) -> str:
    """The configuration file, in which `[hidden]` stands for secrets that are left out."""
    text = config.source.path.read_text(encoding="utf-8")
    if secrets:
        return text
    plugins = load_plugins(config, "front").loaded.values()
    return log.Redaction(log.secrets_of(config, *(one.config for one in plugins)))(text)


async def _restore(config: Config, archive: archives.Archive, replace: bool) -> int:
    """The store and the files of rooms, and how many these are; what goes wrong leaves the store as it was."""
    if archive.manifest.form > schema.newest():
        raise UserError(f"it was made by Hobnob {archive.manifest.release}, which keeps things in a newer form: update first")
    await asyncio.to_thread(archive.check)
    async with store(config, alone=True) as redis:
        await unused(config, redis)
        if await Dump(redis, Keys()).count() and not replace:
            raise UserError("there is something in the store already: --replace removes it first")
        async with restoring(redis, Keys(), archive.records()):
            count = await asyncio.to_thread(archive.unpack, config.files_dir)
            await unused(config, redis)
        return count


async def unused(config: Config, redis: Redis) -> None:
    """Raises UserError where somebody is at work on a Redis of one's own; the embedded store belongs to who holds the lock."""
    if config.redis.url and (found := await living(redis, Keys())):
        raise UserError(f"{' and '.join(found)} run on that Redis: stop all routers and workers first")


@asynccontextmanager
async def store(config: Config, *, alone: bool) -> AsyncIterator[Redis]:
    """The store; the embedded one is started where it does not run, and may not run where one must be `alone`."""
    with ExitStack() as stack:
        if config.redis.url is None and (alone or not runs(config)):
            stack.enter_context(lock(config.data_dir))
            process = await asyncio.to_thread(embedded.start, config.data_dir)
            stack.callback(process.wait)
            stack.callback(process.terminate)
        async with connected(config) as redis:
            yield redis
