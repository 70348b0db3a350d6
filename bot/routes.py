"""Which events reach which handler: what `register_routes` returns. Matching is in `bot/router/dispatch.py`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from bot.choices import Level
from bot.forms import Choice
from bot.messages import Message
from bot.replies import Reply

if TYPE_CHECKING:
    from bot.context import Context

Outcome = Reply | str | None
"""What a handler returns: the reply, or None to stay silent."""

Handler = Callable[["Context"], Awaitable[Outcome]]
ArgsHandler = Callable[["Context", Any], Awaitable[Outcome]]


class NoArgs(BaseModel):
    """For commands that take none."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class Refusal:
    """What `admit` returns to stop a message; `text` is sent as the reply, "" stays silent."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class Completing:
    """Somebody types the option `name` of a command and has come as far as `text`; `given` are its other options, as typed.

    `settings` are the plugin's as they hold there, `message` says who types, and where.
    """

    name: str
    text: str
    given: Mapping[str, Any]
    settings: Any
    message: Message


Completion = Callable[[Completing], Awaitable[Sequence[str | Choice]]]
"""What may be meant, the likeliest first; in at most two seconds, and without an effect: nobody has asked for anything yet."""


@dataclass(frozen=True, slots=True)
class Command:
    """A slash command. `args` becomes the platform's options, the text parser and the help; descriptions are in every language that
    there is a catalogue of.

    A route that is `ordered` runs one at a time per conversation, in arrival order, and may append turns.
    """

    name: str
    description: str
    args: type[BaseModel]
    handler: ArgsHandler
    ordered: bool = False
    menu: bool = False
    """Also in the menu of a message, where the platform has one; the message arrives as `ctx.message.reply_to`."""
    least: Level = "guest"
    """Who may use it, unless a server grants it otherwise: people of this level and above."""
    example: str = ""
    """How it is used, for the help: `/paint a red boat`."""
    everywhere: bool = False
    """Also where the bot has not been let in, for which its plugin needs `rights = ["administration"]`."""
    completions: Mapping[str, Completion] = field(default_factory=dict)
    """By the name of a field of `args`, who helps to type it. Fields with more choices than a platform lists need nobody for that."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Sees every message for which the predicate is true; the predicate is quick and has no effect."""

    name: str
    predicate: Callable[[Message], bool]
    handler: Handler
    ordered: bool = False
    yields: Callable[[Message], bool] | None = None
    """Which of these messages it leaves to other listeners, wherever one is on that takes them and does not leave them too."""


@dataclass(frozen=True, slots=True)
class Action:
    """Runs when a button of this name is clicked; `payload` is what the button was made with."""

    name: str
    payload: type[BaseModel]
    handler: ArgsHandler
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Reaction:
    """Runs when somebody puts this emoji on a message."""

    name: str
    emoji: str
    handler: Handler
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Schedule:
    """Runs when a firing made by `ctx.schedule` comes due."""

    name: str
    payload: type[BaseModel]
    handler: ArgsHandler
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that a chat model may call while it answers, for the person who asked and with no more rights than theirs.

    `description` tells the model when to; `args` becomes its schema. The handler's words are told to the model as data, other parts of its
    reply go to the chat. It has `timeout` seconds. Who may not use the `command` that it stands for may not have it called either.
    `schema` is what the model is told of the arguments where `args` does not know them. One that changes something elsewhere is called
    `once`: where a router dies or the time is over in the midst of it, it is not called again, and person and model are told so.
    """

    name: str
    description: str
    args: type[BaseModel]
    handler: ArgsHandler
    timeout: float = 60.0
    command: str = ""
    schema: Mapping[str, Any] | None = None
    once: bool = False


@dataclass(slots=True)
class Toolset:
    """Tools that a plugin learns of only while it runs, because a server elsewhere has them.

    `register_tools` gives it, and `tools` holds at every moment those that there are: its `lifespan` sets them. One whose name is wrong or
    taken, or that is otherwise no tool, is not offered, and the log says why.
    """

    name: str
    tools: Sequence[Tool] = ()


Route = Command | Listener | Action | Reaction | Schedule
