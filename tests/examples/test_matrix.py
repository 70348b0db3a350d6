"""The example of a connector: Matrix keeps what every connector keeps, and a homeserver's own ways."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bot import Message, Text
from bot.config import Config, PluginTable
from bot.connector import Connector
from bot.plugins import load
from bot.testing import wait_until
from bot.testing.connected import Connected, connected
from bot.testing.contract import PATIENCE, Contract
from tests.wire.matrix_server import BOT, HOST, TOKEN, Homeserver, Json, serving

FOLDER = Path(__file__).parents[2] / "docs/examples/matrix"

ADA, BEN = f"@ada:{HOST}", f"@ben:{HOST}"


@pytest.fixture
async def homeserver() -> AsyncIterator[Homeserver]:
    async with serving() as server:
        yield server


def made(url: str, token: str) -> Connector:
    """The example's, as the loader makes it."""
    options = {"homeserver": url, "user": BOT, "token": token, "edit_interval": 0}
    plugins = load(Config(plugins={"matrix": PluginTable.model_validate({"path": FOLDER, **options})}), "front")
    ((_, connector),) = plugins.collect("register_connectors")
    found: Connector = connector
    return found


@pytest.fixture
def connect(homeserver: Homeserver) -> Callable[[], Connector]:
    return lambda: made(homeserver.url, TOKEN)


@pytest.fixture
async def house(redis_url: str, connect: Callable[[], Connector]) -> AsyncIterator[Connected]:
    async with connected(redis_url, connect) as opened:
        yield opened


@dataclass
class Lounge:
    """A room, and Ada in it; implements `contract.Chat`."""

    server: Homeserver
    room: str
    roots: list[str] = field(default_factory=list)

    async def say(self, body: str, by: str = ADA, **more: Any) -> str:
        mentions = {"m.mentions": {"user_ids": [BOT]}} if "@Hobnob" in body else {}
        return await self.server.happens(self.room, "m.room.message", by, {"msgtype": "m.text", "body": body, **mentions, **more})

    async def ask(self, text: str, *, file: bytes | None = None, topic: bool = False, addressed: bool = True) -> None:
        more: Json = {}
        if file is not None:
            self.server.media["sent"] = file
            facts = {"info": {"size": len(file), "mimetype": "text/plain"}, "filename": "file.txt"}
            more = {"msgtype": "m.file", "url": f"mxc://{HOST}/sent", **facts}
        if topic:
            self.roots = self.roots or [await self.say("cats", BEN)]
            more["m.relates_to"] = {"rel_type": "m.thread", "event_id": self.roots[0]}
        await self.say(f"@Hobnob {text}" if addressed else text, **more)

    async def call(self, command: str, words: str) -> None:
        await self.say(f"/{command} {words}")

    def said(self, topic: bool = False) -> list[Json]:
        return [one for one in self.server.said(self.room) if (one["m.relates_to"].get("rel_type") == "m.thread") == topic]

    def texts(self, *, topic: bool = False) -> list[str]:
        return [one["body"] for one in self.said(topic)]

    def files(self) -> list[bytes]:
        return [self.server.media[one["url"].rpartition("/")[2]] for one in self.said() if "url" in one]

    def edits(self) -> int:
        return sum(event["content"].get("m.relates_to", {}).get("rel_type") == "m.replace" for event in self.server.events)

    def labels(self) -> list[str]:
        newest = self.said()[-1:]
        return [one["content"]["m.relates_to"]["key"] for said in newest for one in self.server.related(said["event_id"], "m.annotation")]

    async def press(self, label: str) -> None:
        about = {"rel_type": "m.annotation", "event_id": self.said()[-1]["event_id"], "key": label}
        await self.server.happens(self.room, "m.reaction", ADA, {"m.relates_to": about})

    async def pick(self, label: str) -> None:
        await self.press(label)
        await wait_until(lambda: self.texts()[-1].startswith("Pick: reply to this message"))
        about: Json = {"m.relates_to": {"m.in_reply_to": {"event_id": self.said()[-1]["event_id"]}}}
        await self.say("> Pick\n\nhere", **about)

    async def connected(self) -> None:
        """What is said before is told at the next sync."""


