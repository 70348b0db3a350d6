"""A program that reads what a stranger sent, in a process that has nothing of ours and may be killed. Its limits: `confining.py`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO

START = "import sys; sys.path.append({root!r}); from {program} import main; main()"


@asynccontextmanager
async def confined(program: str, order: str, file: IO[bytes] | None = None) -> AsyncIterator[Process]:
    """A fresh interpreter that runs `main` of this module of ours, which stands on the standard library alone.

    It has no environment, no site packages, no terminal, and no open file but its input, its output and this one.
    """
    start = START.format(root=str(Path(__file__).parents[1]), program=program)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", "-B", "-c", start, order),
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        pass_fds=(file.fileno(),) if file else (),
        env={},
        cwd="/",
        start_new_session=True,
        limit=1 << 18,
    )
    try:
        yield process
    finally:
        _kill(process)
        assert process.stdout is not None
        while await process.stdout.read(1 << 18):  # a pipe with something left in it is never closed
            pass
        await process.wait()


def _kill(process: Process) -> None:
    """Ends it, if it has not. Its own `kill` asks first whether it has, which takes the answer away from who waits for it: 255 then."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)


def library(name: str) -> str | None:
    """The folder that a library lies in, for the program; None where it is not installed."""
    found = find_spec(name)
    return str(Path(found.origin).parent.parent) if found is not None and found.origin is not None else None


async def heard(process: Process, most: int) -> bytes:
    """All that it writes until it ends; only the beginning where that is more than `most` bytes."""
    assert process.stdout is not None
    said = b""
    while len(said) <= most and (piece := await process.stdout.read(1 << 18)):
        said += piece
    return said[:most]


@asynccontextmanager
async def fed(process: Process, content: AsyncIterator[bytes]) -> AsyncIterator[asyncio.Task[None]]:
    """Pours the content into the process meanwhile."""
    feeding = asyncio.create_task(_feed(process, content))
    try:
        yield feeding
    finally:
        feeding.cancel()
        await asyncio.wait((feeding,))
        if not feeding.cancelled():
            feeding.exception()  # it was raised already, or the answer came without it


async def _feed(process: Process, content: AsyncIterator[bytes]) -> None:
    assert process.stdin is not None
    try:
        async for piece in content:
            process.stdin.write(piece)
            await process.stdin.drain()
    except (BrokenPipeError, ConnectionResetError):
        pass  # it has seen enough
    except Exception:
        _kill(process)  # half a file must not pass for a whole one
        raise
    finally:
        process.stdin.close()
