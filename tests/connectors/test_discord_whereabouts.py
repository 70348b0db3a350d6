"""What happens on Discord in channels that the gateway only names: it is asked for them once, and by no more events than may wait."""

from __future__ import annotations

import asyncio

import pytest

from bot.connectors.discord import whereabouts
from bot.messages import Address, Person, Text
from bot.spacing import Spacing
from bot.testing import wait_until
from tests.connectors.on_discord import Ear, connected, general
from tests.wire.discord_server import Discord


def shown(discord: Discord) -> list[str]:
    """The channels and people that were asked for."""
    return [one.path for one in discord.record if one.method == "GET" and one.route in ("/channels/{channel}", "/users/{user}")]


async def test_alone_with_somebody_nobody_is_asked_for_at_each_reaction_and_deletion(discord: Discord) -> None:
    ear, ada, ben, bot = Ear(), discord.world.user("Ada"), discord.world.user("Ben"), discord.world.bot
    chat, other = discord.world.direct(ada), discord.world.direct(ben)
    mine, theirs = discord.world.message(chat, bot, "an answer"), [discord.world.message(other, ben, "a question") for _ in range(3)]
    async with connected(discord, ear) as connector:
        for emoji in "👍🔥":
            await discord.react(mine, ada, emoji)
        await wait_until(lambda: len(ear.heard) == 2)
        place = Address("discord", ada["id"], chat["id"], direct=True)
        assert {(one.address, one.sender) for one in ear.heard} == {(place, Person(ada["id"], "Somebody"))}
        assert shown(discord) == []
        placed = await connector.placed(ear.heard[0])
        assert (placed.sender.name, placed.reply_to and placed.reply_to.parts) == ("Ada", (Text("an answer"),))
        assert shown(discord) == [f"/users/{ada['id']}"], "a route listens"

        await discord.say(chat, ada, "thanks")
        await discord.react(mine, ada, "❤")
        await wait_until(lambda: len(ear.heard) == 4)
        assert ear.heard[3].sender == Person(ada["id"], "Ada")

        for one in theirs:
            await discord.delete(one)
        await wait_until(lambda: len(ear.heard) == 7)
        assert {one.address for one in ear.heard[4:]} == {Address("discord", ben["id"], other["id"], direct=True)}
        assert shown(discord)[1:] == [f"/channels/{other['id']}"], "it is asked for once"


async def test_a_moderator_who_clears_an_old_thread_costs_one_call(discord: Discord) -> None:
    ear, ada = Ear(), discord.world.user("Ada")
    thread = discord.world.thread(general(discord), "Archived")
    said = [discord.world.message(thread, ada, f"{number}") for number in range(100)]
    async with connected(discord, ear):
        await discord.purge(said)
        await wait_until(lambda: len(ear.heard) == 100)
        assert {one.id for one in ear.heard} == {one["id"] for one in said}
        assert {one.address.place for one in ear.heard} == {f"{general(discord)['id']}/{thread['id']}"}
    assert shown(discord) == [f"/channels/{thread['id']}"]


async def test_of_events_in_channels_that_nobody_knows_so_many_wait(discord: Discord, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whereabouts, "MOST_WAITING", 2)
    ear, held = Ear(), Held()
    threads = [discord.world.thread(general(discord), f"Archived {number}") for number in range(4)]
    said = [discord.world.message(one, discord.world.user("Ada"), "old") for one in threads]
    async with connected(discord, ear, aside=held):
        held.closed = True
        for one in said:
            await discord.delete(one)
        await discord.say(general(discord), discord.world.user("Ben"), "meanwhile")
        await wait_until(lambda: ear.heard and held.waiting_now >= 2)
        held.opened.set()
        await wait_until(lambda: len(ear.heard) == 3)
    assert {one.id for one in ear.heard[1:]} == {one["id"] for one in said[:2]}


class Held(Spacing):
    """Lets calls wait from the moment on at which it is closed."""

    def __init__(self) -> None:
        super().__init__(1_000.0)
        self.closed, self.waiting_now, self.opened = False, 0, asyncio.Event()

    async def turn(self) -> None:
        if self.closed:
            self.waiting_now += 1
            await self.opened.wait()
