"""Nothing of one room is ever visible in another: not in what people see, and not in what the model is told."""

from __future__ import annotations

import asyncio
import random
import re
from contextlib import AsyncExitStack
from typing import Any

from redis.asyncio import Redis

from bot.catalogue import load
from bot.jobs import Answer, Generate
from bot.messages import Address, Called, Message, Person, Said, Text
from bot.plugins import Loaded, Plugins
from bot.router import app
from bot.router.app import running
from bot.store.keys import Keys
from bot.testing import wait_until
from bot.testing.platform import Platform
from plugins.chat.config import Config
from plugins.chat.front import Plugin
from plugins.chat.settings import Settings
from tests.hands import worker

MESSAGES = 400

MODEL = Config().models[0]

BOT = Person("bot", "Hobnob", bot=True)

SECRET = re.compile(r"secret-(\d+)-")

CHATS = [
    Address("room", server, channel, thread)
    for server in ("a", "b", "a/b")
    for channel in ("main", "main/x", "")
    for thread in ("", "t", "main")
] + [Address("room", person, room, direct=True) for person in ("ada", "ben") for room in ("a", "b")]
"""Rooms, threads and direct messages, some with names that try to be another's."""


def repeat(asked: dict[str, Any]) -> tuple[str, Answer]:
    """A model that repeats all that it was told."""
    turns = Generate.model_validate(asked["job"]).turns
    told = " ".join(turn.text for turn in turns if turn.role != "system")[-1500:]
    return told, Answer(text=told, finish="stop", prompt_tokens=1, tokens=5, model=MODEL)


async def test_hundreds_of_questions_in_any_order_never_meet_another_rooms_words(redis: Redis, keys: Keys) -> None:
    chance, platform = random.Random(11), Platform()
    loaded = [Loaded("chat", Plugin(Config(), load()), settings=Settings, version="1") for _ in range(2)]
    async with worker(redis, keys, ["generate", f"generate:{MODEL}"], repeat, 8), AsyncExitStack() as stack:
        routers = []
        for one in loaded:
            plugins = Plugins([one])
            mine = Platform(most=platform.most, chats=platform.chats, nonces=platform.nonces)
            routers.append(await stack.enter_async_context(running(app.build(redis, keys, plugins, [mine]), plugins)))
        await asyncio.gather(*(speak(number, chance, routers) for number in range(MESSAGES)))

        async def nothing_left() -> bool:
            held = any(router.runner.held for router in routers)
            return not held and not await redis.zcard(keys.ticket_leases()) and not await redis.llen(keys.ticket_ready("room"))

        await wait_until(nothing_left, 60.0)
    seen = 0
    for number, chat in enumerate(CHATS):
        for text in platform.shown(chat):
            found = {int(other) for other in SECRET.findall(text)}
            assert found <= {number}, f"{chat} shows words of {[CHATS[other] for other in found]}"
            seen += len(found)
    assert seen > MESSAGES / 2


async def speak(number: int, chance: random.Random, routers: list[app.Router]) -> None:
    chat = chance.randrange(len(CHATS))
    person = Person(chance.choice(["ada", "ben"]), "Somebody")
    trigger = Called("reset") if chance.random() < 0.05 else Said()
    text = Text(f"secret-{chat}-{number}")
    message = Message(str(number), str(number), CHATS[chat], person, (text,), trigger, me=BOT.id, mentions=(BOT,))
    await asyncio.sleep(chance.random())
    await chance.choice(routers).deliver(message)
