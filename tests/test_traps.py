"""What files that are made to do harm take of the machine. What is said of faulty ones: `test_media.py`."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress

import psutil
import pytest

from bot.errors import UserError
from bot.media import Limits
from tests.memory import peak
from tests.test_media import AUDIO, cut, pieces
from tests.traps import bomb, silence, tracks

MOST_MEMORY = 400
"""MB of a decoder's process; what each took is in `docs/decisions.md`."""

TRAPS = {
    "nothing": (b"", "empty"),
    "24 hours of silence": (silence(24), "too long"),
    "1,000 tracks": (tracks(1000), ""),
    "a gigabyte in a megabyte": (bomb(10, 100), "too long"),
    "a gigabyte in one block": (bomb(1000, 1), "damaged"),
    "half a video": ((AUDIO / "jfk.mp4").read_bytes()[:20_000], "damaged"),
    "a video without sound": ((AUDIO / "mute.mp4").read_bytes(), "no sound track"),
    "a text": (b"This is a text that is called note.ogg.\n" * 50, "no sound file"),
}


async def taken(content: bytes) -> tuple[str, float, float]:
    """What is said of a file, the decoder's seconds of processor, and its peak of memory in MB."""
    task = asyncio.create_task(cut(pieces(content), limits=Limits(seconds=900)))
    seconds = megabytes = 0.0
    while not task.done():
        for child in psutil.Process().children():
            with suppress(psutil.Error, OSError, IndexError):
                if "media_worker" in " ".join(child.cmdline()):
                    times, megabytes = child.cpu_times(), max(megabytes, peak(child))
                    seconds = times.user + times.system
        await asyncio.wait({task}, timeout=0.01)
    told = task.exception()
    assert told is None or isinstance(told, UserError)
    return str(told or ""), seconds, megabytes


@pytest.mark.skipif(sys.platform != "linux", reason="peaks of memory are read where Linux tells them")
@pytest.mark.parametrize("name", TRAPS)
async def test_a_trap_takes_little_and_is_told_in_a_sentence(name: str) -> None:
    content, expected = TRAPS[name]
    told, seconds, megabytes = await taken(content)
    assert expected in told
    assert 0 < megabytes < MOST_MEMORY
    assert seconds < Limits().cpu
