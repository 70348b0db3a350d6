"""What the pages have the command line do, in processes of their own: none of it takes a moment of the router's loop."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from pathlib import Path

from bot.errors import Unavailable

LINE = 1 << 20
"""Bytes of the longest line that a command may write."""


class Errands:
    """Runs commands of `hobnob` with this configuration, behind whatever else the machine does."""

    def __init__(self, config: Path) -> None:
        nice = shutil.which("nice")
        self._head = [*([nice] if nice else []), sys.executable, "-m", "bot.cli"]
        self._config = str(config.resolve())

    async def lines(self, *words: str) -> AsyncGenerator[str, None]:
        """What the command writes, as it writes it. Raises Unavailable with what it complains of; closed early, it is ended."""
        process = await asyncio.create_subprocess_exec(
            *self._head,
            *words,
            *("--config", self._config),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=LINE,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        complaint = asyncio.create_task(process.stderr.read())
        try:
            async for line in process.stdout:
                yield line.decode("utf-8", "replace").rstrip()
            if await process.wait():
                raise Unavailable(_said((await complaint).decode("utf-8", "replace")))
        finally:
            with suppress(ProcessLookupError):
                if process.returncode is None:
                    process.terminate()
            await process.wait()
            await complaint

    async def text(self, *words: str) -> str:
        """All of it."""
        async with aclosing(self.lines(*words)) as lines:
            return "\n".join([line async for line in lines])


def _said(complaint: str) -> str:
    lines = [line for line in complaint.splitlines() if line.strip()]
    ours = [line.removeprefix("hobnob: ") for line in lines if line.startswith("hobnob: ")]
    return " ".join(ours) or (lines[-1] if lines else "it ended without a word")
