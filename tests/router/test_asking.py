"""A command that lacks something asks for it, one thing after the other, and an answer to the question goes on with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

import pytest
from pydantic import BaseModel, Field
from redis.asyncio import Redis

from bot import Context, Route, hookimpl
from bot.connector import Limits, asked_for, typed_command
from bot.messages import Address, Attachment, Called, Clicked, Image, Message, Part, Person, Quote, Said, Text, Trigger
from bot.plugins import Loaded, Plugins
from bot.router.app import build, running
from bot.router.arguments import parse, validate
from bot.router.asking import CHOOSE, Question, question, resumed
from bot.router.table import Entry
from bot.routes import Command
from bot.store.keys import Keys
from bot.testing import wait_until
from bot.testing.platform import Platform

ADA, BOT = Person("ada", "Ada"), Person("bot", "Hobnob", bot=True)
ROOM = Address("room", "lounge", "main")


class Paint(BaseModel):
    what: str = Field(description="What to paint.")
    size: Literal["small", "large"]
    framed: bool
    number: Literal[1, 2, 3, 4, 5, 6, 7, 8, 9]
    copies: int = 1


async def paint(ctx: Context, args: Paint) -> str:
    return f"{args.what}, {args.size}"


class Sketch(BaseModel):
    what: str = Field(description="What to sketch.", json_schema_extra={"quotes": True})
    copies: int = 1


async def sketch(ctx: Context, args: Sketch) -> str:
    return f"{args.what}, {args.copies}"


ENTRY = Entry("p", Command("paint", "Paints.", Paint, paint))


def message(text: str, trigger: Trigger, quoted: Quote | None = None) -> Message:
    return Message("1", "1", ROOM, ADA, (Text(text),), trigger, me="bot", reply_to=quoted)


def asked(called: Called) -> Question | None:
    return question(ENTRY, {**parse(Paint, called.text), **called.options}, message("", called))


def answered(question: Question, text: str, trigger: Trigger = Said()) -> Called:
    found = resumed(message(text, trigger, Quote("9", BOT, (Text(question.text),)))).trigger
    assert isinstance(found, Called)
    return found


@pytest.mark.parametrize("words", ["a red cat", 'a cat called "Tom"', '“quoted” and "so"', "-- a dash\u2014 and another"])
@pytest.mark.parametrize("given", ["", "--copies 3"])
def test_what_is_lacking_is_asked_for_until_nothing_is(given: str, words: str) -> None:
    called = Called("paint", text=given)
    answers: list[tuple[str, Trigger]] = [(words, Said()), ("", Clicked(f"{CHOOSE}large")), ("no", Said()), ("7", Said())]
    names = []
    for text, trigger in answers:
        one = asked(called)
        assert one is not None
        names.append(one.text.partition("<")[2].partition(">")[0])
        called = answered(one, text, trigger)
    assert names == ["what", "size", "framed", "number"]
    found = validate(Paint, {**parse(Paint, called.text), **called.options})
    plain = words.replace("”", "'") if '"' in words else words
    assert (found["what"], found["size"], found["framed"], found["number"]) == (plain, "large", False, 7)
    assert found["copies"] == (3 if given else 1)


class Painter:
    """Has a command that takes what it replies to, and one that does not."""

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return [ENTRY.route, Command("sketch", "Sketches.", Sketch, sketch)]


async def test_a_button_below_the_question_answers_it(redis: Redis, keys: Keys) -> None:
    platform, plugins = Platform(most=Limits(text=200, file=1000, edit_interval=0.0)), Plugins([Loaded("p", Painter(), version="1")])
    router = build(redis, keys, plugins, [platform])
    async with running(router, plugins):
        await router.deliver(message("", Called("paint", text="a cat --framed yes --number 1")))
        await wait_until(lambda: platform.shown(ROOM) and not router.runner.held)
        [post] = platform.chats[ROOM].values()
        assert [key.label for key in post.keys] == ["small", "large"]
        quoted = Quote("9", BOT, (Text(post.text),))
        await router.deliver(replace(message("", Clicked(post.keys[1].id), quoted), event="2"))
        await wait_until(lambda: platform.shown(ROOM)[1:] == ["a cat, large"] and not router.runner.held)


@pytest.mark.parametrize(
    ("typed", "parts", "shown"),
    [
        ("", (Text("a red cat "),), "a red cat, 1"),
        ("--copies 2", (Text("a red cat"), Text("on a mat")), "a red cat\non a mat, 2"),
        ("a dog", (Text("a red cat"),), "a dog, 1"),
        (
            "",
            (Text("what I saw"), Image(Attachment("p", "image/png", 1))),
            "/sketch <what>: What to sketch. Reply to this message with it.",
        ),
        ("", (Text("/sketch <what>: What to sketch. Reply to this message with it."),), "/sketch <what>: What to sketch. Reply"),
        ("", (Text(" "),), "/sketch <what>: What to sketch. Reply"),
        ("", (Text("/sketch a red cat"),), "/sketch <what>: What to sketch. Reply"),
    ],
)
async def test_a_field_that_quotes_takes_the_words_that_are_replied_to(
    redis: Redis, keys: Keys, typed: str, parts: tuple[Part, ...], shown: str
) -> None:
    platform, plugins = Platform(), Plugins([Loaded("p", Painter(), version="1")])
    router = build(redis, keys, plugins, [platform])
    async with running(router, plugins):
        await router.deliver(message("", Called("sketch", text=typed), Quote("9", Person("ben", "Ben"), parts)))
        await wait_until(lambda: platform.shown(ROOM) and not router.runner.held)
    assert [words[: len(shown)] for words in platform.shown(ROOM)] == [shown]


async def test_other_fields_take_nothing_of_what_is_replied_to(redis: Redis, keys: Keys) -> None:
    platform, plugins = Platform(), Plugins([Loaded("p", Painter(), version="1")])
    router = build(redis, keys, plugins, [platform])
    async with running(router, plugins):
        await router.deliver(message("", Called("paint"), Quote("9", Person("ben", "Ben"), (Text("a red cat"),))))
        await wait_until(lambda: platform.shown(ROOM) and not router.runner.held)
    assert platform.shown(ROOM)[0].startswith("/paint <what>: ")


def test_what_has_few_answers_has_a_button_for_each_and_what_has_many_names_them() -> None:
    one = asked(Called("paint", text="a cat"))
    assert one == Question("/paint a cat <size>. Choose one of these.", ("small", "large"))
    framed = asked(Called("paint", text="a cat --size small"))
    assert framed is not None
    assert framed.choices == ("yes", "no")
    number = asked(Called("paint", text="a cat --size small --framed no"))
    assert number is not None
    assert number.choices == ()
    assert "One of 1, 2, 3, 4, 5, 6, 7, 8, 9. Reply to this message with it." in number.text


def test_what_is_wrong_otherwise_is_not_asked_for() -> None:
    assert asked(Called("paint", text="--copies many")) is None
    assert asked(Called("paint", text="two\nlines")) is None


@pytest.mark.parametrize("by", [ADA, Person("other", "Other", bot=True)])
def test_only_a_question_of_the_bot_is_one(by: Person) -> None:
    said = message("a red cat", Said(), Quote("9", by, (Text("/paint <what>. Reply to this message with it."),)))
    assert resumed(said) is said


def test_an_edited_answer_answers_nothing_again() -> None:
    said = message("a red cat", Said(1, "e"), Quote("9", BOT, (Text("/paint <what>. Reply to this message with it."),)))
    assert resumed(said) is said


def test_other_words_of_the_bot_are_no_question() -> None:
    assert asked_for("I would say /paint <what>.") is None
    assert asked_for("/paint is a command") is None
    assert typed_command("/paint <what>") is not None
