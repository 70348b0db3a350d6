"""A line to type on while other things happen in the terminal. What is done with the lines: `visiting.py`."""

from __future__ import annotations

import asyncio
import contextlib
import readline
import sys
import termios
import threading
from collections.abc import Iterator


class Prompt:
    """Reads lines in a thread, so that a room goes on while somebody types."""

    def __init__(self, words: str, shown: bool) -> None:
        self._words = words
        self._shown = shown
        self._reading = False
        self._mine: list[str] = []

    @contextlib.contextmanager
    def restored(self) -> Iterator[None]:
        """Leaves the terminal as it was, even if somebody leaves in the middle of a line, when its library cannot do that."""
        before = termios.tcgetattr(sys.stdin) if self._shown else None
        try:
            yield
        finally:
            if before is not None:
                termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)

    async def line(self) -> str | None:
        """The next line, None at the end of the input."""
        loop = asyncio.get_running_loop()
        coming: asyncio.Future[str | None] = loop.create_future()
        threading.Thread(target=self._read, args=(loop, coming), daemon=True).start()  # no pool: it must not hold up the end
        self._reading = True
        try:
            found = await coming
        finally:
            self._reading = False
        if found is not None and self._shown:
            self._mine.append(found)
        return found

    def _read(self, loop: asyncio.AbstractEventLoop, coming: asyncio.Future[str | None]) -> None:
        try:
            found: str | None = input(self._words if self._shown else "")
        except (EOFError, KeyboardInterrupt, RuntimeError):  # the last: the input was closed before we began
            found = None
        with contextlib.suppress(RuntimeError):  # the room was left meanwhile
            loop.call_soon_threadsafe(_settle, coming, found)

    def typed(self, text: str) -> bool:
        """True, once, for a line that stands on the screen because it was typed there."""
        if text in self._mine:
            self._mine.remove(text)
            return True
        return False

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """Something is printed above the line that is being typed."""
        redraw = self._reading and self._shown
        if redraw:
            print("\r\x1b[K", end="", flush=True)  # noqa: T201
        yield
        if redraw:
            print(self._words + readline.get_line_buffer(), end="", flush=True)  # noqa: T201


def _settle(coming: asyncio.Future[str | None], found: str | None) -> None:
    if not coming.done():
        coming.set_result(found)
