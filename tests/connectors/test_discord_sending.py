"""Discord's connector by itself: by which of its ways a post goes out, and which calls wait for a turn."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import discord as library
from discord.http import Route

from bot import Post, Upload
from bot.connectors.discord.access import Access
from bot.connectors.discord.calls import spaced
from bot.connectors.discord.connector import TOKEN_LIFE, DiscordConnector
from bot.connectors.discord.interactions import Via
from bot.messages import Address, Attachment
from bot.spacing import Spacing
from bot.testing import wait_until
from tests.connectors.on_discord import Ear, access, connected, general
from tests.wire.discord_server import TOKEN, Discord, Fault


async def test_a_file_is_read_when_its_address_has_expired(discord: Discord) -> None:
    ear, ada = Ear(), discord.world.user("Ada")
    async with connected(discord, ear) as connector:
        await discord.send_file(general(discord), ada, "note.txt", b"words", "text/plain")
        await wait_until(lambda: ear.heard)
        source = ear.heard[0].parts[0].source  # type: ignore[union-attr]
        old = Attachment(source.id.replace("/attachments/", "/expired/"), source.mime, source.size)
        assert b"".join([piece async for piece in connector.read(old)]) == b"words"


class Counted(Spacing):
    """Turns that are counted."""

    taken = 0

    async def turn(self) -> None:
        self.taken += 1
        await super().turn()


async def test_whatever_is_no_post_takes_a_turn_of_its_own(discord: Discord) -> None:
    ada, [guild] = discord.world.user("Ada"), discord.world.guilds.values()
    rooms = [general(discord), *(discord.world.channel(guild, f"room-{number}") for number in range(3))]
    for room in rooms:
        await discord.say(room, ada, f"<@{discord.world.bot['id']}> in {room['name']}")
    ear, turns = Ear(), Counted(1000.0)
    async with connected(discord, ear, aside=turns) as connector:
        await wait_until(lambda: len(ear.heard) == len(rooms))
        for message in list(ear.heard):  # what is deleted is heard too
            await connector.sign(message.address)
            sent = await connector.send(message.address, Post("an answer", reply_to=message.id), message.id)
            await connector.open_thread(message, "a thread")
            await connector.edit(message.address, sent, Post("changed"))
            await connector.delete(message.address, sent)
    posts = [call for call in discord.record if call.method != "GET" and call.route.endswith(("/messages", "/messages/{message}"))]
    assert len(posts) == 3 * len(rooms)
    assert turns.taken == len(discord.record) - len(posts) >= 3 * len(rooms)
    assert discord.refused == []


async def test_a_message_begins_one_thread_however_often_it_is_asked_for(discord: Discord) -> None:
    ear, ada = Ear(), discord.world.user("Ada")
    async with connected(discord, ear) as connector:
        asked = await discord.say(general(discord), ada, "a question")
        await wait_until(lambda: ear.heard)
        for _ in range(2):
            assert await connector.open_thread(ear.heard[0], "a question") == asked["id"]
        there = replace(ear.heard[0].address, thread=asked["id"])
        await connector.send(there, Post("an answer", reply_to=asked["id"]), "nonce")
        assert discord.texts(discord.world.channels[asked["id"]]) == ["an answer"]


async def test_a_router_that_stands_by_can_answer(discord: Discord) -> None:
    connector = DiscordConnector(access(discord))
    channel = general(discord)
    await connector.send(Address("discord", channel["guild_id"], channel["id"]), Post("an answer"), "nonce")
    assert discord.texts(channel) == ["an answer"]
    await connector.close()


async def test_an_interaction_whose_token_has_run_out_is_answered_in_its_channel(discord: Discord) -> None:
    ear, ada = Ear(), discord.world.user("Ada")
    async with connected(discord, ear) as connector:
        asked = await discord.call(general(discord), ada, "say", words="hello")
        await wait_until(lambda: ear.heard and asked.acknowledged)
        via, place = Via.read(ear.heard[0].via), ear.heard[0].address
        assert via is not None
        old = replace(via, id=via.id - (int(TOKEN_LIFE * 1000) + 1000 << 22))
        late = Post("late", via=str(old), opening=True, reply_to=ear.heard[0].id)
        first = await connector.send(place, late, "nonce")
        assert await connector.send(place, late, "nonce") == first, "the same nonce is the same message"
        await connector.edit(place, first, replace(late, text="later"))
        await connector.delete(place, str(old))
        assert discord.texts(general(discord)) == ["later"]
        assert asked.original is not None
        assert first != asked.original["id"]


async def test_a_command_that_is_answered_by_silence_leaves_nothing_behind(discord: Discord) -> None:
    ear, ada = Ear(), discord.world.user("Ada")
    async with connected(discord, ear) as connector:
        asked = await discord.call(general(discord), ada, "say", words="hello")
        await wait_until(lambda: ear.heard and asked.acknowledged)
        await connector.delete(ear.heard[0].address, ear.heard[0].via)
        assert discord.world.messages[general(discord)["id"]] == {}


async def test_what_is_sent_is_as_the_person_sees_it(discord: Discord) -> None:
    channel = general(discord)
    async with connected(discord, Ear()) as connector:
        place = Address("discord", channel["guild_id"], channel["id"])
        picture = Upload("cat.png", "image/png", b"cat", alt="A cat", spoiler=True)
        await connector.send(place, Post("@everyone look", (picture,), silent=True), "nonce")
        [said] = discord.said(channel)
        [attached] = said["attachments"]
        assert (said["content"], said["mention_everyone"], said["flags"]) == ("@everyone look", False, 1 << 12)
        assert (attached["filename"], attached["description"]) == ("SPOILER_cat.png", "A cat")


async def test_a_call_that_is_cancelled_while_all_have_to_wait_ends_the_wait_of_the_others(discord: Discord) -> None:
    Access(TOKEN, f"{discord.url}/api/v10").point()
    async with library.Client(intents=library.Intents.none(), max_messages=None) as client:
        spaced(client, Spacing(1000.0))
        await client.login(TOKEN)
        long = {"message": "You are being rate limited.", "retry_after": 3600.0, "global": True}
        discord.faults.append(Fault("GET", "/users/@me", 429, long, {"Via": "1.1 wire"}))
        stopped = asyncio.create_task(client.http.request(Route("GET", "/users/@me")))
        await wait_until(lambda: not client.http._global_over.is_set())
        stopped.cancel()
        await asyncio.wait([stopped])
        found = await asyncio.wait_for(client.http.request(Route("GET", "/users/@me")), 60.0)
        assert found["id"] == discord.world.bot["id"]
