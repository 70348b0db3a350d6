"""What strangers send becomes clips, or a sentence that says why not; the process that decodes it never outlives the answer."""

from __future__ import annotations

import asyncio
import gzip
import io
import itertools
import math
import os
import random
import struct
import sys
import tempfile
import wave
from array import array
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, suppress
from pathlib import Path

import av
import psutil
import pytest
from structlog.testing import capture_logs

from bot import media
from bot.errors import Unavailable, UserError
from bot.media import Decoder, Limits
from bot.sounds import RATE, quiet
from bot.testing import wait_until
from tests.memory import peak
from tests.traps import bomb

AUDIO = Path(__file__).parent / "data" / "audio"

FORMATS = ["flac", "ogg", "webm", "m4a", "mp4", "mp3", "wav", "aac", "amr"]


async def pieces(content: bytes, size: int = 1 << 16) -> AsyncIterator[bytes]:
    for at in range(0, len(content), size):
        yield content[at : at + size]


def audio(name: str) -> AsyncIterator[bytes]:
    return pieces((AUDIO / name).read_bytes())


async def forever(first: bytes, then: bytes) -> AsyncIterator[bytes]:
    yield first
    while True:
        yield then


async def held(until: asyncio.Event, content: bytes) -> AsyncIterator[bytes]:
    await until.wait()
    yield content


def wav(samples: array[int], rate: int = RATE) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    return out.getvalue()


def tone(seconds: float, loudness: float = 0.5) -> array[int]:
    return array("h", (int(32767 * loudness * math.sin(at * 0.2)) for at in range(int(seconds * RATE))))


async def cut(content: AsyncIterator[bytes], longest: float = 60.0, limits: Limits = Limits()) -> list[tuple[bytes, float, float]]:
    return [clip async for clip in Decoder(limits).clips(content, longest)]


async def refusal(content: AsyncIterator[bytes], limits: Limits = Limits()) -> str:
    with pytest.raises(UserError) as told:
        await cut(content, limits=limits)
    return str(told.value)


def facts(content: bytes) -> tuple[str, str, int, int, float]:
    """Format, codec, samples a second, channels and seconds of what was made."""
    with av.open(io.BytesIO(content), "r") as container:
        codec = container.streams.audio[0].codec_context
        return container.format.name, codec.codec.name, codec.sample_rate, codec.channels, (container.duration or 0) / 1_000_000


def workers() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "media_worker" in " ".join(child.cmdline())]


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    yield
    assert not workers()


@pytest.mark.parametrize("format", FORMATS)
async def test_every_format_becomes_16_khz_mono_flac(format: str) -> None:
    [(clip, start, seconds)] = await cut(audio(f"jfk.{format}"))
    assert start == 0.0
    assert seconds == pytest.approx(11.0, abs=0.06)
    *what, lasting = facts(clip)
    assert what == ["flac", "flac", RATE, 1]
    assert lasting == pytest.approx(seconds, abs=0.001)


async def test_clips_follow_one_another_without_gap_or_overlap() -> None:
    clips = await cut(audio("jfk.ogg"), longest=3.0)
    assert len(clips) > 3
    assert all(seconds <= 3.0 for _, _, seconds in clips)
    for (_, start, seconds), (_, following, _) in itertools.pairwise(clips):
        assert following == pytest.approx(start + seconds, abs=1 / RATE)
    assert clips[-1][1] + clips[-1][2] == pytest.approx(11.0, abs=0.01)


async def test_a_recording_of_just_the_longest_length_stays_whole() -> None:
    assert [seconds for _, _, seconds in await cut(pieces(wav(tone(2.0))), longest=2.0)] == [2.0]


async def test_long_recordings_are_cut_where_it_is_quiet() -> None:
    spoken = tone(2.5) + tone(0.5, 0.01) + tone(2.5) + tone(0.5, 0.01) + tone(1.0)
    starts = [start for _, start, _ in await cut(pieces(wav(spoken)), longest=4.0)]
    assert len(starts) == 3
    assert 2.5 < starts[1] < 3.0
    assert 5.5 < starts[2] < 6.0


def test_where_nothing_is_quieter_the_cut_comes_late() -> None:
    most = 4 * RATE
    assert most * 0.9 < quiet(array("h", [0] * most), most) <= most