@pytest.fixture
def chat(homeserver: Homeserver, house: Connected) -> Lounge:
    return Lounge(homeserver, homeserver.room("Ada", "Ben"))


class Ways(Contract):
    """What every connector keeps, and what Matrix has, on any homeserver."""

    async def test_a_reply_to_the_bot_is_spoken_to_it(self, chat: Lounge) -> None:
        await chat.ask("hello")
        await wait_until(lambda: chat.texts() == ["@Hobnob hello"], PATIENCE)
        about: Json = {"m.relates_to": {"m.in_reply_to": {"event_id": chat.said()[0]["event_id"]}}}
        await chat.say(f"> <{BOT}> @Hobnob hello\n\nand now", **about)
        await wait_until(lambda: chat.texts()[1:] == ["and now"], PATIENCE)

    async def test_an_edit_is_answered_in_place_of_what_was_said(self, chat: Lounge) -> None:
        id = await chat.say("@Hobnob hello")
        await wait_until(lambda: chat.texts() == ["@Hobnob hello"], PATIENCE)
        new = {"msgtype": "m.text", "body": "@Hobnob good bye", "m.mentions": {"user_ids": [BOT]}}
        change: Json = {"m.new_content": new, "m.relates_to": {"rel_type": "m.replace", "event_id": id}}
        await chat.say("* @Hobnob good bye", **change)
        await wait_until(lambda: chat.texts()[-1] == "@Hobnob good bye", PATIENCE)

    async def test_nobody_is_mentioned_and_html_stays_text(self, chat: Lounge) -> None:
        await chat.ask("**bold** <b>@room</b>")
        (said,) = await wait_until(lambda: [one for one in chat.said() if "</b>" in one["body"] and not chat.labels()], PATIENCE)
        assert said["m.mentions"] == {}
        assert said["formatted_body"] == "<p>@Hobnob <strong>bold</strong> &lt;b&gt;@room&lt;/b&gt;</p>"


class TestMatrix(Ways):
    """On one whose insides are at hand."""

    async def test_who_invites_the_bot_has_it_there_and_alone_everything_is_said_to_it(self, chat: Lounge) -> None:
        alone = Lounge(chat.server, chat.server.room("Ada", invited=True))
        await wait_until(lambda: BOT in chat.server.members[alone.room], 60.0)
        await alone.say("just us")
        await wait_until(lambda: "just us" in alone.texts())

    async def test_no_invitation_and_no_reaction_stops_it_for_the_others(self, chat: Lounge) -> None:
        chat.server.invites.append(f"!shut:{HOST}")
        about = {"rel_type": "m.annotation", "event_id": "$unseen", "key": "yes"}
        await chat.server.happens(chat.room, "m.reaction", ADA, {"m.relates_to": about})
        await chat.ask("hello")
        await wait_until(lambda: chat.texts() == ["@Hobnob hello"])


async def test_after_a_blip_it_goes_on_where_it_was(homeserver: Homeserver, connect: Callable[[], Connector]) -> None:
    connector: Any = connect()
    lounge, heard = Lounge(homeserver, homeserver.room("Ada", "Ben")), list[str]()

    async def deliver(message: Message) -> None:
        heard.extend(part.text for part in message.parts if isinstance(part, Text))

    async def hear(word: str) -> None:
        await lounge.say(word)
        before = homeserver.syncs
        running = asyncio.create_task(connector.run(deliver))
        await wait_until(lambda: word in heard and homeserver.syncs > before + 1)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    await hear("one")
    await hear("two")
    await connector.close()
    assert heard == ["one", "two"]
