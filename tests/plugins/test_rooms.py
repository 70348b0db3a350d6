"""Many people in two rooms at once: what the model is shown is one room's, in its order and under its speakers' names."""

from __future__ import annotations

import re
from typing import Any

from redis.asyncio import Redis

from bot import Address, Answer, Generate, Message, Person, Text
from bot.catalogue import load
from bot.plugins import Loaded, Plugins
from bot.router import app
from bot.store.keys import Keys
from bot.testing import wait_until
from bot.testing.platform import Platform
from plugins.chat import config, front, settings
from tests.hands import worker

HOBNOB = Person("9", "Hobnob", bot=True)
ROOMS = [Address("room", name, name) for name in ("attic", "cellar")]
PEOPLE, ROUNDS = 8, 3
MODEL = config.Config().models[0]


async def test_sixteen_people_in_two_rooms_never_see_a_word_of_the_other_room(redis: Redis, keys: Keys) -> None:
    asked: list[Generate] = []

    def answer(body: dict[str, Any]) -> tuple[str, Answer]:
        asked.append(Generate.model_validate(body["job"]))
        return "", Answer(text=f"echo {asked[-1].turns[-1].text}", finish="stop", prompt_tokens=1, tokens=5, model=MODEL)

    plugin = Loaded("chat", front.Plugin(config.Config(), load()), settings=settings.Settings, version="1")
    plugins, platform = Plugins([plugin]), Platform()
    made = app.build(redis, keys, plugins, [platform])
    async with app.running(made, plugins), worker(redis, keys, ["generate", f"generate:{MODEL}"], answer, 16):
        for turn in range(ROUNDS):
            for person in range(PEOPLE):
                for room in ROOMS:
                    id, who = f"{room.server}-{turn}-{person}", Person(f"{room.server}{person}", f"Person {person}")
                    said = (Text(f"{room.server} {turn} from {person}"),)
                    await made.deliver(Message(id, id, room, who, said, me="9", mentions=(HOBNOB,)))
        await wait_until(lambda: not made.runner.held and len(asked) == 2 * PEOPLE * ROUNDS, 60.0)
    for job in asked:
        spoken = [turn for turn in job.turns if turn.role == "person"]
        words = [turn.text.split() for turn in spoken]
        assert len({room for room, *_ in words}) == 1, "a room's words in another room's prompt"
        assert all(turn.name == f"Person {person}" for turn, (_, _, _, person) in zip(spoken, words, strict=True))
        order = [int(turn) * PEOPLE + int(person) for _, turn, _, person in words]
        assert order == list(range(order[-1] + 1)), "the last five turns and more, in their order"
    for room in ROOMS:
        assert len(platform.shown(room)) == PEOPLE * ROUNDS
        assert all(re.match(rf"echo {room.server} ", text) for text in platform.shown(room))