async def test_a_file_may_arrive_in_drops() -> None:
    [(_, _, seconds)] = await cut(pieces((AUDIO / "short.ogg").read_bytes(), size=1))
    assert seconds == pytest.approx(0.2, abs=0.01)


async def test_a_recording_that_breaks_off_gives_what_there_is() -> None:
    whole = (AUDIO / "jfk.ogg").read_bytes()
    [(_, _, seconds)] = await cut(pieces(whole[: len(whole) // 2]))
    assert 3.0 < seconds < 8.0


NOISE = random.Random(7).randbytes(50_000)


JFK = {format: (AUDIO / f"jfk.{format}").read_bytes() for format in ("ogg", "wav", "m4a", "mp3", "flac")}
SIZES = JFK["m4a"].index(b"stsz")
TABLE = (JFK["m4a"][SIZES : SIZES + 16], JFK["m4a"][SIZES : SIZES + 12] + b"\x7f\xff\xff\xff")
"""The sizes of its samples: how many there are, and how many the faulty file says."""

FAULTY = {
    "nothing at all": (b"", "empty"),
    "a text": (b"This is a text that is called note.ogg.\n" * 50, "no sound file"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR\0\0\1\0\0\0\1\0\x08\2\0\0\0" + NOISE, "no sound file"),
    "noise": (NOISE, "no sound file"),
    "a page that is called note.mp3": (b"<!DOCTYPE html><html><body>" + b"<p>Not found</p>" * 500 + b"</body></html>", "no sound file"),
    "a photo that is called note.ogg": (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01" + NOISE, "no sound file"),
    "an archive of nothing": (gzip.compress(bytes(10_000_000)), "no sound file"),
    "one byte": (b"O", "no sound file"),
    "a title and no song": (b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f" + bytes(2_000), "no sound file"),
    "a playlist": (b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n", "no sound file"),
    "a list of files": (b"ffconcat version 1.0\nfile /etc/passwd\n", "no sound file"),
    "a video without sound": ((AUDIO / "mute.mp4").read_bytes(), "no sound track"),
    "a head without a body": (JFK["wav"][:44], "damaged"),
    "a head with noise for a body": (JFK["ogg"][:400] + NOISE, "damaged"),
    "half a file whose index was at the end": (JFK["m4a"][: len(JFK["m4a"]) // 2], "damaged"),
    "one sample a second": (wav(array("h", [0] * 40_000), rate=1), "damaged"),
    "a frame rate of nothing": (JFK["wav"][:24] + bytes(8) + JFK["wav"][32:], "damaged"),
    "no channel": (JFK["wav"][:22] + bytes(2) + JFK["wav"][24:], "damaged"),
    "65,535 channels": (JFK["wav"][:22] + b"\xff\xff" + JFK["wav"][24:], "damaged"),
    "a table of two thousand million entries": (JFK["m4a"].replace(*TABLE), "damaged"),
}


@pytest.mark.parametrize("name", FAULTY)
async def test_what_cannot_be_heard_gets_a_sentence(name: str) -> None:
    content, expected = FAULTY[name]
    assert expected in await refusal(pieces(content))


@pytest.mark.parametrize("part", [0.01, 0.5, 0.98])
@pytest.mark.parametrize("format", FORMATS)
async def test_a_file_of_any_format_that_breaks_off_ends_in_clips_or_in_a_sentence(format: str, part: float) -> None:
    whole = (AUDIO / f"jfk.{format}").read_bytes()
    try:
        clips = await cut(pieces(whole[: int(len(whole) * part)]))
    except UserError as told:
        assert part < 0.1 or format in ("m4a", "mp4"), told  # whose index is at the end
        assert "damaged" in str(told)
    else:
        assert sum(seconds for _, _, seconds in clips) == pytest.approx(11.0 * part, abs=0.8)


@pytest.mark.parametrize(("megabytes", "blocks", "expected"), [(10, 100, "too long"), (100, 1, "damaged")])
async def test_a_small_file_that_unpacks_to_a_lot_is_refused(megabytes: int, blocks: int, expected: str) -> None:
    content = bomb(megabytes, blocks)
    assert len(content) < 1_200_000
    assert expected in await refusal(pieces(content), Limits(seconds=300))


@pytest.mark.parametrize("seed", range(8))
async def test_damaged_files_end_in_clips_or_in_a_sentence(seed: int) -> None:
    dice = random.Random(seed)
    content = bytearray(JFK[dice.choice(list(JFK))])
    for _ in range(dice.choice([3, 30, 300])):
        content[dice.randrange(len(content))] = dice.randrange(256)
    try:
        clips = await cut(pieces(bytes(content)), limits=Limits(seconds=60))
    except UserError as told:
        assert str(told).startswith("This ")
    else:
        assert sum(seconds for _, _, seconds in clips) < 60


ENDLESS = {
    "zeros": (b"", bytes(1 << 16)),
    "one song over and over": (JFK["mp3"], JFK["mp3"]),
    "one note over and over": (JFK["ogg"], JFK["ogg"]),
    "a wav without an end": (wav(array("h"))[:40] + struct.pack("<I", 0xFFFFFFFF), bytes(1 << 16)),
    "a whole file and then zeros": (JFK["m4a"], bytes(1 << 16)),
}


@pytest.mark.parametrize("name", ENDLESS)
async def test_an_endless_stream_ends_in_a_sentence(name: str) -> None:
    told = await refusal(forever(*ENDLESS[name]), Limits(size=5_000_000, seconds=60))
    assert "too large" in told or "too long" in told or "no sound file" in told


@pytest.mark.parametrize("format", FORMATS)
async def test_of_an_endless_stream_no_more_is_read_than_is_allowed(format: str) -> None:
    whole, read = (AUDIO / f"jfk.{format}").read_bytes(), 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += len(whole)
            yield whole

    assert await refusal(endless(), Limits(size=5_000_000)) == "This file is too large: I read at most 5 MB of sound."
    assert read < 7_000_000  # pipes and buffers hold some


async def test_a_small_file_that_lasts_for_hours_is_refused_after_the_allowed_time() -> None:
    assert await refusal(audio("hours.flac"), Limits(seconds=120)) == "This recording is too long: I listen to at most 2 minutes."


async def test_who_asks_may_allow_more_or_less_than_the_limits_do() -> None:
    def clips(total: float) -> AsyncIterator[tuple[bytes, float, float]]:
        return Decoder(Limits(seconds=5)).clips(audio("jfk.ogg"), 60.0, total)

    assert len([clip async for clip in clips(12.0)]) == 1
    with pytest.raises(UserError, match="at most 3 seconds"):
        await anext(clips(3.0))


async def test_a_file_that_stops_arriving_is_given_up() -> None:
    assert "too long" in await refusal(held(asyncio.Event(), b""), Limits(wait=0.3))


async def test_a_file_that_takes_too_much_computing_is_given_up() -> None:
    assert "too long" in await refusal(forever(JFK["mp3"], JFK["mp3"]), Limits(cpu=1, size=1 << 40, memory=1 << 36))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a process's memory")
async def test_a_file_that_takes_too_much_memory_is_given_up() -> None:
    assert "more than a sound file should" in await refusal(covers(12), Limits(memory=250_000_000))


async def covers(number: int, size: int = 16_000_000) -> AsyncIterator[bytes]:
    """A FLAC file with so many pictures of so many bytes before its sound: whoever reads it is made to hold them."""
    picture = struct.pack(">II9s6I", 3, 9, b"image/png", 0, 1, 1, 24, 0, size) + bytes(size)
    yield b"fLaC\x00" + JFK["flac"][5:42]
    for _ in range(number):
        yield b"\x06" + len(picture).to_bytes(3, "big") + picture
    yield b"\x81\x00\x00\x01\x00"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process's peak")
async def test_a_long_file_takes_no_more_memory_than_a_short_one() -> None:
    async def most(seconds: int) -> float:
        """MB that the decoder ever took of a WAV file with 0.4 MB a second, of noise: of that it cannot have ended before it is looked at,
        because no pipe holds so much.
        """
        noise, found = random.Random(seconds).randbytes(seconds * 384_000), list[float]()
        async with aclosing(Decoder().clips(pieces(wav(array("h", noise), rate=192_000)), 5.0)) as clips:
            await anext(clips)
            [worker] = workers()
            found.append(peak(worker))
            async for _ in clips:
                with suppress(OSError):  # it may have ended by now
                    found.append(peak(worker))
        return max(found)

    short, long = await most(30), await most(90)
    assert short > 0.0
    assert long - short < 8.0, "the file alone is 23 MB longer"


async def test_the_file_that_is_read_has_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    clips = Decoder().clips(audio("jfk.ogg"), 2.0)
    await anext(clips)
    assert await asyncio.to_thread(lambda: list(tmp_path.iterdir())) == []
    await clips.aclose()


async def test_where_nothing_can_be_written_the_operator_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with capture_logs() as told:
        assert await refusal(audio("jfk.ogg")) == "Sound files cannot be read here now. The operator can see why with `hobnob doctor`."
    assert told[0]["folder"] == str(tmp_path / "gone")


async def test_a_source_that_fails_says_so_itself() -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield JFK["ogg"][:20_000]
        raise UserError("I could not get the file.")

    assert await refusal(failing()) == "I could not get the file."


async def test_the_time_that_the_caller_takes_is_not_held_against_the_file() -> None:
    clips = Decoder(Limits(wait=1.0)).clips(audio("jfk.ogg"), 2.0)
    first = await anext(clips)
    began = asyncio.get_running_loop().time()
    await wait_until(lambda: asyncio.get_running_loop().time() - began > 1.2)
    assert len([first, *[clip async for clip in clips]]) > 5


async def test_two_files_at_a_time_are_decoded_and_others_wait() -> None:
    decoder, go, asked = Decoder(at_once=2), asyncio.Event(), 0

    async def counted() -> AsyncIterator[bytes]:
        nonlocal asked
        asked += 1
        await go.wait()
        yield (AUDIO / "short.ogg").read_bytes()

    async def decode() -> int:
        return len([clip async for clip in decoder.clips(counted(), 60.0)])

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(decode()) for _ in range(3)]
        await wait_until(lambda: asked == 2)
        await wait_until(lambda: len(workers()) == 2)
        assert asked == 2
        go.set()
    assert [task.result() for task in tasks] == [1, 1, 1]
    assert asked == 3


async def test_whoever_is_cancelled_takes_the_process_along() -> None:
    task = asyncio.create_task(cut(held(asyncio.Event(), b"")))
    await wait_until(workers)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not workers()


ROUTER = """
import asyncio, sys
from bot.media import Decoder

async def drops():
    while True:
        yield b"OggS"
        await asyncio.sleep(0.1)

async def main():
    async for _ in Decoder().clips(drops(), 60.0):
        pass

asyncio.run(main())
"""


async def test_a_router_that_is_killed_takes_the_process_along() -> None:
    router = psutil.Popen([sys.executable, "-c", ROUTER])
    [worker] = await wait_until(router.children)
    router.kill()
    router.wait(10)
    await wait_until(lambda: not worker.is_running())


async def test_whoever_stops_listening_takes_the_process_along() -> None:
    clips = Decoder().clips(audio("jfk.ogg"), 2.0)
    await anext(clips)
    await clips.aclose()
    assert not workers()


async def test_a_sound_is_made_to_fit_as_well_as_it_can_be() -> None:
    chance = random.Random(1)
    whole, sizes = wav(array("h", (chance.randint(-9999, 9999) for _ in range(12 * RATE)))), []
    for most in (200_000, 60_000, 30_000):
        made = await Decoder().fitted(whole, most)
        *what, lasting = facts(made)
        assert (what, round(lasting)) == (["ogg", "opus", 48_000, 1], 12)
        assert len(made) <= most
        sizes.append(len(made))
    assert sizes[0] > sizes[1] > sizes[2]
    for content, most in ((whole, 1000), (b"no sound", 1000)):
        with pytest.raises(UserError):
            await Decoder().fitted(content, most)


async def test_a_full_disk_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    handles: list[int] = []
    content = (AUDIO / "jfk.ogg").read_bytes()

    def full() -> tuple[int, str]:
        (tmp_path / "file").touch()
        handles.append(os.open("/dev/full", os.O_WRONLY))
        return handles[-1], str(tmp_path / "file")

    monkeypatch.setattr(media, "mkstemp", full)
    with capture_logs() as log, pytest.raises(Unavailable, match="Sound files cannot be read here now"):
        await cut(pieces(content, 4000))
    assert "No space left" in log[0]["fault"]
    with pytest.raises(OSError):
        os.fstat(handles[0])
    assert not await asyncio.to_thread(os.path.exists, tmp_path / "file")
