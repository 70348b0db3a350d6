"""Recordings of half an hour and of three through the whole bot, as an operator starts it, beside plain faster-whisper; and what they take.

Also an hour in which the router is killed. On two cores half an hour takes six minutes, three hours more than half an hour. Plain reads
window after window, so it reads `PLAINLY` minutes, which count as often as a recording has them. MINUTES="30 180" in the environment says
which are measured, and PAUSE="20" how many seconds are silent between two sentences: memory can be measured sooner with that, speed cannot.
Short notes, and many of them: `speech.py`.
"""

from __future__ import annotations

import asyncio
import io
import os
import signal
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
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
from tests.memory import peak

MINUTES = (10, 30, 180)
"""The first is what the memory of the others is compared with."""

PLAINLY = 30

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
    """16-bit samples of English speech, sentence after sentence with a pause between, for ever."""
    pause = bytes(round(float(os.environ.get("PAUSE") or 1) * RATE) * 2)
    paths = [AUDIO / "jfk.wav", *(clip.path for clip in spoken() if clip.language == "en" and clip.noise in ("clean", "20 dB"))]
    said = []
    for path in paths:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
        with av.open(str(path)) as container:
            frames = [made for frame in (*container.decode(audio=0), None) for made in resampler.resample(frame)]
        said.append(b"".join(bytes(frame.planes[0])[: frame.samples * 2] for frame in frames) + pause)
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
class Peaks:
    """The most memory that each process of the bot ever had as the system says, in MB; asked five times a second, for some end soon.

    Those of one kind, such as decoders one after the other, count as the largest of them.
    """

    process: psutil.Process
    megabytes: dict[str, float] = field(default_factory=dict)
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def watching(self) -> Iterator[Peaks]:
        thread = threading.Thread(target=self._watch)
        thread.start()
        try:
            yield self
        finally:
            self._over.set()
            thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.2):
            for one in (self.process, *self.process.children(recursive=True)):
                with suppress(psutil.Error, OSError):
                    who = _who(" ".join(one.cmdline()) + " ")
                    self.megabytes[who] = max(self.megabytes.get(who, 0.0), peak(one))


def _who(command: str) -> str:
    known = {"media_worker": "decoder", " router ": "router", " worker ": "worker", "valkey": "store"}
    return next((name for mark, name in known.items() if mark in command), "others")


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


async def heard(minutes: int) -> tuple[float, dict[str, float]]:
    """Seconds until the whole text stood in the room, and the memory that this took, in a bot that was just started."""
    sound = recording(minutes * 60)
    with tempfile.TemporaryDirectory() as folder:
        async with opened(Path(folder)) as (_, rooms, _, process):
            with Peaks(process).watching() as peaks:
                began, place = time.perf_counter(), Place("bench")
                await sent(rooms, place, sound, minutes * 60)
                await wait_until(lambda: written(rooms, place), PATIENCE)
                return time.perf_counter() - began, peaks.megabytes


def plainly(minutes: int) -> float:
    """Seconds that plain faster-whisper takes for each minute of such a recording."""
    plain = Plain(load().models_dir / "whisper-base", os.cpu_count() or 1)
    return plain.heard(recording(minutes * 60)).seconds / minutes


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
    chosen = [int(one) for one in os.environ.get("MINUTES", "").split()]
    figures = {} if chosen else {"an hour whose router is killed: clips heard twice": Figure.of([_twice()], "clips", 0.0, "lower")}
    _, least = asyncio.run(heard(MINUTES[0]))
    plain = plainly(PLAINLY)
    for minutes in chosen or MINUTES[1:]:
        took, most = asyncio.run(heard(minutes))
        figures |= {
            f"{minutes} min: plain's time / ours": Figure.of([plain * minutes / took], "×", 0.91, "higher"),
            f"{minutes} min: seconds for each second of sound": Figure.of([took / minutes / 60], "s", 1.0, "lower"),
            f"{minutes} min: all peaks of memory above those of {MINUTES[0]} min": _more(most.values(), least.values(), 50.0),
        }
        for who, before in sorted(least.items()):
            what = f"{minutes} min: peak memory of {who} above the {before:,.0f} MB of {MINUTES[0]} min"
            figures[what] = _more([most[who]], [before])
    return figures


def _twice() -> float:
    return float(asyncio.run(killed(133)))


def _more(most: Iterable[float], least: Iterable[float], goal: float | None = None) -> Figure:
    return Figure.of([sum(most) - sum(least)], "MB", goal, "lower")
