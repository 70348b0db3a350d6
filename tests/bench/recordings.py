"""Recordings of half an hour and of three through the whole bot, as an operator starts it, beside plain faster-whisper; and what they take.

Also an hour in which the router is killed. Short notes, and many of them: `speech.py`.
"""

from __future__ import annotations

import asyncio
import io
import os
import signal
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import av
import psutil
from redis.asyncio import Redis

from bot.cli.meeting import meeting
from bot.config import load
from bot.messages import Audio
from bot.store.keys import Keys
from bot.store.places import BOT, Draft, Place, newcomer
from bot.store.rooms import Rooms
from bot.testing import wait_until
from tests.bench.figures import Figure
from tests.bench.speech import AUDIO, Plain, spoken
from tests.house import House

MINUTES = (10, 30, 180)
"""The first is what the memory of the others is compared with; MINUTES="30" in the environment measures that one alone."""

PATIENCE = 7200.0

RATE = 16_000

CONFIG = """
[models]
dir = "{models}"
"""

PLUGINS = """
[plugins.transcribe]
longest = 14400
[plugins.transcribe.defaults]
longest = 14400
"""


def sentences() -> Iterator[bytes]:
    """16-bit samples of English speech, sentence after sentence with a second between, for ever."""
    paths = [AUDIO / "jfk.wav", *(clip.path for clip in spoken() if clip.language == "en" and clip.noise in ("clean", "20 dB"))]
    said = []
    for path in paths:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
        with av.open(str(path)) as container:
            frames = [made for frame in (*container.decode(audio=0), None) for made in resampler.resample(frame)]
        said.append(b"".join(bytes(frame.planes[0])[: frame.samples * 2] for frame in frames) + bytes(RATE * 2))
    while True:
        yield from said


def recording(seconds: float) -> bytes:
    """As phones send it: Opus, 16 kbit/s."""
    out, left = io.BytesIO(), round(seconds * RATE)
    with av.open(out, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=RATE, layout="mono", options={"b": "16k", "compression_level": "0"})
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE, frame_size=320)
        at = 0
        for piece in sentences():
            count = min(left, len(piece) // 2)
            frame = av.AudioFrame(format="s16", layout="mono", samples=count)
            frame.sample_rate, frame.pts = RATE, at
            memoryview(frame.planes[0])[: count * 2] = piece[: count * 2]
            for made in resampler.resample(frame):
                container.mux(stream.encode(made))
            at, left = at + count, left - count
            if not left:
                break
        container.mux(stream.encode(None))
    return out.getvalue()


@dataclass
class Peak:
    """The most memory that all processes of the bot had at one moment, in MB, looked at five times a second."""

    process: psutil.Process
    megabytes: float = 0.0
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def watching(self) -> Iterator[Peak]:
        thread = threading.Thread(target=self._watch)
        thread.start()
        try:
            yield self
        finally:
            self._over.set()
            thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.2):
            self.megabytes = max(self.megabytes, sum(map(_resident, [self.process, *self.process.children(recursive=True)])) / 1e6)


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[tuple[House, Rooms, Redis, psutil.Process]]:
    house = House(folder, CONFIG.format(models=load().models_dir), plugins=PLUGINS)
    with house.running() as process:
        async with meeting(load(house.config)) as met:
            yield house, met.rooms, met.rooms._redis, psutil.Process(process.pid)


async def sent(rooms: Rooms, place: Place, sound: bytes, seconds: float) -> None:
    kept = await rooms.uploads.put(sound, "recording.ogg")
    await rooms.say(place, Draft(newcomer("Ada"), (Audio(kept, voice=True, seconds=seconds),)))


async def written(rooms: Rooms, place: Place) -> list[str]:
    """The transcript, once it is whole."""
    said = [one for one in await rooms.history(place) if one.head.author.id == BOT.id and one.body.keys and not one.body.busy]
    return [one.text for one in said]


async def heard(minutes: int) -> tuple[float, float]:
    """Seconds until the whole text stood in the room, and the memory that this took, in MB, in a bot that was just started."""
    sound = recording(minutes * 60)
    with tempfile.TemporaryDirectory() as folder:
        async with opened(Path(folder)) as (_, rooms, _, process):
            with Peak(process).watching() as peak:
                began, place = time.perf_counter(), Place("bench")
                await sent(rooms, place, sound, minutes * 60)
                await wait_until(lambda: written(rooms, place), PATIENCE)
                return time.perf_counter() - began, peak.megabytes


def plainly(minutes: int) -> float:
    """Seconds that plain faster-whisper takes."""
    plain = Plain(load().models_dir / "whisper-base", os.cpu_count() or 1)
    sound = recording(minutes * 60)
    began = time.perf_counter()
    plain.texts([sound])
    return time.perf_counter() - began


async def killed(clips: int) -> int:
    """How many clips of an hour were heard a second time because its router was killed in the middle."""
    from tests.connectors.test_recordings import spread

    with tempfile.TemporaryDirectory() as folder:
        async with opened(Path(folder)) as (house, rooms, redis, _):
            place = Place("bench")
            await sent(rooms, place, spread(clips, 27.0), clips * 27.0)
            await wait_until(lambda: _begun(rooms, place), PATIENCE)
            house.family["router"].send_signal(signal.SIGKILL)
            [text] = await wait_until(lambda: written(rooms, place), PATIENCE)
            keys = [key async for key in redis.scan_iter(f"{Keys().prefix}:asked:*")]
            asked = [int(await redis.hget(key, "transcribe|room/bench") or 0) for key in keys]
            assert text.count("Americans") >= clips * 0.9, text
            return sum(asked) - clips


async def _begun(rooms: Rooms, place: Place) -> bool:
    return any("Americans" in one.text and one.body.busy for one in await rooms.history(place))


def measure() -> dict[str, Figure]:
    chosen = [int(one) for one in os.environ.get("MINUTES", "").split()] or list(MINUTES[1:])
    _, least = asyncio.run(heard(MINUTES[0]))
    figures = {"an hour whose router is killed: clips heard twice": Figure.of([float(asyncio.run(killed(133)))], "clips", 0.0, "lower")}
    for minutes in chosen:
        took, most = asyncio.run(heard(minutes))
        figures |= {
            f"{minutes} min: plain's time / ours": Figure.of([plainly(minutes) / took], "×", 0.91, "higher"),
            f"{minutes} min: seconds for each second of sound": Figure.of([took / minutes / 60], "s", 1.0, "lower"),
            f"{minutes} min: peak memory above that of {MINUTES[0]} min ({least:,.0f} MB)": Figure.of([most - least], "MB", 50.0, "lower"),
        }
    return figures
