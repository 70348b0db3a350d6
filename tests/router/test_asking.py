"""A command that lacks one thing asks for it, and a reply to the question is the command, complete."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, Field

from bot.connector import asked_for
from bot.messages import Address, Called, Message, Person, Quote, Said, Text, Trigger
from bot.router.arguments import parse
from bot.router.asking import question, resumed
from bot.router.table import Entry
from bot.routes import Command

ADA, BOT = Person("ada", "Ada"), Person("bot", "Hobnob", bot=True)
ROOM = Address("room", "lounge", "main")


class Paint(BaseModel):
    what: str = Field(description="What to paint.")
    size: int = 1


async def paint(ctx: object, args: Paint) -> None: ...


ENTRY = Entry("p", Command("paint", "Paints.", Paint, paint))


def message(text: str, trigger: Trigger, quoted: Quote | None = None) -> Message:
    return Message("1", "1", ROOM, ADA, (Text(text),), trigger, me="bot", reply_to=quoted)


@pytest.mark.parametrize("given", ["", "--size 3"])
def test_the_reply_to_a_question_goes_on_with_the_command(given: str) -> None:
    asked = question(ENTRY, parse(Paint, given), message("", Called("paint", text=given)))
    assert asked is not None
    assert asked.endswith("needs <what>: What to paint. Reply to this message with it.")
    reply = resumed(message("a red cat", Said(), Quote("9", BOT, (Text(asked),))))
    assert reply.trigger == Called("paint", text=f"{given} a red cat".strip())
    assert isinstance(reply.trigger, Called)
    assert parse(Paint, reply.trigger.text)["what"] == "a red cat"


def test_what_is_wrong_otherwise_is_not_asked_for() -> None:
    assert question(ENTRY, {"size": "many"}, message("", Called("paint", text="--size many"))) is None
    assert question(ENTRY, {}, message("", Called("paint", {"size": 2}))) is None


@pytest.mark.parametrize("by", [ADA, Person("other", "Other", bot=True)])
def test_only_a_question_of_the_bot_is_one(by: Person) -> None:
    said = message("a red cat", Said(), Quote("9", by, (Text("/paint needs <what>. Reply to this message with it."),)))
    assert resumed(said) is said


def test_other_words_of_the_bot_are_no_question() -> None:
    assert asked_for("I would say /paint needs <what>") is None
    assert asked_for("/paint is a command") is None
