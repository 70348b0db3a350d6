"""Chat and transcribe in one router, on one message: who answers what. The models are scripted, everything else is real."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from bot import Address, Answer, Attachment, Audio, Called, Generate, Message, Person, Quote, Segment, Text, Transcript
from bot.catalogue import load
from bot.messages import Part
from bot.plugins import Loaded, Plugins
from bot.router import app
from bot.store.keys import Keys
from bot.store.servers import Choices, Server, Servers
from bot.tables import Talking
from bot.testing import wait_until
from bot.testing.platform import Platform
from plugins.chat import config as chat
from plugins.chat import front as chat_front
from plugins.chat import settings as chat_settings
from plugins.transcribe import config as transcribe
from plugins.transcribe import front as transcribe_front
from plugins.transcribe import settings as transcribe_settings
from plugins.transcribe.choosing import NOTICES
from plugins.transcribe.writing import NOBODY
from tests.hands import worker

ADA, HOBNOB = Person("ada", "Ada"), Person("9", "Hobnob", bot=True)
ROOM = Address("room", "lounge", "main")
NOTE = Audio(Attachment("note", "audio/ogg", 0), voice=True)
SAID = "How do bees fly?"
SHOWN = f"> {SAID}"
TOLD = NOTICES["always"]
MODEL = chat.Config().models[0]


class House:
    """A router with both plugins, and models that answer at once."""

    said = SAID

    def __init__(self, redis: Redis, keys: Keys) -> None:
        loaded = [
            Loaded("chat", chat_front.Plugin(chat.Config(), load()), settings=chat_settings.Settings, version="1"),
            Loaded("transcribe", transcribe_front.Plugin(transcribe.Config(), load()), settings=transcribe_settings.Settings, version="1"),
        ]
        self.plugins = Plugins(loaded)
        self.platform = Platform()
        self.platform.files["note"] = (Path(__file__).parents[1] / "data" / "audio" / "short.ogg").read_bytes()
        self.router = app.build(redis, keys, self.plugins, [self.platform])
        self.prompts: list[Generate] = []

    def answer(self, asked: dict[str, Any]) -> tuple[str, Answer | Transcript]:
        """What the models say."""
        if asked["kind"] == "transcribe":
            return "", Transcript(language="en", seconds=0.2, segments=(Segment(start=0, end=0.2, text=self.said),), model="w")
        self.prompts.append(Generate.model_validate(asked["job"]))
        return "", Answer(text="With their wings.", finish="stop", prompt_tokens=1, tokens=1, model="m")

    @property
    def questions(self) -> list[str]:
        """What the chat model was asked."""
        return [prompt.turns[-1].text for prompt in self.prompts]

    async def hear(self, *parts: Part, mentioned: bool = False, id: str = "1", **more: Any) -> list[str]:
        """What stands in the room when all is said."""
        mentions = (HOBNOB,) if mentioned else ()
        await self.router.deliver(Message(id, id, ROOM, ADA, parts, me="9", mentions=mentions, **more))
        await wait_until(lambda: not self.router.runner.held)
        return self.platform.shown(ROOM)


@asynccontextmanager
async def open_house(redis: Redis, keys: Keys) -> AsyncIterator[House]:
    house = House(redis, keys)
    wants = ["transcribe", "generate", f"generate:{MODEL}"]
    async with app.running(house.router, house.plugins), worker(redis, keys, wants, house.answer, 1):
        yield house


@pytest.mark.parametrize(
    ("parts", "mentioned", "shown", "questions"),
    [
        ((NOTE,), False, [TOLD, SHOWN], []),
        ((Text("listen to this"), NOTE), False, [TOLD, SHOWN], []),
        ((NOTE,), True, [SHOWN, "With their wings."], [SAID]),
        ((Text("@Hobnob is that right?"), NOTE), True, [SHOWN, "With their wings."], [f"is that right?\n{SAID}"]),
        ((Text("@Hobnob is that right?"),), True, ["With their wings."], ["is that right?"]),
    ],
    ids=["a note to all", "with words to all", "a note to the bot", "with words to the bot", "words alone"],
)
async def test_a_note_comes_back_as_text_and_what_it_asks_is_answered_once(
    redis: Redis, keys: Keys, parts: tuple[Part, ...], mentioned: bool, shown: list[str], questions: list[str]
) -> None:
    async with open_house(redis, keys) as house:
        assert sorted(await house.hear(*parts, mentioned=mentioned)) == sorted(shown)
        assert house.questions == questions


@pytest.mark.parametrize(
    ("choices", "shown"),
    [
        ({"transcribe": False}, ["With their wings.\n\n(I cannot listen to recordings here. I have answered the words alone.)"]),
        ({"chat": False}, [SHOWN]),
        ({"chat": False, "transcribe": False}, []),
    ],
    ids=["no transcribe", "no chat", "neither"],
)
async def test_where_a_plugin_is_off_the_other_does_what_it_can(
    redis: Redis, keys: Keys, choices: Mapping[str, bool], shown: list[str]
) -> None:
    async with open_house(redis, keys) as house:
        await Servers(redis, keys).put(ROOM.tenant, Server(choices=Choices(plugins=choices)))
        assert await house.hear(Text("@Hobnob is that right?"), NOTE, mentioned=True) == shown


@pytest.mark.parametrize("follows", [True, False])
async def test_a_note_that_nobody_asked_the_bot_about_can_be_asked_about_later_where_it_may_read_along(
    redis: Redis, keys: Keys, follows: bool
) -> None:
    async with open_house(redis, keys) as house:
        await Servers(redis, keys).put(ROOM.tenant, Server(choices=Choices(talking=Talking(follows=follows))))
        await house.hear(NOTE, mentioned=False)
        await house.hear(Text("@Hobnob what was that about?"), mentioned=True, id="2")
        [prompt] = house.prompts
        assert [turn.text for turn in prompt.turns if SAID in turn.text] == [SAID] * follows


async def test_a_voice_note_can_be_translated_and_asked_about_by_a_reply_to_it(redis: Redis, keys: Keys) -> None:
    note = Quote("n", Person("bob", "Bob"), (NOTE,))
    async with open_house(redis, keys) as house:
        await house.hear(id="2", reply_to=note, trigger=Called("translate", text="--language French"))
        await house.hear(Text("@Hobnob do they?"), mentioned=True, id="3", reply_to=note)
        assert house.questions == [SAID, f"> Bob: [voice note]\ndo they?\n[voice note]\n> {SAID}"]
        await Servers(redis, keys).put(ROOM.tenant, Server(choices=Choices(plugins={"transcribe": False})))
        assert "I cannot listen to recordings here." in await house.hear(id="4", reply_to=note, trigger=Called("translate"))


async def test_that_nobody_speaks_in_a_voice_note_is_said_and_not_translated(
    redis: Redis, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(House, "said", "")
    note = Quote("n", Person("bob", "Bob"), (NOTE,))
    async with open_house(redis, keys) as house:
        assert await house.hear(id="2", reply_to=note, trigger=Called("translate", text="--language French")) == [NOBODY]
        assert not house.questions
