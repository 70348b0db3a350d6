"""A route that takes a message, and what stands in the way of one. Which messages find which: `dispatch.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import structlog
from pydantic import BaseModel, ValidationError

from bot.forms import Form
from bot.messages import Called, Message, Said
from bot.router.arguments import validate
from bot.router.table import Entry
from bot.routes import Action, Command, Listener, Schedule
from bot.translation import tr

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Match:
    """A route that takes the message, with the arguments as they came; `asked` is true when a person named the route.

    `filled` is true when a person gave some of the arguments of an action; a `form` is to be filled in first.
    """

    entry: Entry
    given: dict[str, Any] | None = None
    asked: bool = False
    filled: bool = False
    form: Form | None = None


class Unmatched(Exception):  # noqa: N818  an outcome, not a fault
    """The person named something that is not there; the text is the reply."""


def wants(entry: Entry, message: Message) -> bool:
    """Whether a listener takes the message."""
    assert isinstance(entry.route, Listener)
    return _says(entry, entry.route.predicate, message)


def leaves(entry: Entry, message: Message) -> bool:
    """Whether a listener leaves it to others that take it."""
    return isinstance(entry.route, Listener) and entry.route.yields is not None and _says(entry, entry.route.yields, message)


def _says(entry: Entry, predicate: Callable[[Message], bool], message: Message) -> bool:
    try:
        return predicate(message)
    except Exception:
        log.exception("a predicate failed", plugin=entry.plugin, route=entry.id)
        return False


def edited(message: Message) -> bool:
    """Whether this is a later version of something that was said before."""
    match message.trigger:
        case Said(version=version):
            return version > 0
        case Called(edits=first):
            return bool(first)
        case _:
            return False


def once(message: Message) -> Message:
    """An edited command as the event of its first version: what ran for that does not run again, what was wrong then runs now."""
    match message.trigger:
        case Called(edits=first) if first:
            return replace(message, event=first)
        case _:
            return message


def arguments_of(match: Match) -> dict[str, Any]:
    """What its handler is given. Raises BadArguments naming the field that is wrong."""
    match match.entry.route:
        case Action(payload=model) if match.filled:
            return validate(model, match.given or {})
        case Command(args=model):
            return validate(model, match.given or {})
        case Action() | Schedule():
            return match.given or {}
        case _:
            return {}


def payload(model: type[BaseModel], given: Any) -> dict[str, Any]:
    """The payload as its route reads it today. Raises Unmatched when it was made by a version that wrote it differently."""
    try:
        return model.model_validate(given).model_dump(mode="json")
    except ValidationError:
        raise Unmatched(tr("This was made by an older version and no longer works. Please ask anew.")) from None
