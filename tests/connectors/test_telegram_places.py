"""Where the bot is on Telegram: groups that it comes to and leaves, what it lists there, and what is kept from it."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

import pytest
from redis.asyncio import Redis

from bot import Command, Context, NoArgs, Route, Schedule, hookimpl
from bot.connector import Offer
from bot.connectors.telegram import TelegramConnector
from bot.membership import Joined, Left, Moved
from bot.plugins import Loaded, Plugins
from bot.router import app
from bot.router.app import running
from bot.store.applicants import Applicants
from bot.store.keys import Keys
from bot.testing import wait_until
from tests.connectors.on_telegram import ANN, Ear, group, heard, hearing, place
from tests.wire.telegram_server import Telegram


async def test_a_group_that_becomes_a_supergroup_says_where_it_goes_on(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    old = telegram.chats.group(-55, "Small", kind="group")
    new = telegram.chats.migrate(old)
    [message] = await heard(on_telegram)
    assert (message.address.server, message.trigger) == ("-55", Moved(str(new.id)))


class Reminder:
    """Speaks up in an hour."""

    @hookimpl
    def register_routes(self) -> list[Route]:
        return [Command("remind", "Reminds you in an hour.", NoArgs, self.remind), Schedule("due", NoArgs, self.due)]

    async def remind(self, ctx: Context, args: NoArgs) -> str:
        await ctx.schedule("due", args, ctx.now + timedelta(hours=1))
        return "I will."

    async def due(self, ctx: Context, args: NoArgs) -> str:
        return f"You wanted to be reminded, {ctx.person.name}."


async def test_what_is_scheduled_in_a_group_fires_where_it_goes_on(
    telegram: Telegram, on_telegram: TelegramConnector, redis: Redis, keys: Keys
) -> None:
    plugins, applicants = Plugins([Loaded("reminder", Reminder(), version="1")]), Applicants(redis, keys)
    old = telegram.chats.group(-55, "Small", kind="group")
    await applicants.decide(applicants.admitting("telegram/-55"))
    async with running(app.build(redis, keys, plugins, [on_telegram]), plugins):
        telegram.chats.say(old, ANN, "/remind")
        await wait_until(lambda: old.said == ["I will."])
        new = telegram.chats.migrate(old)
        await wait_until(lambda: redis.exists(keys.server(f"telegram/{new.id}")))
        [firing] = await redis.zrange(keys.firings_due(), 0, -1)
        await redis.zadd(keys.firings_due(), {cast("bytes", firing): 0})  # an hour goes by
        await wait_until(lambda: new.said == ["You wanted to be reminded, Ann."])


async def test_where_the_bot_is_becomes_known_by_what_it_hears(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    ear = Ear()
    lounge, kitchen = group(telegram), telegram.chats.group(-1002, "Kitchen")
    async with hearing(on_telegram, ear):
        telegram.chats.say(lounge, ANN, "one")
        telegram.chats.say(lounge, ANN, "two")
        telegram.chats.say(telegram.chats.direct(ANN), ANN, "three")
        telegram.chats.promote(kitchen, "left")
        telegram.chats.promote(kitchen, "administrator")
        await wait_until(lambda: len(ear.heard) == 4 and len(ear.joined) == 3)
    first, *others = [(message.address.server, message.address.direct) for message in ear.joined]
    assert (first, set(others)) == (("", True), {("-1001", False), ("-1002", False)}), "chats do not wait for one another"
    [left] = [message for message in ear.heard if isinstance(message.trigger, Left)]
    assert left.address.server == "-1002"


async def test_commands_are_listed_by_place_and_language(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    group(telegram)
    offers = [
        Offer("roll", "Rolls.", descriptions={"zh-CN": "掷骰子"}),
        Offer("no-hyphens", "Hidden."),
        Offer("help", "Helps."),
    ]
    await on_telegram.publish("", offers)
    await on_telegram.publish("-1001", offers[2:])
    assert {scope: [one["command"] for one in listed] for scope, listed in telegram.methods.commands.items()} == {
        ("all_private_chats", "", ""): ["roll", "help"],
        ("all_private_chats", "", "zh"): ["roll", "help"],
        ("chat", "-1001", ""): ["help"],
    }
    assert telegram.methods.commands["all_private_chats", "", "zh"][0]["description"] == "掷骰子"
    await on_telegram.publish("-1001", [])
    assert ("chat", "-1001", "") not in telegram.methods.commands


@pytest.mark.parametrize("hears", [True, False])
async def test_who_adds_the_bot_is_told_what_it_cannot_hear(telegram: Telegram, on_telegram: TelegramConnector, hears: bool) -> None:
    telegram.bot["can_read_all_group_messages"] = hears
    lounge = group(telegram)
    lounge.bot = "left"
    ear = Ear()
    async with hearing(on_telegram, ear):
        telegram.chats.promote(lounge, "member")
        await wait_until(lambda: len(ear.joined) == 2)
    trigger = ear.joined[1].trigger
    assert isinstance(trigger, Joined)
    assert ("/setprivacy" in trigger.note) is not hears
    assert trigger.new


@pytest.mark.parametrize(("rank", "hears", "withheld"), [("member", False, 2), ("member", True, 1), ("administrator", False, 0)])
async def test_what_telegram_withholds_is_said_with_the_click_that_changes_it(
    telegram: Telegram, on_telegram: TelegramConnector, rank: str, hears: bool, withheld: int
) -> None:
    lounge = group(telegram)
    lounge.bot, telegram.bot["can_read_all_group_messages"] = rank, hears
    found = [await on_telegram.objection(place(lounge), need) for need in ("reactions", "every_message")]
    assert ["Add Admin" in (one or "") for one in found] == [number < withheld for number in range(2)]
    assert await on_telegram.objection(place(telegram.chats.direct(ANN)), "reactions") is None
