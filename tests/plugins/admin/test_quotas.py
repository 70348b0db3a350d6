"""How much somebody may use: what is counted for whom, what is said when it is used up, and who decides that."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from redis.asyncio import Redis

from bot import Command, Context, Draw, NoArgs, Picture, Result, Route, Transcribe, Transcript, hookimpl
from bot.allowing import AdmissionTable, Amounts, PersonAmounts, QuotasTable
from bot.messages import Blob, Called, Message
from bot.plugins import Loaded
from bot.quotas import read_rate
from bot.router.metering import CLIP_RATE
from bot.store.keys import Keys
from bot.testing import wait_until
from tests.hands import Said, worker
from tests.plugins.admin.street import ANN, BOB, BOT, CHESS, CHOIR, street

OPEN = AdmissionTable(servers="open", direct="open")
TWO = QuotasTable(person=PersonAmounts(messages=("2/hour",)))


async def test_what_a_person_may_use_is_theirs_alone_and_how_they_are_governed_is_free(redis: Redis, keys: Keys) -> None:
    async with street(redis, keys, OPEN, TWO) as here:
        assert [await here.say("/song") for _ in range(2)] == [["La la la."]] * 2
        refused = [await here.say("/song") for _ in range(2)]
        assert refused[0][0].startswith("You may use 2 messages in an hour here, and that would be more. There is more in about")
        assert refused[0][0].endswith("Whoever runs me decides that.")
        assert await here.say("/song", via="slash") == refused[0], "a listed command must be answered"
        assert "- You: 2 of 2 messages in an hour. All of it is there again in" in (await here.say("/quota"))[0]
        assert (await here.say("/song", ANN), await here.say("/song", place=CHOIR)) == (["La la la."], ["La la la."])
        await here.own(BOB)
        assert [await here.say("/song") for _ in range(3)] == [["La la la."]] * 3, "owners are not counted"


async def test_counters_are_exact_however_many_ask_at_once_on_several_routers(redis: Redis, keys: Keys) -> None:
    quotas = QuotasTable(person=PersonAmounts(messages=("7/hour",)), server=Amounts(messages=("10/hour",)))
    async with street(redis, keys, OPEN, quotas, routers=2) as here:
        asked = Message("", "", CHESS, BOB, trigger=Called("song"), me=BOT.id)
        both = [replace(asked, id=f"c{n}", event=f"c{n}", sender=(BOB, ANN)[n % 2]) for n in range(30) for _ in here.routers]
        await asyncio.gather(*(here.routers[n % 2].deliver(one) for n, one in enumerate(both)))
        await wait_until(lambda: not any(one.runner.held for one in here.routers))
        heard = Counter(here.hears(CHESS))
        assert heard["La la la."] == 10
        assert "All people of this server may use 10 messages" in "".join(heard)
        found = await counters(redis, keys)
        assert found.pop("messages:3600:chat/chess|") == 10
        assert (sum(found.values()), max(found.values()) <= 7) == (10, True)


async def counters(redis: Redis, keys: Keys) -> dict[str, float]:
    names = [name.decode() async for name in redis.scan_iter(f"{keys.prefix}:used:*")]
    return {name.removeprefix(f"{keys.prefix}:used:"): float(await redis.get(name) or 0) for name in names}


async def test_device_seconds_are_those_that_the_queue_measured(redis: Redis, keys: Keys) -> None:
    quotas = QuotasTable(person=PersonAmounts(device=("0.15/hour",)))
    async with street(redis, keys, OPEN, quotas) as here, worker(redis, keys, ["say"], lambda job: ("", Said(words="hm"))):
        assert [await here.say("/hum") for _ in range(2)] == [["hm"]] * 2, "a job of a tenth of a second each"
        [refused] = await here.say("/hum")
        assert refused.startswith("You may use 0.15 seconds of the device in an hour here, and that would be more.")
        assert (await counters(redis, keys))["device:3600:chat/chess|chat/bob"] == 0.2


class Studio:
    """Draws two pictures at a time, and writes down a minute and a half."""

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return [Command("paint", "Paints.", NoArgs, self.paint), Command("write", "Writes down.", NoArgs, self.write)]

    async def paint(self, ctx: Context, args: NoArgs) -> str:
        await ctx.run(Draw(prompt="a cat", number=2))
        return "Painted."

    async def write(self, ctx: Context, args: NoArgs) -> str:
        await ctx.run(Transcribe(audio=Blob("clip", "audio/wav", 90 * CLIP_RATE)))
        return "Written."


def done(job: dict[str, Any]) -> tuple[str, Result]:
    """What a studio's models give."""
    if job["kind"] == "draw":
        return "", Picture(image=Blob("cat", "image/png", 1), recipe={})
    return "", Transcript(language="en", seconds=90.0, segments=(), model="w")


