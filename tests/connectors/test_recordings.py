"""Voice notes on Discord, on Telegram and in a room, through the whole product: policies, buttons, cancel, a killed router."""

from __future__ import annotations

import io
import itertools
import json
import signal
import wave
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import av
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from bot.config import load
from bot.messages import Text
from bot.store.connection import connect
from bot.store.house import HouseRules
from bot.store.keys import Keys
from bot.store.places import Draft, Place, newcomer
from bot.store.rooms import Rooms
from bot.testing import wait_until
from plugins.transcribe.choosing import CHOSEN, NOTICES
from plugins.transcribe.writing import NOBODY
from tests.connectors.lounges import InRoom, Lounge, OnDiscord, OnTelegram, Seen
from tests.house import ECHO, House
from tests.plugins.transcribe.subtitles import check_times, cues
from tests.traps import bomb, silence, tracks
from tests.wire import discord_server, telegram_server
from tests.wire.discord_server import Discord, serving
from tests.wire.telegram_server import Telegram

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.models]

AUDIO = Path(__file__).parents[1] / "data/audio"
JFK, GERMAN = (AUDIO / "jfk.ogg").read_bytes(), (AUDIO / "german.ogg").read_bytes()
SPOKEN = "ask not what your country can do for you"

PATIENCE = 180.0
"""Seconds in which something must have come, on a machine that does other things too."""

CONFIG = """
[admission]
servers = "open"
direct = "open"
[plugins.admin]
[plugins.echo]
path = "{echo}"
[plugins.transcribe]
beam = 1
[plugins.transcribe.defaults]
policy = "always"
names = ["Americans"]
longest = 1200
[models]
dir = "{models}"
[connectors.discord]
token = "{discord_token}"
api_url = "{discord.url}/api/v10"
gateway_url = "{gateway}"
cdn_url = "{discord.url}"
[connectors.telegram]
token = "{telegram_token}"
api_url = "{telegram.root}"
file_url = "{telegram.root}/file"
"""


@dataclass
class Hall:
    """One house behind three platforms, with the parrot for a chat model."""

    house: House
    discord: Discord
    telegram: Telegram
    rooms: Rooms
    redis: Redis
    ada: str
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    async def lounge(self, platform: str, *, alone: bool = False) -> Lounge:
        """A new one; `alone` on its server."""
        number = next(self.numbers)
        if platform == "discord":
            guild = await self.discord.let_in(f"Den {number}") if alone else next(iter(self.discord.world.guilds.values()))
            channel = self.discord.world.channel(guild, f"lounge-{number}")
            await self.discord.gateway.dispatch("CHANNEL_CREATE", channel, guild["id"])
            return OnDiscord(self.discord, channel)
        if platform == "telegram":
            return OnTelegram(self.telegram, self.telegram.chats.group(-1000000000000 - number, "Lounge"))
        return InRoom(self.rooms, Place(f"lounge-{number}"), newcomer("Ada", self.ada))

    def ended(self, lounge: Lounge, route: str) -> int:
        """How many tickets of a route have ended there."""
        lines = [json.loads(line) for line in self.house.log.splitlines() if '"ticket.finished"' in line]
        return sum((line["server"], line["route"].rpartition(":")[2]) == (lounge.tenant, route) for line in lines)

    async def largest(self) -> int:
        """Bytes of the largest value in the store."""
        return max([await self.redis.strlen(key) async for key in self.redis.scan_iter(_type="string")])

    async def submitted(self, lounge: Lounge) -> int:
        """How many clips of recordings were handed to models for it, in the last minutes."""
        keys = [key async for key in self.redis.scan_iter(f"{Keys().prefix}:asked:*")]
        counts = [await self.redis.hget(key, f"transcribe|{lounge.tenant}") for key in keys]
        return sum(int(count or 0) for count in counts)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hall(tmp_path_factory: pytest.TempPathFactory, models_dir: Path) -> AsyncIterator[Hall]:
    folder = tmp_path_factory.mktemp("hall")
    async with serving(Discord()) as discord, Telegram().serving() as telegram:
        guild = discord.world.guild("Lounge")
        tokens = {"discord_token": discord_server.TOKEN, "telegram_token": telegram_server.TOKEN}
        places = {"discord": discord, "gateway": discord.gateway.url.rstrip("/"), "telegram": telegram}
        house = House(folder, CONFIG.format(echo=ECHO, models=models_dir, **tokens, **places), plugins="")
        with house.begin("run") as process:
            try:
                ready: Callable[[], bool] = lambda: telegram.polled and discord.gateway.ready and guild["id"] in discord.world.commands  # noqa: E731
                await wait_until(ready, PATIENCE)
            except AssertionError:
                raise AssertionError(house.log) from None
            config = load(house.config)
            redis = connect(config.redis_url)
            made = Hall(house, discord, telegram, Rooms(redis, Keys(), config.files_dir), redis, "ada's secret")
            try:
                await owned(made)
                yield made
            finally:
                await made.rooms.close()
                await redis.aclose()
            process.terminate()
            await wait_until(lambda: process.poll() is not None, PATIENCE)


