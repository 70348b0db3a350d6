"""`hobnob ask`: one question, one answer, and an exit code that tells whether it was one. Reaching the bot is in `meeting.py`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import aclosing
from pathlib import Path

import typer
from rich.console import Console
from rich.live import Live
from rich.text import Text as Styled

from bot import log
from bot.cli.meeting import Meeting, meeting
from bot.config import Config, load
from bot.errors import UserError
from bot.messages import Attachment, Part, Text
from bot.store.places import Draft, Place, RoomMessage, newcomer, part_of

ROOM = "terminal"

PIECE = 256 * 1024


def ask(path: Path | None, question: str, files: Sequence[Path], save: Path | None, timeout: float) -> int:
    """0 when there was an answer, 1 when there was a reason instead of one, 2 when nothing could start."""
    config = load(path)
    log.setup(config.log.model_copy(update={"level": "warning"}), log.secrets_of(config), process="ask")
    if question == "-" and sys.stdin is None:
        raise UserError("the question comes from standard input, which is closed: write it instead of the `-`, or pipe it in")
    text = sys.stdin.read() if question == "-" else question
    try:
        return asyncio.run(asyncio.wait_for(_ask(config, text, files, save), timeout))
    except TimeoutError:
        typer.echo(f"hobnob: no answer within {timeout:g} s", err=True)
        return 1


async def _ask(config: Config, text: str, files: Sequence[Path], save: Path | None) -> int:
    async with meeting(config) as met:
        author = newcomer("Terminal")
        attached = [part_of(await met.rooms.uploads.keep(_pieces(file), file.name)) for file in files]
        parts: list[Part] = [*([Text(text)] if text.strip() else []), *attached]
        said = await _shown(met, Place(ROOM, author.id), Draft(author, tuple(parts)))
        await _save(met, said, save)
        return int(any(one.body.fault for one in said))


async def _pieces(file: Path) -> AsyncIterator[bytes]:
    with file.open("rb") as opened:
        while piece := await asyncio.to_thread(opened.read, PIECE):
            yield piece


async def _shown(met: Meeting, place: Place, draft: Draft) -> list[RoomMessage]:
    """The answer, whole on standard output; while it grows, its end is shown in the terminal."""
    said: list[RoomMessage] = []
    growing = Console(stderr=True)
    with Live(console=growing, transient=True, refresh_per_second=12) if growing.is_terminal else _Nobody() as live:
        async with aclosing(met.exchange(place, draft)) as answers:
            async for said in answers:
                live.update(tail(words(said), growing))
    typer.echo(words(said))
    return said


class _Nobody:
    """Where there is no terminal, nobody sees it grow."""

    def __enter__(self) -> _Nobody:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to take away."""

    def update(self, _: Styled) -> None:
        """Shows nothing."""


def words(said: Iterable[RoomMessage]) -> str:
    """All that was said."""
    return "\n\n".join(one.text for one in said if one.text)


def tail(text: str, console: Console) -> Styled:
    """The last lines that fit on the screen."""
    lines = Styled(text).wrap(console, console.width)
    return Styled("\n").join(lines[-(console.height - 1) :])


async def _save(met: Meeting, said: Sequence[RoomMessage], folder: Path | None) -> None:
    files = [part.source for one in said for part in one.body.parts if not isinstance(part, Text)]
    for source in files:
        if folder is None or not isinstance(source, Attachment):
            typer.echo(f"hobnob: {source.name or 'a file'} came back; --save DIR keeps it", err=True)
            continue
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        target = _free(folder / source.name)
        content = b"".join([piece async for piece in met.rooms.uploads.read(source.id)])
        await asyncio.to_thread(target.write_bytes, content)
        typer.echo(f"hobnob: saved {target}", err=True)


def _free(path: Path) -> Path:
    """The path, or the next that does not exist: nothing is overwritten."""
    tries = (path if not number else path.with_stem(f"{path.stem}-{number}") for number in range(10_000))
    found = next((one for one in tries if not one.exists()), None)
    if found is None:
        raise UserError(f"{path.parent} is full of files called {path.name}: choose another folder.")
    return found