async def test_pictures_and_minutes_of_audio_are_counted_as_many_as_they_are_and_everywhere(redis: Redis, keys: Keys) -> None:
    quotas = QuotasTable(
        person=PersonAmounts(images=("5/hour",), audio=("4/day",)), everywhere=Amounts(images=("6/hour",), device=("9/hour",))
    )
    studio = Loaded("studio", Studio(), version="1")
    async with street(redis, keys, OPEN, quotas, more=[studio]) as here, worker(redis, keys, ["draw", "transcribe"], done):
        assert [await here.say("/paint") for _ in range(2)] == [["Painted."]] * 2
        [refused] = await here.say("/paint")
        assert refused.startswith("You may use 5 images in an hour here, and that would be more.")
        assert await here.say("/paint", place=CHOIR) == ["Painted."]
        [refused] = await here.say("/paint", place=CHOIR)
        assert refused.startswith("You may use 6 images in an hour in all servers together, and that would be more.")
        assert [await here.say("/write") for _ in range(2)] == [["Written."]] * 2
        [refused] = await here.say("/write")
        assert refused.startswith("You may use 4 minutes of audio in a day here, and that would be more.")
        [told] = await here.say("/quota")
        assert "- You: 4 of 5 images in an hour." in told
        assert "- You, in all servers together: 6 of 6 images in an hour." in told
        assert "- You: 3 of 4 minutes of audio in a day." in told
        assert "- You, in all servers together: 0.5 of 9 seconds of the device in an hour." in told


async def test_admins_divide_what_the_operator_allows(redis: Redis, keys: Keys) -> None:
    async with street(redis, keys, OPEN, TWO) as here:
        [refused] = await here.say("/quota messages 1/hour everyone", ANN)
        assert refused.startswith("Only the admins of this server can say how much may be used here")
        [refused] = await here.say("/quota messages 3/hour everyone", ANN, manages=True)
        assert refused == "Whoever runs this bot allows at most 2 messages in an hour here."
        [saved] = await here.say("/quota messages 0/hour everyone", ANN, manages=True)
        assert "**What this server chose**\n- everyone: 0/hour messages" in saved
        assert await here.say("/song") == ["You may use no messages here. An admin of this server can change that with /quota."]
        assert await here.say("/song", place=CHOIR) == ["La la la."]
        singers = {"7": "singers"}
        await here.say("/quota messages 1/30s role:singers", ANN, manages=True, roles=singers)
        assert await here.say("/song", roles=singers) == ["La la la."], "a role's limit stands before everybody's"
        [refused] = await here.say("/song", roles=singers)
        assert refused.startswith("You may use 1 messages in 30 seconds here, and that would be more. There is more in")
        await here.press("Take back: everyone: 0/hour messages", ANN, CHESS, manages=True)
        assert await here.say("/song") == ["La la la."]


def test_a_rate_is_read() -> None:
    assert [read_rate(text) for text in ("20/hour", "1.5/day", "1/30s", "3 / 2 hours")] == [(20, 3600), (1.5, 86_400), (1, 30), (3, 7200)]
