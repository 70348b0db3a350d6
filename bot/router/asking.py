"""Asks for what a typed command lacks, one thing after the other. Nothing is kept: the question says what was given so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.connector import asked_for
from bot.forms import Option, options
from bot.messages import Called, Clicked, Message, Said
from bot.router.arguments import missing, option
from bot.router.table import Entry
from bot.routes import Command
from bot.translation import tr, translated

LONGEST = 200
"""Letters of what was given so far, which the question repeats."""

CHOOSE = "choose."
"""How the ids of buttons begin that answer such a question; the answer follows."""

LONGEST_ID = 64
"""Bytes of a button's id [Telegram: InlineKeyboardButton]."""

MOST_CHOICES = 8
"""Buttons below a question; where there are more choices, they are named in words."""


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask, and the answers that a button can give; one without any asks for a reply."""

    text: str
    choices: tuple[str, ...] = ()


def question(entry: Entry, given: Mapping[str, Any], message: Message) -> Question | None:
    """What to ask, where required arguments of a command are all that is missing."""
    route, called = entry.route, message.trigger
    if not isinstance(route, Command) or not isinstance(called, Called):
        return None
    name, so_far = missing(route.args, given), _so_far(called)
    if name is None or len(so_far) > LONGEST or "\n" in so_far or "<" in so_far:
        return None
    lacking = next(one for one in options(route.args) if one.name == name)
    about = translated((route.args.model_fields[name].description or "").strip())
    command, what = f"/{called.command} {so_far}".rstrip(), f": {about}" if about else "."
    choices = _buttons(lacking)
    how = tr("Choose one of these.") if choices else tr("Reply to this message with it.")
    return Question(f"{command} <{name}>{what} {_named(lacking, choices)}{how}", choices)


def _so_far(called: Called) -> str:
    """What was given, as it would be typed."""
    return " ".join([called.text.strip(), *(option(name, str(value)) for name, value in called.options.items())]).strip()


def _answers(lacking: Option) -> tuple[str, ...]:
    return ("yes", "no") if lacking.kind == "boolean" else tuple(str(one) for one in lacking.choices)


def _buttons(lacking: Option) -> tuple[str, ...]:
    """The answers, where buttons can hold them all."""
    answers = _answers(lacking)
    fit = len(answers) <= MOST_CHOICES and all(len(f"{CHOOSE}{one}".encode()) <= LONGEST_ID for one in answers)
    return answers if fit else ()


def _named(lacking: Option, choices: tuple[str, ...]) -> str:
    answers = _answers(lacking)
    return tr("One of {answers}.", answers=", ".join(answers)) + " " if answers and not choices else ""


def resumed(message: Message) -> Message:
    """The message as the command that it goes on with, if it answers such a question."""
    replied = message.reply_to
    if replied is None or replied.sender.id != message.me or not (answer := _answer(message)):
        return message
    asked = asked_for("".join(part.text for part in replied.parts if part.kind == "text"))
    if asked is None:
        return message
    command, name = asked
    return replace(message, trigger=replace(command, options={name: answer}))


def _answer(message: Message) -> str:
    match message.trigger:
        case Said(replaces=""):
            return message.text.strip()
        case Clicked(button=button) if button.startswith(CHOOSE):
            return button.removeprefix(CHOOSE)
        case _:
            return ""
