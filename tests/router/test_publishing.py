"""Which commands are listed where, and that platforms are told no more often than they must."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from enum import IntEnum
from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel, Field
from redis.asyncio import Redis

from bot import Command, Context, Joined, Listing, Message, NoArgs, Offer, Option, Person, Reply, Route, hookimpl
from bot.errors import ConnectorError
from bot.locales import Locales
from bot.membership import Left
from bot.messages import Address
from bot.plugins import Loaded, Plugins
from bot.router import app, publishing
from bot.router.offers import offer
from bot.store.keys import Keys
from bot.store.offered import Offered
from bot.store.servers import Choices, Server, Servers
from bot.testing import wait_until
from bot.testing.platform import Platform

GUILD = Address("room", "guild", "")
HALL = Address("room", "guild", "hall")
LATER = Address("room", "later", "")


class Size(IntEnum):
    """A field of numbers."""

    SMALL, LARGE = 1, 2


class Paint(BaseModel):
    """Options of every kind."""

    style: str | None = Field(default=None, max_length=20)
    what: str = Field(min_length=2, description="What to paint.")
    tone: Literal["soft", "loud"] = "soft"
    size: Size = Size.SMALL
    copies: int = Field(default=1, ge=1, le=4)
    strength: float = Field(default=0.5, ge=0, le=1)
    secretly: bool = False


def test_an_args_model_becomes_options_with_those_first_that_must_be_given(tmp_path: Path) -> None:
    async def paint(ctx: Context, args: Paint) -> None: ...

    (tmp_path / "locale").mkdir()
    (tmp_path / "locale/de.po").write_text(
        'msgid ""\nmsgstr ""\n\nmsgid "Paints."\nmsgstr "Malt."\n\nmsgid "What to paint."\nmsgstr "Was zu malen ist."\n'
    )
    made = offer(Command("paint", "Paints.", Paint, paint, menu=True), "paint", Locales({"paint": tmp_path}))
    assert set(made.descriptions) == set(made.options[0].descriptions) == {"de", "zh-Hans"}
    assert (made.descriptions["de"], made.options[0].descriptions["de"]) == ("Malt.", "Was zu malen ist.")
    made = replace(made, descriptions={}, options=tuple(replace(one, descriptions={}) for one in made.options))
    assert made == Offer(
        "paint",
        "Paints.",
        (
            Option("what", "What to paint.", required=True, least=2),
            Option("style", "Style", most=20),
            Option("tone", "Tone", choices=("soft", "loud")),
            Option("size", "size", "integer", choices=(1, 2)),
            Option("copies", "Copies", "integer", least=1, most=4),
            Option("strength", "Strength", "number", least=0, most=1),
            Option("secretly", "Secretly", "boolean"),
        ),
        menu=True,
    )


@dataclass
class Lists(Platform):
    """A platform that lists commands."""

    listed: dict[str, list[list[str]]] = field(default_factory=dict)

    async def publish(self, server: str, offers: Sequence[Offer]) -> None:
        fault = self.faults.popleft() if self.faults else None
        if fault is not None:
            raise fault
        self.listed.setdefault(server, []).append([one.name for one in offers])


@dataclass
class Brings:
    """A plugin with these commands."""

    names: Sequence[str]

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return [Command(name, "Does it.", NoArgs, self.do) for name in self.names]

    async def do(self, ctx: Context, args: NoArgs) -> Reply:
        return Reply("Done.")


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "SETTLED", 0.02)
    monkeypatch.setattr(publishing, "AGAIN", 0.02)


@asynccontextmanager
async def router(redis: Redis, keys: Keys, platform: Platform, *more: str) -> AsyncIterator[app.Router]:
    plugins = Plugins([Loaded("one", Brings(["a", "b"])), Loaded("two", Brings(["c", *more]))])
    made = app.build(redis, keys, plugins, [platform])
    task = asyncio.create_task(made.publishing.run())
    yield made
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def joined(address: Address = GUILD, bot: str = "bot") -> Message:
    return Message("", "joined", address, Person("", ""), trigger=Joined(), me=bot)


async def test_a_server_is_offered_what_is_on_there_and_told_again_when_that_changes(redis: Redis, keys: Keys) -> None:
    platform = Lists()
    assert isinstance(platform, Listing)
    async with router(redis, keys, platform) as made:
        await made.deliver(joined())
        await made.deliver(joined(Address("room", "", "", direct=True)))
        await wait_until(lambda: platform.listed == {"guild": [["a", "b", "c", "cancel"]], "": [["a", "b", "c", "cancel"]]})
        await Servers(redis, keys).put(GUILD.tenant, Server(choices=Choices(plugins={"one": False})))
        made.publishing.changed(joined())
        await wait_until(lambda: platform.listed["guild"][1:] == [["c", "cancel"]])


async def test_a_restart_tells_nothing_anew_and_another_bot_everything(redis: Redis, keys: Keys) -> None:
    platform = Lists()
    for bot in ("bot", "bot", "other"):
        async with router(redis, keys, platform) as made:
            await made.deliver(joined(bot=bot))
            await made.deliver(joined(LATER, bot))
            await wait_until(lambda: platform.listed.pop(LATER.server, None))
            await Offered(redis, keys).forget(bot, LATER.tenant)  # is told again after the other, by each router
    assert platform.listed == {"guild": [["a", "b", "c", "cancel"]] * 2}


async def test_a_router_that_receives_nothing_tells_what_it_changed(redis: Redis, keys: Keys) -> None:
    platform = Lists()
    async with router(redis, keys, platform) as made:
        made.publishing.changed(joined())
        await wait_until(lambda: platform.listed == {"guild": [["a", "b", "c", "cancel"]]})


async def test_who_begins_to_receive_looks_again_at_servers_that_were_told_before(redis: Redis, keys: Keys) -> None:
    platform = Lists()
    async with router(redis, keys, platform) as made:
        await made.deliver(joined())
        await wait_until(lambda: platform.listed)
    alone = Address("room", "", "", direct=True)
    async with router(redis, keys, platform, "d") as made:
        await made.deliver(joined(alone))
        await wait_until(lambda: len(platform.listed["guild"]) == 2)
        assert platform.listed["guild"][1] == ["a", "b", "c", "cancel", "d"]
        await made.deliver(replace(joined(), trigger=Left()))
    async with router(redis, keys, platform, "d", "e") as made:
        await made.deliver(joined(alone))
        await wait_until(lambda: len(platform.listed[""]) == 2)
    assert len(platform.listed["guild"]) == 2


async def test_what_the_platform_refuses_for_now_is_tried_again(redis: Redis, keys: Keys) -> None:
    platform = Lists()
    platform.faults += [ConnectorError("busy", retry_after=0.01), ZeroDivisionError("a fault of its connector")]
    async with router(redis, keys, platform) as made:
        await made.deliver(joined())
        await wait_until(lambda: platform.listed == {"guild": [["a", "b", "c", "cancel"]]})


async def test_new_commands_beyond_those_of_a_day_wait(redis: Redis, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "MOST_NEW", 4)
    platform = Lists()
    async with router(redis, keys, platform) as made:
        await made.deliver(joined(HALL))
        await wait_until(lambda: platform.listed)
    async with router(redis, keys, platform, "d") as made:
        await made.deliver(joined(HALL))
        await wait_until(lambda: any(due.at > time.monotonic() + 1000 for due in made.publishing._due.values()))
        await wait_until(lambda: not made.runner.held)
        await made.endings.close()
    assert platform.listed == {"guild": [["a", "b", "c", "cancel"]]}
    assert " ".join(platform.shown(HALL)).startswith(
        "My commands here are not up to date: this platform takes at most 4 new ones from me in a day."
    )


async def test_a_platform_takes_a_hundred(redis: Redis, keys: Keys) -> None:
    platform = Lists()
    async with router(redis, keys, platform, *(f"x{number:03}" for number in range(120))) as made:
        await made.deliver(joined())
        await wait_until(lambda: platform.listed)
    assert len(platform.listed["guild"][0]) == 100
