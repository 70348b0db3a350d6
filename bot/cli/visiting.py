"""`hobnob console`: a room in the terminal. Reaching the bot is in `meeting.py`, reading lines in `prompt.py`."""

from __future__ import annotations

import asyncio
import getpass
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractContextManager, aclosing, nullcontext, suppress
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markdown import Markdown
from rich.text import Text as Styled

from bot import log
from bot.cli.answered import somebody
from bot.cli.asking import tail
from bot.cli.meeting import HEARD, STEP, Answer, Meeting, meeting, steps
from bot.cli.prompt import Prompt
from bot.config import Config, load
from bot.errors import ConfigError, UserError
from bot.messages import Person, Text
from bot.router.filling import question, read
from bot.store.places import BOT, Draft, Place, RoomMessage, mentioned, newcomer
from bot.store.roomfeed import Change

SILENT = 10.0
"""Seconds after which a prompt comes even if the bot has said nothing: it may choose silence."""

SECRET = "console.secret"  # noqa: S105  the name of a file
"""In the data directory: makes the person at this terminal the same one tomorrow."""


def console(path: Path | None, name: str, room: str, direct: bool) -> int:
    """Runs until the end of input; 0 then."""
    config = load(path)
    log.setup(config.log.model_copy(update={"level": "warning"}), log.secrets_of(config), process="console")
    with suppress(KeyboardInterrupt):
        return asyncio.run(_visit(config, name or getpass.getuser().capitalize(), room, direct))
    return 0


async def _visit(config: Config, name: str, room: str, direct: bool) -> int:
    Place(room)  # a name that is no room's is refused before anything starts
    async with meeting(config) as met:
        person = newcomer(name, _secret(config.data_dir))
        place = Place(room, person.id if direct else "")
        await met.rooms.people.join(room, person)
        try:
            await Visit(met, place, person, Console(highlight=False)).run()
        finally:
            await met.rooms.people.leave(room, person)
    return 0


def _secret(data_dir: Path) -> str:
    """Kept for the next time; where Redis is elsewhere, this may be the first thing in the data directory."""
    file = data_dir / SECRET
    try:
        if not file.exists():
            data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.NamedTemporaryFile("w", dir=data_dir, prefix=SECRET, delete=False) as new:  # which only its owner can read
                new.write(secrets.token_hex(16))
            Path(new.name).replace(file)
        return file.read_text()
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}. Set `data_dir` to a folder that can be written") from error


class Visit:
    """One person in one place: what is said there is printed once it stands, what grows is shown below it."""

    def __init__(self, met: Meeting, place: Place, person: Person, screen: Console) -> None:
        self._met = met
        self._place = place
        self._person = person
        self._screen = screen
        self._prompt = Prompt(f"{person.name}> ", screen.is_terminal and somebody())
        self._growing: dict[str, RoomMessage] = {}
        self._printed: set[str] = set()
        self._form: RoomMessage | None = None
        self._answer: Answer | None = None

    async def run(self) -> None:
        """Reads lines until the input ends."""
        with self._prompt.restored():
            await self._run()

    async def _run(self) -> None:
        async with aclosing(steps(self._met.rooms.watch(self._place, most=20))) as changes:
            self._take(await anext(changes))
            self._screen.print(self._welcome(), style="dim")
            following = asyncio.create_task(self._follow(changes))
            try:
                while (line := await self._prompt.line()) is not None:
                    await self._say(line)
            finally:
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)

    def _welcome(self) -> str:
        how = (
            "Only the bot reads this."
            if self._place.person
            else f"@{BOT.name} asks the bot; the others in {self._place.room!r} read along."
        )
        return f"{how} Ctrl-D leaves."

    async def _say(self, line: str) -> None:
        if not line.strip():
            return
        if self._form is not None:
            await self._fill(self._form, line)
            return
        people = [BOT, *(present.person for present in await self._met.rooms.people.of(self._place.room))]
        mentions = mentioned(line, people)
        try:
            asked = await self._met.rooms.say(self._place, Draft(self._person, (Text(line),), mentions))
        except UserError as error:
            self._screen.print(str(error), style="red")
            return
        if self._place.person or BOT in mentions or line.startswith("/"):
            await self._wait(asked)

    async def _fill(self, form: RoomMessage, line: str) -> None:
        """What is typed next fills in a form that was opened, one thing or `name: value`."""
        self._form = None
        assert form.body.form is not None
        rooms, filled = self._met.rooms, read(form.body.form, line)
        await rooms.click(self._place, form.head.reply_to, form.body.fills, self._person, filled=filled)
        await rooms.delete(self._place, form.id)

    async def _wait(self, asked: str) -> None:
        """Until the bot has said all it will say, or chose silence."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        answer = self._answer = Answer(asked, began)
        with self._live():
            while not answer.complete(loop.time()):
                await asyncio.sleep(STEP)
                self._met.expect(loop.time())
                if not answer.messages and loop.time() - began > HEARD:
                    await self._met.heard(asked)
                if not answer.messages and loop.time() - began > SILENT and not self._met.starting:
                    break
        self._answer = None

    def _live(self) -> AbstractContextManager[object]:
        return Live(console=self._screen, transient=True, get_renderable=self._view) if self._screen.is_terminal else nullcontext()

    def _view(self) -> RenderableType:
        return Group(*(tail(f"{one.head.author.name}: {one.text}", self._screen) for one in self._growing.values()))

    async def _follow(self, changes: AsyncIterator[list[Change]]) -> None:
        async for some in changes:
            if some:
                self._take(some)

    def _take(self, changes: Iterable[Change]) -> None:
        if self._answer is not None:
            self._answer.take(changes, asyncio.get_running_loop().time())
        for change in changes:
            if isinstance(change, RoomMessage) and change.body.busy:
                self._growing[change.id] = change
                continue
            self._growing.pop(change.id, None)
            if isinstance(change, RoomMessage) and change.id not in self._printed and change.seen_by(self._person.id):
                self._print(change)

    def _print(self, message: RoomMessage) -> None:
        self._printed.add(message.id)
        self._form = message if message.body.form is not None else self._form
        if message.head.author.id == self._person.id and self._prompt.typed(message.text):
            return
        with self._prompt.aside():
            name = Styled(f"{message.head.author.name}:", style="bold red" if message.body.fault else "bold")
            files = [f"({part.source.name})" for part in message.body.parts if not isinstance(part, Text)]
            text = message.text if message.body.form is None else question(message.body.form)
            words = Markdown(text) if self._screen.is_terminal else Styled(text)
            self._screen.print(name, *([words] if text else []), *files)
