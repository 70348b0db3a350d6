"""Two models side by side in a chat, without their names, and the votes of those who read there. The models are scripted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot import Answer, Generate, Job
from bot.catalogue import load
from bot.plugins import Loaded, Plugins
from bot.testing.fate import Fate
from bot.testing.fixtures import lounge
from bot.testing.house import house
from bot.testing.room import Room, Seen
from plugins.chat import front
from plugins.chat.config import Config
from plugins.chat.settings import Settings

SMALL, LARGE = "smollm2-135m-instruct", "gemma-2b-it"

WORDS = {SMALL: "Paris, I think.", LARGE: "It is Paris."}

COMPARE = f'/models {SMALL} --against {LARGE} --prompt "What is the capital of France? | And of Italy?"'

GRACE: Any = {"by": "Grace", "manages": True}


def answered(job: Job[Any]) -> Answer:
    assert isinstance(job, Generate) and job.model
    return Answer(text=WORDS[job.model], finish="stop", prompt_tokens=9, tokens=40, model=job.model, seconds=2.0)


@pytest.fixture
async def room(redis_url: str) -> AsyncIterator[Room]:
    chat = front.Plugin(Config(models=(SMALL, LARGE)), load())
    plugins = Plugins([Loaded("chat", chat, settings=Settings, version="1")])
    async with house(redis_url, plugins, fate=Fate()) as opened:
        opened.models.always(answered)
        yield lounge(opened)


def better(seen: Seen, words: str) -> str:
    """The button for the answer with these words."""
    return "1" if seen.index(words) < min(seen.index(other) for other in WORDS.values() if other != words) else "2"


async def test_people_vote_for_answers_and_learn_the_names_at_the_end(room: Room) -> None:
    *questions, end = await room.say(COMPARE, **GRACE)
    assert [seen.split("\n")[0] for seen in questions] == ["**What is the capital of France?**", "**And of Italy?**"]
    assert all(words in seen for seen in questions for words in WORDS.values())
    assert not any(name in seen for seen in questions for name in WORDS) and end.buttons == ["Result"]
    for person, seen, words in (("Ada", 0, LARGE), ("Bob", 0, SMALL), ("Bob", 0, LARGE), ("Ada", 1, SMALL)):
        (told,) = await room.click(better(questions[seen], WORDS[words]), questions[seen], by=person)
        assert told.startswith("Counted.") and told.private
    await room.click("No difference", questions[1], by="Bob")
    (result,) = await room.click("Result", end, **GRACE)
    large, small, neither, *order = result.split("\n")
    assert large == f"**{LARGE}**: 2 votes, 2.0 s an answer, 20 tokens/s"
    assert small == f"**{SMALL}**: 1 vote, 2.0 s an answer, 20 tokens/s"
    assert neither == "No difference: 1"
    for number, line in enumerate(order):
        assert line.endswith(f"{better(questions[number], WORDS[LARGE])} is {LARGE}") or f"1 is {LARGE}" in line
    assert await room.click("1", questions[0], by="Eve") == ["That vote is over."]


async def test_the_better_one_answers_from_then_on(room: Room) -> None:
    *_, end = await room.say(COMPARE, **GRACE)
    await room.click("Result", end, **GRACE)
    assert await room.click(f"Use {LARGE} here", **GRACE) == [f"{LARGE} answers here from now on."]
    assert await room.say("What is the capital of France?", by="Ada") == [WORDS[LARGE]]


async def test_who_does_not_manage_the_server_compares_nothing_and_ends_no_vote(room: Room) -> None:
    assert await room.say(COMPARE, by="Ada") == ["Only who manages this server compares models."]
    assert room.models.jobs == []
    *_, end = await room.say(COMPARE, **GRACE)
    assert await room.click("Result", end, by="Ada") == ["Only who manages this server compares models."]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (f"/models {SMALL} --against {SMALL} --prompt Why?", "Please name two models"),
        (f"/models {SMALL} --against gpt --prompt Why?", "No model here is called “gpt”."),
        (f"/models {SMALL} --against {LARGE}", "Please say what both are to answer"),
        (f'/models {SMALL} --against {LARGE} --prompt "1|2|3|4|5|6"', "with one to 5 questions"),
        (f'/models {SMALL} --against {LARGE} --prompt "{"word " * 1000}"', "A question is too long"),
        ("/models --prompt Why?", "Please name two models"),
    ],
)
async def test_what_cannot_be_compared_is_a_sentence(room: Room, command: str, said: str) -> None:
    (seen,) = await room.say(command, **GRACE)
    assert said in seen
