"""Discord's connector by itself: what comes in, what is said when it cannot, and what survives a bad connection."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from bot.connector import Need
from bot.connectors.discord import missing
from bot.connectors.discord.access import NO_CONTENT, REJECTED, Access
from bot.connectors.discord.connector import DiscordConnector
from bot.errors import ConnectorError
from bot.membership import Joined, Left
from bot.messages import Address, Attachment, Audio, Called, Deleted, Image, Message, Person, Quote, Reacted, Said, Text
from bot.testing import wait_until
from tests.connectors.on_discord import Ear, access, connected, general
from tests.wire.discord_server import TOKEN, Discord, Fault

NEEDS: tuple[Need, ...] = ("every_message", "reactions")


async def test_a_wrong_token_is_said_in_words_that_help(discord: Discord) -> None:
    with pytest.raises(ConnectorError) as caught:
        await DiscordConnector(access(discord, "wrong")).run(Ear().deliver)
    assert (str(caught.value), caught.value.retry_after) == (REJECTED, None)


async def test_nobody_listening_at_the_address_is_tried_again(discord: Discord) -> None:
    with pytest.raises(ConnectorError, match="cannot be reached at http://127") as caught:
        await DiscordConnector(Access(TOKEN, "http://127.0.0.1:9/api")).run(Ear().deliver)
    assert caught.value.retry_after is not None


async def test_without_the_content_intent_mentions_and_replies_are_read(discord: Discord, capsys: pytest.CaptureFixture[str]) -> None:
    discord.gateway.granted = 0
    discord.world.application["flags"] = 0
    ear, ada = Ear(), discord.world.user("Ada")
    async with connected(discord, ear) as connector:
        await discord.say(general(discord), ada, "among ourselves")
        asked = await discord.say(general(discord), ada, f"<@{discord.world.bot['id']}> hello")
        await wait_until(lambda: len(ear.heard) == 2)
        assert [message.text for message in ear.heard] == ["", "@Hobnob hello"]
        assert ear.heard[1].id == asked["id"]
        here = ear.heard[1].address
        assert connector.limits(here).file == 10 << 20
        told = {need: await connector.objection(here, need) for need in NEEDS}
        assert "Message Content Intent" in (told["every_message"] or "")
        assert told["reactions"] is None
        assert await connector.objection(replace(here, direct=True), "every_message") is None
    assert NO_CONTENT in capsys.readouterr().out


@pytest.mark.parametrize(
    ("denied", "told"), [(0, [None, None]), (1 << 10, ["View Channel."] * 2), (1 << 16, [None, "Read Message History."])]
)
async def test_what_a_channel_keeps_from_the_bot_is_said_with_the_click_that_changes_it(
    discord: Discord, denied: int, told: list[str | None]
) -> None:
    channel = general(discord)
    channel["permission_overwrites"] = [{"id": channel["guild_id"], "type": 0, "allow": "0", "deny": str(denied)}]
    async with connected(discord, Ear()) as connector:
        here = Address("discord", channel["guild_id"], channel["id"])
        found = [await connector.objection(here, need) for need in NEEDS]
        assert [one and one.partition("for my role: ")[2] for one in found] == told


async def test_an_intent_that_was_taken_away_meanwhile_ends_in_a_sentence(discord: Discord) -> None:
    discord.gateway.granted = 0
    connector = DiscordConnector(access(discord))
    with pytest.raises(ConnectorError, match="Message Content Intent"):
        await connector.run(Ear().deliver)
    await connector.close()


async def test_messages_wait_in_their_order_for_a_store_that_is_away(discord: Discord) -> None:
    ear, ada = Ear(away=1), discord.world.user("Ada")
    async with connected(discord, ear):
        for word in ("one", "two", "three"):
            await discord.say(general(discord), ada, word)
        await wait_until(lambda: len(ear.heard) == 3)
    assert [message.text for message in ear.heard] == ["one", "two", "three"]


@pytest.mark.parametrize(("locale", "said"), [("en-US", "I cannot take this right now."), ("zh-CN", "我现在无法处理。")])
async def test_a_command_that_cannot_be_taken_in_time_says_so_in_the_readers_language(discord: Discord, locale: str, said: str) -> None:
    ear, ada = Ear(slow=9.0), discord.world.user("Ada")
    async with connected(discord, ear):
        asked = await discord.call(general(discord), ada, "say", locale=locale, words="hello")
        await wait_until(lambda: asked.acknowledged, 5.0)
        assert asked.original is not None
        assert asked.original["content"].startswith(said)


async def test_a_command_that_is_taken_while_the_gateway_is_left_is_kept_and_no_fault(discord: Discord) -> None:
    ear, arrived, left = Ear(), asyncio.Event(), asyncio.Event()

    async def deliver(message: Message) -> None:
        if isinstance(message.trigger, Called):
            arrived.set()
            await left.wait()
        await ear.deliver(message)

    connector = DiscordConnector(access(discord))
    run = asyncio.create_task(connector.run(deliver))
    await wait_until(lambda: discord.gateway.ready)
    await discord.call(general(discord), discord.world.user("Ada"), "say", words="hello")
    await arrived.wait()
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)
    with capture_logs() as logs:
        left.set()
        await wait_until(lambda: logs)
    await connector.close()
    assert [one["event"] for one in logs] == ["an interaction could not be acknowledged"]
    assert len(ear.heard) == 1


async def test_what_a_reaction_is_on_is_asked_for_once_somebody_wants_it(discord: Discord) -> None:
    ear, ada, ben = Ear(), discord.world.user("Ada"), discord.world.user("Ben")
    async with connected(discord, ear) as connector:
        note = await discord.say(general(discord), ben, "a note")
        for emoji in ("👍", "🔥"):
            await discord.react(note, ada, emoji)
        await wait_until(lambda: len(ear.heard) == 3)
        [reaction, _] = [one for one in ear.heard if isinstance(one.trigger, Reacted)]
        assert reaction.reply_to == Quote(note["id"], Person(ben["id"], "Somebody"))
        assert not read(discord), "most reactions nobody listens to"
        placed = await connector.placed(reaction)
        assert placed == replace(reaction, reply_to=Quote(note["id"], Person(ben["id"], "Ben"), (Text("a note"),)))
        assert await connector.placed(placed) == placed
        assert len(read(discord)) == 1
        await discord.delete(note)
        with pytest.raises(ConnectorError):
            await connector.placed(reaction)


async def test_what_the_bot_may_not_read_it_does_not_ask_for_at_each_reaction(discord: Discord) -> None:
    ear, ada = Ear(), discord.world.user("Ada")
    channel = general(discord)
    channel["permission_overwrites"] = [{"id": channel["guild_id"], "type": 0, "allow": "0", "deny": str(1 << 16)}]
    async with connected(discord, ear) as connector:
        await discord.react(await discord.say(channel, ada, "a note"), ada, "👍")
        await wait_until(lambda: len(ear.heard) == 2)
        reaction = ear.heard[1]
        assert await connector.placed(reaction) == reaction
        assert not read(discord)


def read(discord: Discord) -> list[str]:
    """The single messages that were asked for."""
    return [one.path for one in discord.record if one.method == "GET" and "/messages/" in one.path]


async def test_a_message_carries_every_fact(discord: Discord) -> None:
    ear, ada, ben = Ear(), discord.world.user("Ada"), discord.world.user("Ben")
    channel = general(discord)
    channel["nsfw"] = True
    async with connected(discord, ear) as connector:
        first = await discord.say(channel, ben, "what Ben said")
        await discord.say(channel, ada, f"<@{ben['id']}> look", reply_to=first)
        await discord.send_file(channel, ada, "voice-message.ogg", b"sound", "audio/ogg", voice=True)
        await discord.send_file(channel, ada, "SPOILER_cat.png", b"cat", "image/png", "a cat")
        await discord.call(channel, ada, "say", words="hi", times=2)
        await discord.delete(first)
        await wait_until(lambda: len(ear.heard) == 6)
        _, look, voice, cat, called, gone = ear.heard
        assert (look.text, [one.name for one in look.mentions], look.sender.name) == ("@Ben look", ["Ben"], "Ada")
        assert look.reply_to is not None
        assert (look.reply_to.id, look.reply_to.sender.name, look.reply_to.parts[0]) == (first["id"], "Ben", ear.heard[0].parts[0])
        assert look.address.server == channel["guild_id"]
        assert look.manages is False
        assert look.age_restricted
        assert called.age_restricted
        [sound] = voice.parts
        assert isinstance(sound, Audio)
        assert (sound.voice, sound.seconds, sound.source.mime) == (True, 1.5, "audio/ogg")
        assert isinstance(cat.parts[1], Image)
        assert cat.parts[1].spoiler
        assert called.trigger == Called("say", {"words": "hi", "times": 2})
        assert called.manages
        assert (gone.id, gone.trigger, gone.address) == (first["id"], Deleted(first["id"]), look.address)
        assert isinstance(sound.source, Attachment)
        assert b"".join([piece async for piece in connector.read(sound.source)]) == b"sound"


async def test_a_guild_that_gave_no_scope_for_commands_is_named(discord: Discord) -> None:
    refusal = {"code": 50001, "message": "Missing Access"}
    discord.faults.append(Fault("PUT", "/guilds/", 403, refusal))
    async with connected(discord, Ear()) as connector:
        with pytest.raises(ConnectorError, match=r"without the scope applications\.commands"):
            await connector.publish(general(discord)["guild_id"], [])


@pytest.mark.parametrize("refused", [False, True], ids=["resumed", "session lost"])
async def test_the_connection_comes_back_after_discord_asks_for_it(discord: Discord, refused: bool) -> None:
    ear, ada = Ear(), discord.world.user("Ada")
    async with connected(discord, ear):
        discord.gateway.refuse_resume = refused
        await discord.gateway.ask_to_reconnect()
        await wait_until(lambda: discord.gateway.resumed + discord.gateway.identified == 2, 20.0)
        await discord.say(general(discord), ada, "still there")
        await wait_until(lambda: ear.heard)
    assert [message.text for message in ear.heard] == ["still there"]


async def test_what_was_said_to_it_while_nobody_was_connected_is_found_in_the_channels(discord: Discord) -> None:
    ada, bot = discord.world.user("Ada"), discord.world.bot
    [guild] = discord.world.guilds.values()
    topic = discord.world.thread(general(discord), "A thread")
    guild["threads"].append(topic)
    long_ago = discord.world.message(general(discord), ada, f"<@{bot['id']}> long ago")
    general(discord)["last_message_id"] = None
    discord.world.messages[general(discord)["id"]] = {str(int(long_ago["id"]) - (3601 * 1000 << 22)): long_ago}
    mine = discord.world.message(general(discord), bot, "mine")
    await discord.say(general(discord), ada, f"<@{bot['id']}> a mention")
    await discord.say(general(discord), ada, "to everybody")
    await discord.say(general(discord), ada, "a reply", reply_to=mine)
    edited = await discord.say(topic, ada, f"<@{bot['id']}> in a thread")
    await discord.edit(edited, f"<@{bot['id']}> and changed")
    ear = Ear()
    async with connected(discord, ear):
        await wait_until(lambda: len(ear.heard) == 3)
    assert [message.text for message in ear.heard] == ["@Hobnob a mention", "a reply", "@Hobnob and changed"]
    assert all(isinstance(message.trigger, Said) and message.trigger.found for message in ear.heard)
    assert not any(message.manages for message in ear.heard), "a history does not say who is a member, less so who is an admin"
    assert ear.heard[2].trigger.replaces == edited["id"]  # type: ignore[union-attr]
    nothing = Ear()
    async with connected(discord, nothing, replace(access(discord), catch_up=0.0)):
        await discord.say(general(discord), ada, "after that")
        await wait_until(lambda: [message.text for message in nothing.heard] == ["after that"])


async def test_a_connection_that_breaks_costs_nothing_of_what_was_missed(discord: Discord, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(missing, "PAUSES", (0.01, 0.01, 0.01))
    ada, bot = discord.world.user("Ada"), discord.world.bot
    [guild] = discord.world.guilds.values()
    topics = [discord.world.thread(general(discord), name) for name in ("A thread", "Another")]
    guild["threads"] += topics
    for channel in (general(discord), *topics):
        await discord.say(channel, ada, f"<@{bot['id']}> in {channel['name']}")
    for channel, times in ((general(discord), 2), (topics[0], 1_000)):
        discord.faults.append(Fault("GET", f"/channels/{channel['id']}/messages", 0, times=times))
    ear = Ear()
    async with connected(discord, ear):
        await wait_until(lambda: len(ear.heard) == 2)
    assert [message.text for message in ear.heard] == [f"@Hobnob in {general(discord)['name']}", "@Hobnob in Another"]


async def test_a_guild_that_lets_the_bot_in_and_out(discord: Discord) -> None:
    ear = Ear(joined=True)
    async with connected(discord, ear):
        guild = await discord.let_in("Den")
        await wait_until(lambda: ear.heard and ear.heard[-1].trigger == Joined(new=True))
        assert ear.heard[-1].address == Address("discord", guild["id"], guild["channels"][0]["id"])
        guild = await discord.let_in("Quiet")
        await wait_until(lambda: ear.heard[-1].address.server == guild["id"])
        await discord.shut_out(guild)
        await wait_until(lambda: ear.heard[-1].trigger == Left())
        assert ear.heard[-1].address.server == guild["id"]


async def test_routers_with_shards_of_their_own_share_the_guilds(discord: Discord) -> None:
    guilds = [*discord.world.guilds.values(), *(discord.world.guild(f"guild-{number}") for number in range(3))]
    ears, ada = [Ear(), Ear()], discord.world.user("Ada")
    mine = [replace(access(discord), shards=2, shard_ids=(number,)) for number in range(2)]
    assert [DiscordConnector(one).single for one in (access(discord), *mine)] == [True, False, False]
    async with connected(discord, ears[0], mine[0]), connected(discord, ears[1], mine[1]):
        await wait_until(lambda: discord.gateway.identified == 2)
        for guild in guilds:
            await discord.say(guild["channels"][0], ada, guild["id"])
        await wait_until(lambda: sum(len(ear.heard) for ear in ears) == len(guilds), 20.0)
    for number, ear in enumerate(ears):
        assert {message.text for message in ear.heard} == {one["id"] for one in guilds if (int(one["id"]) >> 22) % 2 == number}