async def owned(hall: Hall) -> None:
    """Ada becomes the owner in our own rooms, which nobody manages."""
    ada = newcomer("Ada", hall.ada)
    alone = Place("hall", ada.id)
    code = await HouseRules(hall.redis, Keys()).offer()
    await hall.rooms.say(alone, Draft(ada, (Text(f"/claim {code}"),)))
    await wait_until(lambda: hall.rooms.history(alone), PATIENCE)
    await wait_until(lambda: 'command:claim"' in hall.house.log, PATIENCE)


@pytest_asyncio.fixture(loop_scope="module", params=["discord", "telegram", "room"])
async def lounge(hall: Hall, request: pytest.FixtureRequest) -> Lounge:
    return await hall.lounge(request.param)


async def said(lounge: Lounge, words: str, times: int = 1) -> list[Seen]:
    """So many messages with these words, once they are all that they will be."""

    async def found() -> list[Seen]:
        texts = [(one.text.replace(" (?)", "").lower(), one) for one in await lounge.seen() if "Cancel" not in one.labels]
        there = [one for text, one in texts if words.lower() in text]
        return there if len(there) >= times else []

    with suppress(AssertionError):
        await wait_until(found, PATIENCE)
    seen = await found()
    assert len(seen) == times, [one.text for one in await lounge.seen()]
    return seen


def when(hall: Hall, lounge: Lounge, route: str, times: int) -> Awaitable[bool]:
    """So many of its tickets have ended."""
    return wait_until(lambda: hall.ended(lounge, route) >= times, PATIENCE)


