"""Recordings that go on and on: a sentence to the person, no job, nothing left behind."""

from __future__ import annotations

import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO

import psutil
import pytest
from redis.asyncio import Redis

from bot import Attachment, Audio, Context, Message, Reply, UserError
from bot.catalogue import load
from bot.messages import Address, Person
from bot.plugins import Plugins
from bot.router import cutting
from bot.router.acts import DurableActs
from bot.router.app import build
from bot.router.delivery import Delivery
from bot.router.journal import Journal
from bot.router.pace import Pace
from bot.router.posts import Posts
from bot.store.blobs import Blobs
from bot.store.keys import Keys
from bot.store.plugindata import PluginData
from bot.store.tickets import Body, Tickets
from bot.testing.platform import Platform
from plugins.transcribe.config import Config
from plugins.transcribe.front import Plugin
from plugins.transcribe.settings import Settings
from tests.traps import silence

AMR = (Path(__file__).parents[2] / "data" / "audio" / "jfk.amr").read_bytes()


def a_hundred_hours() -> Iterator[bytes]:
    """Silence that is small enough for any platform."""
    yield silence(100)


def for_ever() -> Iterator[bytes]:
    """A telephone that is never hung up, always with somebody speaking."""
    yield AMR
    while True:
        yield AMR[6:]


SOUND = Audio(Attachment("a", "audio/x", 0), voice=True)

NO_SOUND = b"This is a text that is called a song.\n" * 50


class Station(Platform):
    """Sends what it is told to, for as long as somebody listens."""

    def __init__(self, sound: Callable[[], Iterator[bytes]]) -> None:
        super().__init__()
        self._sound = sound

    async def read(self, attachment: Attachment) -> AsyncIterator[bytes]:
        for piece in self._sound():
            yield piece


async def transcribed(
    redis: Redis, keys: Keys, station: Station, config: Config = Config(), settings: Settings = Settings(), sound: Audio = SOUND
) -> Reply | None:
    """What the plugin answers in a real router."""
    tickets, blobs, data = Tickets(redis, keys, "r"), Blobs(redis, keys), PluginData(redis, keys)
    note = Message("m", "m", Address("room", "lounge", "main"), Person("ada", "Ada"), (sound,), addressed=True)
    [ticket] = await tickets.accept([Body(plugin="transcribe", route="r", version="1", message=note)], 0, time.time())
    journal = Journal(ticket, tickets, {})
    stores = build(redis, keys, Plugins([]), [station]).stores
    line = Delivery({"room": station}, Posts(blobs, data), Pace()).line(journal)
    acts = DurableActs(journal, line, stores, station, nowhere)
    try:
        return await Plugin(config, load()).noticed(Context(note, settings, datetime.now(UTC), journal.ref, acts))
    finally:
        await tickets.finish(ticket)


async def nowhere(message: Message) -> None:
    raise AssertionError(f"{message} was forwarded")


TOO_LONG, TOO_LARGE = "This recording is too long: I listen to at most ", "This file is too large: I read at most "
NO_SOUND_FILE = "This is no sound file that I can read"


@pytest.mark.parametrize(
    ("sound", "config", "settings", "sentence"),
    [
        (a_hundred_hours, Config(), Settings(), f"{TOO_LONG}15 minutes."),
        (a_hundred_hours, Config(longest=600), Settings(longest=3600), f"{TOO_LONG}10 minutes."),
        (a_hundred_hours, Config(), Settings(longest=90), f"{TOO_LONG}90 seconds."),
        (for_ever, Config(), Settings(), f"{TOO_LARGE}200 MB of sound."),
    ],
    ids=["as it comes", "as the operator allows", "as the server allows", "without an end"],
)
async def test_a_recording_that_goes_on_and_on_is_refused(
    redis: Redis, keys: Keys, sound: Callable[[], Iterator[bytes]], config: Config, settings: Settings, sentence: str
) -> None:
    with pytest.raises(UserError) as told:
        await transcribed(redis, keys, Station(sound), config, settings)
    assert str(told.value) == sentence
    assert [key async for key in redis.scan_iter(f"{keys.prefix}:*") if b":blob:" in key] == []
    assert not [child for child in psutil.Process().children() if "media_worker" in " ".join(child.cmdline())]


@pytest.mark.parametrize(("name", "claimed"), [("song.mp3", "audio/mpeg"), ("cat.png", "image/png"), ("", "")])
@pytest.mark.parametrize(("content", "sentence"), [(silence(100), TOO_LONG), (NO_SOUND, NO_SOUND_FILE)], ids=["sound", "none"])
async def test_the_name_and_the_claimed_type_mean_nothing(
    redis: Redis, keys: Keys, content: bytes, sentence: str, name: str, claimed: str
) -> None:
    sound = Audio(Attachment("a", claimed, 0, name), voice=True)
    with pytest.raises(UserError) as told:
        await transcribed(redis, keys, Station(partial(iter, [content])), sound=sound)
    assert str(told.value).startswith(sentence)


def full(mode: str = "", **how: object) -> BinaryIO:
    """A file on a disk that takes nothing more."""
    return Path("/dev/full").open("w+b")


async def test_a_disk_that_is_full_by_the_time_the_sound_is_decoded_is_told_in_a_sentence(
    redis: Redis, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cutting, "IN_MEMORY", 1)
    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(UserError, match="Sound files cannot be read here now"):
        await transcribed(redis, keys, Station(partial(iter, [AMR])), Config(), Settings())
