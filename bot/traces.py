"""The path that a message took, as plugins tell people of it through `ctx.trace`. Where it is written down: `bot/router/explaining.py`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from bot.translation import Phrase

Rule = Literal["", "direct", "mention", "reply", "listens", "thread", "word", "command", "click", "reaction"]
"""What made a message one to the bot; "" for one that was not."""

Stop = Literal["", "banned", "not admitted"]
"""What kept a message from being looked at at all."""


class Request(BaseModel):
    """A request to a model: which one ran it, how long it stood in line and how long a device worked on it, in seconds."""

    model_config = ConfigDict(frozen=True)

    kind: str
    model: str = ""
    waited: float | None = None
    worked: float | None = None


class Step(BaseModel):
    """What became of a message with one route of a plugin. `words` are what was said instead of an answer, `ref` is the reference.

    `seconds` lie between its acceptance and its end, None while it goes on; `answers` are messages that were sent, and `undelivered`
    says that the platform would not take one. `trouble` is what kept the plugin from working, where it rested.
    """

    model_config = ConfigDict(frozen=True)

    plugin: str
    route: str
    words: str = ""
    ref: str = ""
    seconds: float | None = None
    requests: tuple[Request, ...] = ()
    answers: int = 0
    undelivered: bool = False
    trouble: Phrase | None = None


class Trace(BaseModel):
    """The path of one message of `person`, seen at `at` (seconds since 1970). Nothing of what was said is in it.

    `missed` are plugins that would have taken it, but are switched off there.
    """

    model_config = ConfigDict(frozen=True)

    message: str
    person: str
    at: float
    rule: Rule = ""
    stop: Stop = ""
    steps: tuple[Step, ...] = ()
    missed: tuple[str, ...] = ()