def spread(times: int, every: float = 27.0) -> bytes:
    """Some words of real speech again and again, with silence between: long to play, and quick to hear."""
    with wave.open(str(AUDIO / "jfk.wav")) as file:
        rate = file.getframerate()
        words = file.readframes(round(4.9 * rate))
    out, silence = io.BytesIO(), bytes(2 * round(every * rate) - len(words))
    with av.open(out, "w", format="flac") as container:
        stream = container.add_stream("flac", rate=rate, layout="mono", format="s16")
        for at, piece in enumerate([words + silence] * times):
            frame = av.AudioFrame(format="s16", layout="mono", samples=len(piece) // 2)
            frame.sample_rate, frame.pts = rate, at * frame.samples
            memoryview(frame.planes[0])[: len(piece)] = piece
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()


async def test_an_admin_chooses_when_a_recording_becomes_text(hall: Hall, lounge: Lounge) -> None:
    await lounge.call("voice", "off")
    await said(lounge, CHOSEN["off"])
    note = await lounge.record(JFK)
    await when(hall, lounge, "recordings", 1)
    await lounge.point(note)
    await said(lounge, "An admin of this server can change that")

    await lounge.call("voice", "demand")
    await said(lounge, CHOSEN["demand"])
    note = await lounge.record(JFK)
    await when(hall, lounge, "recordings", 2)
    await lounge.point(note)
    [heard] = await said(lounge, SPOKEN)
    assert len(await lounge.seen()) == 4, "nothing was written down before"

    await lounge.call("voice", "addressed")
    await said(lounge, NOTICES["addressed"])
    await lounge.record(GERMAN)
    await when(hall, lounge, "recordings", 3)
    await lounge.record(JFK)
    [shown] = [one for one in await said(lounge, SPOKEN, 3) if one.labels and one != heard]  # the third answers it as if it had been typed

    await lounge.call("voice", "always")
    await said(lounge, NOTICES["always"])
    await lounge.record(GERMAN)
    await said(lounge, "Guten Morgen")
    assert heard.labels == shown.labels == ["Summary", "Translate", "Timestamps", "Files"]


async def test_a_sign_on_a_recording_asks_for_its_text(hall: Hall) -> None:
    for platform in ("discord", "telegram"):
        lounge = await hall.lounge(platform)
        await lounge.call("voice", "demand")
        await said(lounge, CHOSEN["demand"])
        note = await lounge.record(JFK)
        await when(hall, lounge, "recordings", 1)
        await lounge.mark(note, "✍")
        await said(lounge, SPOKEN)


async def test_who_keeps_their_own_out_is_written_down_by_nobody(hall: Hall, lounge: Lounge) -> None:
    await lounge.call("mynotes", "out", by="Ben")
    await when(hall, lounge, "mynotes", 1)
    note = await lounge.record(JFK, by="Ben")
    await when(hall, lounge, "recordings", 1)
    await lounge.point(note)
    await said(lounge, "Ben keeps their recordings out")
    assert not [one for one in await lounge.seen() if "Americans" in one.text]
    await lounge.call("mynotes", "in", by="Ben")
    await when(hall, lounge, "mynotes", 2)
    await lounge.record(JFK, by="Ben")
    await said(lounge, SPOKEN)


async def test_buttons_give_what_they_promise(hall: Hall, lounge: Lounge) -> None:
    await lounge.record(GERMAN, 4.0)
    [note] = await said(lounge, "Guten Morgen")
    assert note.labels == ["Summary", "Translate", "English", "Timestamps", "Files"]
    await lounge.press(note, "English")
    await said(lounge, "Good morning")
    await lounge.press(note, "Timestamps")
    await said(lounge, "0:00")
    await lounge.press(note, "Summary")
    await said(lounge, "Guten Morgen", 3)  # the parrot sums up by saying it again
    await lounge.press(note, "Translate")
    [asking] = await said(lounge, "Into which language?")
    await lounge.press(asking, "French")
    await said(lounge, "Guten Morgen", 4)
    await lounge.press(note, "Files")
    files = await wait_until(lambda: files_of(lounge), PATIENCE)
    told = json.loads(files[3])
    assert told["segments"][0]["words"][0]["probability"] > 0.0
    for content, format in zip(files[1:3], ("srt", "vtt"), strict=True):
        check_times(found := cues(content.decode(), format), told["seconds"])
        assert "Guten Morgen" in found[0][2]


async def files_of(lounge: Lounge) -> list[bytes]:
    """All four, in whatever messages they came."""
    found = [content for one in await lounge.seen() for content in one.files]
    return found if len(found) >= 4 else []


async def test_who_asked_may_cancel_a_long_one_which_keeps_nobody_waiting(hall: Hall, lounge: Lounge) -> None:
    whole, beside = spread(40), await hall.lounge("room")
    await lounge.record(whole, 1080.0)
    [status] = await wait_until(lambda: cancellable(lounge, "Americans"), PATIENCE)
    assert await hall.largest() < len(whole) / 4, "clips alone are in the store"
    await beside.record(GERMAN)
    await said(beside, "Guten Morgen")
    [status] = await cancellable(lounge, "Americans")
    await lounge.press(status, "Cancel")
    await said(lounge, "Cancelled.")
    await when(hall, lounge, "recordings", 1)
    assert await hall.submitted(lounge) < 40


async def cancellable(lounge: Lounge, words: str) -> list[Seen]:
    """What is being written down and has these words already."""
    return [one for one in await lounge.seen() if "Cancel" in one.labels and words in one.text]


async def test_telegram_notifies_nobody_and_names_the_click_that_a_policy_needs(hall: Hall) -> None:
    lounge = await hall.lounge("telegram")
    await lounge.record(JFK)
    [note] = await said(lounge, SPOKEN)
    assert note.native["silent"]
    assert [one["type"] for one in note.native["entities"]] == ["blockquote"]
    assert isinstance(lounge, OnTelegram)
    lounge.chat.bot, hall.telegram.bot["can_read_all_group_messages"] = "member", False
    try:
        await lounge.call("voice", "always")
        _, told = await said(lounge, NOTICES["always"], 2)
        assert "@BotFather, /setprivacy, Disable" in told.text
    finally:
        hall.telegram.bot["can_read_all_group_messages"] = True


M4A = (AUDIO / "jfk.m4a").read_bytes()

BAD = {
    "This file is empty.": [b""],
    "This is no sound file that I can read": [b"This is a text that is called voice.ogg.\n" * 50, M4A[: len(M4A) // 2]],
    "This file is damaged: no sound": [bomb(1000, 1)],
    "This file has no sound track.": [(AUDIO / "mute.mp4").read_bytes()],
    "This recording is too long: I listen to at most 20 minutes.": [silence(24)],
    NOBODY: [tracks(1000)],
}


async def test_what_cannot_be_heard_gets_a_sentence_and_harms_nobody(hall: Hall) -> None:
    lounge = await hall.lounge("telegram")
    family = {name: process.pid for name, process in hall.house.family.items()}
    for sounds in BAD.values():
        for sound in sounds:
            await lounge.record(sound, 1.0)
    for sentence, sounds in BAD.items():
        await said(lounge, sentence, len(sounds))
    note = await lounge.record(JFK)
    hall.telegram.chats.files[note["voice"]["file_id"]] = (AUDIO / "jfk.wav").read_bytes()  # ten times as large when it is fetched
    await said(lounge, SPOKEN)
    assert {name: process.pid for name, process in hall.house.family.items()} == family


async def test_a_second_router_goes_on_from_the_last_clip_when_the_first_is_killed(hall: Hall) -> None:
    """The last test of the file: the first router is another one afterwards."""
    clips = 12
    lounges = [await hall.lounge(platform, alone=True) for platform in ("discord", "telegram", "room")]
    with hall.house.begin("router") as second:
        await wait_until(lambda: "stands by" in hall.house.log or second.poll() is not None, PATIENCE)
        for lounge in lounges:
            await lounge.record(spread(clips), clips * 27.0)
        await wait_until(lambda: under_way(lounges), PATIENCE)
        hall.house.family["router"].send_signal(signal.SIGKILL)
        for lounge in lounges:
            await wait_until(lambda lounge=lounge: whole(lounge), PATIENCE)  # type: ignore[misc]
            [heard] = await whole(lounge)
            assert heard.text.count("fellow") >= clips - 2, "Whisper may mishear one or the other, and no clip is missing"
            assert await hall.submitted(lounge) <= clips, "what was heard once is not heard again"
    [folded] = [await whole(lounge) for lounge in lounges if isinstance(lounge, OnTelegram)]
    assert [one["type"] for one in folded[0].native["entities"]] == ["expandable_blockquote"]


async def under_way(lounges: Sequence[Lounge]) -> list[Seen]:
    """What is being written down anywhere."""
    return [one for lounge in lounges for one in await cancellable(lounge, "Americans")]


async def whole(lounge: Lounge) -> list[Seen]:
    """The transcript, once nothing more comes."""
    return [one for one in await lounge.seen() if "Files" in one.labels]
