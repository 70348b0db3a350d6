"""Discord, through the whole product, against a Discord on loopback."""

from __future__ import annotations

import io
import os
import signal
import wave
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import av
import pytest
import pytest_asyncio
from PIL import Image

from bot.testing import wait_until
from bot.testing.contract import PATIENCE, Contract
from tests.house import House
from tests.wire.discord_payloads import EPHEMERAL, Json
from tests.wire.discord_rules import FILE
from tests.wire.discord_server import TOKEN, Discord, Fault, serving
from tests.wire.discord_spec import faults, spec

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONFIG = """
[admission]
servers = "open"
direct = "open"
[talking]
words = ["computer"]
[connectors.discord]
token = "{token}"
api_url = "{url}/api/v10"
gateway_url = "{gateway}"
cdn_url = "{url}"
"""


@dataclass
class Channel:
    """A channel, and Ada in it; implements `contract.Chat`."""

    discord: Discord
    channel: Json
    ada: Json
    asked: list[Json] = field(default_factory=list)
    thread: Json | None = None

    async def ask(self, text: str, *, file: bytes | None = None, topic: bool = False, addressed: bool = True) -> None:
        where = self._topic() if topic else self.channel
        said = f"<@{self.discord.world.bot['id']}> {text}" if addressed else text
        if file is not None:
            await self.discord.send_file(where, self.ada, "file.txt", file, "text/plain", said)
        else:
            self.asked.append(await self.discord.say(where, self.ada, said))

    def _topic(self) -> Json:
        if self.thread is None:
            self.thread = self.discord.world.thread(self.channel, "A thread")
        return self.thread

    async def call(self, command: str, words: str) -> None:
        await self.discord.call(self.channel, self.ada, command, words=words)

    def texts(self, *, topic: bool = False) -> list[str]:
        return self.discord.texts(self._topic() if topic else self.channel)

    def files(self) -> list[bytes]:
        attached = [one for message in self.discord.said(self.channel) for one in message["attachments"]]
        return [self.discord.world.files[one["url"].removeprefix(self.discord.url).partition("?")[0]] for one in attached]

    def edits(self) -> int:
        id = self.channel["id"]
        return sum(one.method == "PATCH" and f"/channels/{id}/" in one.path for one in self.discord.record)

    def labels(self) -> list[str]:
        newest = self.discord.said(self.channel)[-1:]
        return [part["label"] for message in newest for row in message["components"] for part in row["components"]]

    async def press(self, label: str) -> None:
        await self.discord.press(self.discord.said(self.channel)[-1], self.ada, label)

    async def pick(self, label: str) -> None:
        opened = await self.discord.press(self.discord.said(self.channel)[-1], self.ada, label)
        await wait_until(lambda: opened.modal is not None, PATIENCE)
        await self.discord.fill(opened, self.ada, channel=self.channel["id"])

    async def connected(self) -> None:
        await wait_until(lambda: self.discord.gateway.ready, PATIENCE)

    async def delete_question(self) -> None:
        await self.discord.delete(self.asked[-1])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def discord() -> AsyncIterator[Discord]:
    async with serving(Discord()) as server:
        server.world.guild("Lounge")
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(discord: Discord, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """The product, connected."""
    made = House(tmp_path_factory.mktemp("discord"), CONFIG.format(token=TOKEN, url=discord.url, gateway=discord.gateway.url.rstrip("/")))
    with made.begin("run") as process:  # not `running`, which would keep this loop from answering the bot
        try:
            await wait_until(lambda: discord.gateway.ready, 2 * PATIENCE)  # everything has to start first
        except AssertionError:
            raise AssertionError(made.log) from None
        yield made
        process.terminate()
        await wait_until(lambda: process.poll() is not None, PATIENCE)


@pytest_asyncio.fixture(loop_scope="module")
async def chat(discord: Discord, house: House) -> Channel:
    """A channel of its own for each test."""
    guild, *_ = discord.world.guilds.values()
    await wait_until(lambda: guild["id"] in discord.world.commands, PATIENCE)
    channel = discord.world.channel(guild, "room")
    await discord.gateway.dispatch("CHANNEL_CREATE", channel, guild["id"])
    return Channel(discord, channel, discord.world.user("Ada"))


class TestDiscord(Contract):
    """What every connector keeps."""


async def test_a_reply_to_the_bot_speaks_to_it(chat: Channel) -> None:
    await chat.ask("first")
    await wait_until(lambda: chat.texts() == ["@Hobnob first"], PATIENCE)
    await chat.discord.say(chat.channel, chat.ada, "and then", reply_to=chat.discord.said(chat.channel)[0])
    await wait_until(lambda: chat.texts()[1:] == ["and then"], PATIENCE)
    assert chat.discord.said(chat.channel)[0]["message_reference"]["message_id"] == chat.asked[0]["id"]


async def test_a_direct_message_needs_no_mention(chat: Channel) -> None:
    alone = chat.discord.world.direct(chat.ada)
    await chat.discord.say(alone, chat.ada, "just us")
    await wait_until(lambda: chat.discord.texts(alone) == ["just us"], PATIENCE)


async def test_other_bots_and_webhooks_are_not_answered(chat: Channel) -> None:
    other = chat.discord.world.user("Other", bot=True)
    mention = f"<@{chat.discord.world.bot['id']}>"
    await chat.discord.say(chat.channel, other, f"{mention} hello")
    await chat.discord.say(chat.channel, chat.ada, f"{mention} from a webhook", webhook_id=chat.discord.world.id())
    await chat.ask("a human")
    await wait_until(lambda: chat.texts() == ["@Hobnob a human"], PATIENCE)


async def test_an_edited_question_is_answered_again_and_a_preview_of_a_link_changes_nothing(chat: Channel) -> None:
    await chat.ask("how ar you")
    await wait_until(lambda: chat.texts() == ["@Hobnob how ar you"], PATIENCE)
    mention = f"<@{chat.discord.world.bot['id']}>"
    await chat.discord.edit(chat.asked[0], f"{mention} how are you")
    await wait_until(lambda: chat.texts()[1:] == ["@Hobnob how are you"], PATIENCE)
    await chat.discord.rest.tell("MESSAGE_UPDATE", chat.channel, chat.asked[0])
    await chat.ask("the next")
    await wait_until(lambda: chat.texts()[2:] == ["@Hobnob the next"], PATIENCE)


async def test_who_deletes_a_question_takes_it_back(chat: Channel, house: House) -> None:
    with house.holding() as held:
        await chat.ask("one two three")
        await wait_until(held.exists, PATIENCE)
        await wait_until(lambda: chat.discord.said(chat.channel) and chat.labels() == ["Cancel"], PATIENCE)
        await chat.delete_question()
        await wait_until(lambda: chat.texts() == [], PATIENCE)


async def test_an_answer_whose_status_line_somebody_deleted_is_sent_anew(chat: Channel, house: House) -> None:
    with house.holding():
        await chat.ask("one two three")
        [line] = await wait_until(lambda: chat.discord.said(chat.channel), PATIENCE)
        await chat.discord.delete(line)
    await wait_until(lambda: chat.texts() == ["@Hobnob one two three"], PATIENCE)


async def test_a_reaction_reaches_its_route(chat: Channel) -> None:
    said = await chat.discord.say(chat.channel, chat.ada, "a nice thing")
    await chat.discord.react(said, chat.ada, "❤️")
    await wait_until(lambda: chat.texts() == ["Ada likes a nice thing"], PATIENCE)


async def test_before_there_is_anything_to_show_the_bot_types(chat: Channel, house: House) -> None:
    with house.holding() as held:
        await chat.ask("one two three")
        await wait_until(held.exists, PATIENCE)
        await chat.ask("what waits")
        typing = f"/channels/{chat.channel['id']}/typing"
        await wait_until(lambda: any(one.path == typing for one in chat.discord.record), PATIENCE)
    await wait_until(lambda: sorted(chat.texts()) == ["@Hobnob one two three", "@Hobnob what waits"], PATIENCE)


async def test_a_menu_and_a_form_change_the_message_that_they_are_below(chat: Channel) -> None:
    await chat.ask("panel")
    [panel] = await wait_until(lambda: chat.discord.said(chat.channel), PATIENCE)
    await wait_until(lambda: chat.texts() == ["Which cake?"], PATIENCE)
    await chat.discord.choose(panel, chat.ada, "Apple")
    await wait_until(lambda: chat.texts() == ["Ada wants apple cake"], PATIENCE)
    await chat.ask("panel")
    await wait_until(lambda: chat.texts()[1:] == ["Which cake?"], PATIENCE)
    opened = await chat.discord.press(chat.discord.said(chat.channel)[1], chat.ada, "Another")
    await wait_until(lambda: opened.modal, PATIENCE)
    await chat.discord.fill(opened, chat.ada, words="no cake")
    await wait_until(lambda: chat.texts()[1:] == ["Ada wants no cake"], PATIENCE)


async def test_who_types_a_command_is_helped_at_once(chat: Channel) -> None:
    typing = await chat.discord.type(chat.channel, chat.ada, "say", "words", "hello")
    await wait_until(lambda: typing.acknowledged, PATIENCE)
    assert [choice["value"] for choice in typing.choices] == ["hello there", "hello everybody"]


async def test_a_private_answer_is_seen_by_who_asked_alone(chat: Channel) -> None:
    asked = await chat.discord.call(chat.channel, chat.ada, "say", words="psst", secretly=True)
    [said] = await wait_until(lambda: chat.discord.said(chat.channel), PATIENCE)
    assert (said["content"], said["flags"]) == ("psst", EPHEMERAL)
    assert asked.original is not None
    assert asked.original["id"] not in chat.discord.world.messages[chat.channel["id"]], "nobody is thinking any more"


async def test_a_command_of_a_messages_menu_is_about_that_message(chat: Channel) -> None:
    said = await chat.discord.say(chat.channel, chat.ada, "to be or not to be")
    await chat.discord.use(chat.channel, chat.ada, "Quote", said)
    await wait_until(lambda: chat.texts() == ["Ada: to be or not to be"], PATIENCE)


async def test_a_command_of_a_router_that_was_killed_is_answered_in_its_own_place(chat: Channel, house: House) -> None:
    with house.holding() as held:
        asked = await chat.discord.call(chat.channel, chat.ada, "say", words="slowly")
        await wait_until(held.exists, PATIENCE)
        await wait_until(lambda: chat.texts() == ["one two"], PATIENCE)
        os.kill(house.family["router"].pid, signal.SIGKILL)
    await wait_until(lambda: chat.texts() == ["one two three four"], PATIENCE)
    assert asked.original is not None
    assert chat.discord.said(chat.channel)[0]["id"] == asked.original["id"]


async def test_what_is_said_while_the_connection_is_cut_is_answered_once(chat: Channel) -> None:
    gateway = chat.discord.gateway
    await chat.connected()
    await chat.ask("before")  # a session that has not begun cannot be resumed
    await wait_until(lambda: chat.texts() == ["@Hobnob before"], PATIENCE)
    before = gateway.identified, gateway.resumed
    await gateway.drop()
    await wait_until(lambda: not gateway.ready, PATIENCE)
    await chat.ask("into the void")
    await wait_until(lambda: chat.texts()[1:] == ["@Hobnob into the void"], PATIENCE)
    assert (gateway.identified, gateway.resumed) == (before[0], before[1] + 1)


async def test_what_is_said_while_no_router_runs_is_answered_once_by_the_next(chat: Channel, house: House) -> None:
    await chat.ask("before")
    await wait_until(lambda: chat.texts() == ["@Hobnob before"], PATIENCE)
    os.kill(house.family["router"].pid, signal.SIGKILL)
    await wait_until(lambda: not chat.discord.gateway.ready, PATIENCE)
    await chat.ask("meanwhile")
    await wait_until(lambda: chat.texts()[1:] == ["@Hobnob meanwhile"], PATIENCE)
    await chat.connected()
    await chat.ask("after")
    await wait_until(lambda: chat.texts()[2:] == ["@Hobnob after"], PATIENCE)


async def test_a_guild_that_lets_the_bot_in_is_greeted(chat: Channel) -> None:
    guild = await chat.discord.let_in("Den")
    [hello] = await wait_until(lambda: chat.discord.texts(guild["channels"][0]), PATIENCE)
    assert hello == "Hello. Mention me, reply to me or write to me alone, and I answer. I also know /cancel, /quote, /say. " + (
        "Admins of this server decide what I do here."
    )


async def test_a_channel_where_the_bot_may_not_speak_is_named_in_the_log(chat: Channel, house: House) -> None:
    chat.discord.rest.muted.add(chat.channel["id"])
    await chat.ask("anybody")
    await wait_until(lambda: f"channel <#{chat.channel['id']}> of server" in house.log and "Send Messages" in house.log, PATIENCE)


async def test_where_admins_read_it_is_said_what_the_bot_may_not_do(chat: Channel) -> None:
    guild = await chat.discord.let_in("Cellar")
    await wait_until(lambda: chat.discord.texts(guild["channels"][0]), PATIENCE)
    closed = chat.discord.world.channel(guild, "closed")
    await chat.discord.gateway.dispatch("CHANNEL_CREATE", closed, guild["id"])
    chat.discord.rest.muted.add(closed["id"])
    for words in ("anybody", "nobody"):
        await chat.discord.say(closed, chat.ada, f"<@{chat.discord.world.bot['id']}> {words}")
    told = await wait_until(lambda: chat.discord.texts(guild["channels"][0])[1:], PATIENCE)
    assert len(told) == 1, "once a day"
    assert told[0].startswith(f"I may not do in channel <#{closed['id']}> of server {guild['id']} what I was asked for. An admin allows it")


async def test_words_arrive_where_files_are_forbidden(chat: Channel) -> None:
    chat.discord.rest.fileless.add(chat.channel["id"])
    await chat.ask("draw")
    await wait_until(lambda: chat.texts() and chat.texts()[0].startswith("Here it is.\n\n(I may not send files here."), PATIENCE)


async def test_what_is_too_large_for_a_guild_is_made_to_fit(chat: Channel) -> None:
    """Somebody who pays may send more than the bot."""
    picture, sound = io.BytesIO(), io.BytesIO()
    Image.radial_gradient("L").resize((4000, 2800)).save(picture, "PNG", compress_level=0)
    with wave.open(sound, "wb") as writer:
        writer.setparams((1, 2, 96_000, 0, "NONE", ""))
        writer.writeframes(bytes(2 * 96_000 * 60))
    for name, mime, content in (("sky.png", "image/png", picture.getvalue()), ("hum.wav", "audio/wav", sound.getvalue())):
        assert len(content) > FILE
        mention = f"<@{chat.discord.world.bot['id']}>"
        await chat.discord.send_file(chat.channel, chat.ada, name, content, mime, f"{mention} back")
    await wait_until(lambda: len(chat.files()) == 2, PATIENCE)
    names = [one["attachments"][0]["filename"] for one in chat.discord.said(chat.channel)]
    found = dict(zip(names, chat.files(), strict=True))
    with Image.open(io.BytesIO(found["sky.jpg"])) as shown:
        assert (shown.format, shown.size) == ("JPEG", (4000, 2800))
    with av.open(io.BytesIO(found["hum.ogg"]), "r") as made:
        assert (made.format.name, made.streams.audio[0].codec_context.name) == ("ogg", "opus")
        assert round((made.duration or 0) / 1e6) == 60


async def test_a_server_error_or_a_limit_delays_an_answer_and_loses_nothing(chat: Channel) -> None:
    path = f"/channels/{chat.channel['id']}/messages"
    wait = {"message": "You are being rate limited.", "retry_after": 0.2, "global": False}
    chat.discord.faults += [Fault("POST", path, 502, times=1), Fault("POST", path, 429, wait, {"Via": "1.1 wire"})]
    await chat.ask("through all of it")
    await wait_until(lambda: chat.texts() == ["@Hobnob through all of it"], PATIENCE)


async def test_commands_are_registered_as_the_plugins_declare_them(chat: Channel) -> None:
    alone, there = (chat.discord.world.commands[guild] for guild in ("", chat.channel["guild_id"]))
    assert {one["name"] for one in alone} == {one["name"] for one in there} == {"say", "quote", "Quote", "cancel"}
    assert all(one["contexts"] == [1] for one in alone)
    say = next(one for one in there if one["name"] == "say")
    assert say["description_localizations"]["de"] == "Etwas sagen."
    assert [(one["name"], one["type"], one["required"]) for one in say["options"]] == [
        ("words", 3, True),
        ("times", 4, False),
        ("tone", 3, False),
        ("secretly", 5, False),
    ]
    words, times, tone, _ = say["options"]
    assert (words["min_length"], words["max_length"], words["autocomplete"]) == (2, 100, True)
    assert (times["min_value"], times["max_value"]) == (1, 3)
    assert [choice["value"] for choice in tone["choices"]] == ["soft", "loud"]
    told = [one for one in chat.discord.record if one.method == "PUT" and chat.channel["guild_id"] in one.path]
    assert len(told) == 1, "once, however often a router starts"


async def test_all_of_this_is_as_the_published_description_says(discord: Discord, house: House) -> None:
    """The last test of the file: it looks back on what the others did."""
    if not spec():
        pytest.skip("the published description of Discord's API is not at hand: ../shared/specs/discord-openapi.json")
    assert discord.record
    found = sorted(set(faults(discord)))
    assert found == [], "\n".join(found)
