"""Asks for the one thing that a typed command lacks, and goes on when somebody replies. Nothing is kept: the question says it all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.connector import asked_for
from bot.messages import Called, Message, Said
from bot.router.arguments import missing
from bot.router.table import Entry
from bot.routes import Command

LONGEST = 200
"""Letters of what was given so far, which the question repeats."""


def question(entry: Entry, given: Mapping[str, Any], message: Message) -> str | None:
    """What to ask, where one required argument of a typed command is all that is missing."""
    route, called = entry.route, message.trigger
    if not isinstance(route, Command) or not isinstance(called, Called) or called.options:
        return None
    name, so_far = missing(route.args, given), called.text.strip()
    if name is None or len(so_far) > LONGEST or "\n" in so_far or "<" in so_far:
        return None
    what = (route.args.model_fields[name].description or "").strip()
    command = f"/{called.command} {so_far}".rstrip()
    return f"{command} needs <{name}>{f': {what}' if what else '.'} Reply to this message with it."


def resumed(message: Message) -> Message:
    """The message as the command that it goes on with, if it replies to such a question."""
    replied, said = message.reply_to, message.trigger
    if replied is None or replied.sender.id != message.me or not isinstance(said, Said) or said.replaces or not message.text.strip():
        return message
    asked = asked_for("".join(part.text for part in replied.parts if part.kind == "text"))
    return message if asked is None else replace(message, trigger=replace(asked, text=f"{asked.text} {message.text}".strip()))
