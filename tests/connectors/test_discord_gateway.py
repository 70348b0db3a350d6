"""Discord's connector by itself: what comes in, what is said when it cannot, and what survives a bad connection."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import discord as library
import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot import Post, Upload, doctor
from bot.config import load
from bot.connector import Need
from bot.connectors.discord.access import NO_CONTENT, PERMISSIONS, REJECTED, Access
from bot.connectors.discord.calls import spaced
from bot.connectors.discord.connector import TOKEN_LIFE, DiscordConnector
from bot.connectors.discord.interactions import Via
from bot.errors import ConnectorError, StoreError
from bot.membership import Joined, Left, Present
from bot.messages import Address, Attachment, Audio, Called, Deleted, Image, Message, Person, Quote, Reacted, Said, Text
from bot.spacing import Spacing
from bot.testing import wait_until
from tests.house import HOBNOB
from tests.wire.discord_payloads import Json
from tests.wire.discord_server import TOKEN, Discord, Fault, serving

NEEDS: tuple[Need, ...] = ("every_message", "reactions")


@pytest.fixture
async def discord(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Discord]:
    for owner, name in ((Route, "BASE"), (DiscordWebSocket, "DEFAULT_GATEWAY"), (library.Asset, "BASE")):
        monkeypatch.setattr(owner, name, getattr(owner, name))  # discord.py has one Discord for a process; this puts it back
    async with serving(Discord()) as server:
        guild = server.world.guild("Lounge")
        server.world.commands[guild["id"]] = [{"id": server.world.id(), "name": "say", "type": 1}]
        yield server


@dataclass
class Ear:
    """Takes what the connector delivers; `away` refuses that many first."""

    heard: list[Message] = field(default_factory=list)
    away: int = 0
    slow: float = 0.0
    joined: bool = False

    async def deliver(self, message: Message) -> None:
        if isinstance(message.trigger, Joined | Present) and not self.joined:
            return
        await asyncio.sleep(self.slow)
        if self.away:
            self.away -= 1
            raise StoreError("away")
        if not self._found_again(message):
            self.heard.append(message)

    def _found_again(self, message: Message) -> bool:
        """What was said just when the bot connected it may receive and find; the store knows it by its event."""
        same = [one for one in self.heard if one.event == message.event]
        return any(isinstance(one.trigger, Said) and one.trigger.found for one in [*same, message]) and bool(same)


def access(discord: Discord, token: str = TOKEN) -> Access:
    return Access(token, f"{discord.url}/api/v10", discord.gateway.url.rstrip("/"), discord.url)


@asynccontextmanager
async def connected(
    discord: Discord, ear: Ear, mine: Access | None = None, aside: Spacing | None = None
) -> AsyncIterator[DiscordConnector]:
    connector = DiscordConnector(mine or access(discord), aside)
    task = asyncio.create_task(connector.run(ear.deliver))
    await wait_until(lambda: discord.gateway.ready or task.done())
    try:
        yield connector
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await connector.close()


def general(discord: Discord) -> Json:
    [guild] = discord.world.guilds.values()
    channel: Json = guild["channels"][0]
    return channel


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


async def test_a_command_that_cannot_be_taken_in_time_says_so(discord: Discord) -> None:
    ear, ada = Ear(slow=9.0), discord.world.user("Ada")
    async with connected(discord, ear):
        asked = await discord.call(general(discord), ada, "say", words="hello")
        await wait_until(lambda: asked.acknowledged, 5.0)
        assert asked.original is not None
        assert asked.original["content"].startswith("I cannot take this right now.")


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


async def test_a_file_is_read_when_its_address_has_expired(discord: Discord) -> None:
    ear, ada = Ear(), discord.world.user("Ada")
    async with connected(discord, ear) as connector:
        await discord.send_file(general(discord), ada, "note.txt", b"words", "text/plain")
        await wait_until(lambda: ear.heard)
        source = ear.heard[0].parts[0].source  # type: ignore[union-attr]
        old = Attachment(source.id.replace("/attachments/", "/expired/"), source.mime, source.size)
        assert b"".join([piece async for piece in connector.read(old)]) == b"words"


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


def written(folder: Path, discord: Discord, token: str = TOKEN) -> Path:
    """A configuration that leads there."""
    path = folder / "bot.toml"
    path.write_text(f'data_dir = "{folder}"\n[connectors.discord]\ntoken = "{token}"\napi_url = "{discord.url}/api/v10"\n')
    return path


async def test_the_doctor_looks_at_token_intent_and_permissions(discord: Discord, tmp_path: Path) -> None:
    async def findings(token: str = TOKEN) -> list[tuple[str, str]]:
        config = load(written(tmp_path, discord, token))
        return [(one.state, one.found) for one in await asyncio.to_thread(lambda: list(doctor.discord(config)))]

    assert await findings() == [("ok", "Hobnob, in 1 servers")]
    discord.world.application["flags"], discord.rest.granted = 0, (1 << 53) - 1 & ~(1 << 15 | 1 << 3)
    assert (await findings())[1:] == [
        ("note", "the message content intent is off"),
        ("wrong", "in Lounge the bot's role lacks Attach Files"),
    ]
    assert await findings("wrong") == [("wrong", "the bot cannot connect")]


async def test_the_invitation_asks_for_what_is_needed(discord: Discord, tmp_path: Path) -> None:
    command = [*HOBNOB, "discord", "invite", "--config", str(written(tmp_path, discord))]
    link = (await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60, check=True)).stdout.strip()
    assert link.startswith(f"{discord.url}/oauth2/authorize?client_id={discord.world.bot['id']}&scope=bot+applications.commands&")
    assert link.endswith(f"permissions={sum(PERMISSIONS.values())}")


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
