"""A remembered turn of a conversation, and how a long history is cut. They are kept in `bot/store/conversations.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from bot.messages import Part, Text

BYTES_PER_TOKEN = 3
"""A cautious estimate for when no tokenizer is at hand: English runs at 4 to 5 bytes a token, Chinese at about 3."""

LONGEST_RESULT = 4_000
"""Characters of what a tool says that a model is told; the rest of a long one would push the conversation out of its window."""


class Call(BaseModel):
    """A tool that the model wants called, as it said so: its name and arguments may be wrong. `id` is the model's own."""

    model_config = ConfigDict(frozen=True)

    name: str
    arguments: dict[str, Any] = {}
    id: str = ""


class Turn(BaseModel):
    """Who said what. `message` is the platform's message id, so that a deleted message can leave the context.

    `person` is who speaks, and of the bot's turn who is answered: the turns of one person are a conversation of their own.

    `tokens` is the turn's size, estimated when it is unknown; `offset` counts the tokens before it since the
    conversation began (set by the store), which is what makes trimming stable. `calls` are what the bot called instead of speaking;
    a turn of the role `tool` has the `name` and the `call` that it is the result of. Neither is remembered: the answer says it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Literal["system", "person", "bot", "tool"]
    parts: tuple[Part, ...]
    name: str = ""
    person: str = ""
    message: str = ""
    at: float = 0.0
    tokens: int = 0
    offset: int = 0
    calls: tuple[Call, ...] = ()
    call: str = ""

    @property
    def text(self) -> str:
        """The words of the turn."""
        return "\n".join(part.text for part in self.parts if isinstance(part, Text))


class Summary(BaseModel):
    """What was said before the offset `upto`, in short; "" where nothing of it was left.

    `forgotten` counts what was taken back when it was begun: see `Conversations`.
    """

    model_config = ConfigDict(frozen=True)

    text: str = ""
    upto: int = 0
    forgotten: int = 0


def estimate_tokens(text: str) -> int:
    """Tokens that `text` needs at most in most scripts, plus the few that a chat template wraps around a turn."""
    return len(text.encode()) // BYTES_PER_TOKEN + 8


def fit(turns: Sequence[Turn], budget: int) -> list[Turn]:
    """The newest turns whose tokens fit `budget`, cut at a boundary that moves in blocks of half the budget.

    A window that slides by one turn per message changes the start of every prompt and with it every cached prefix;
    a boundary that stands still for half a budget keeps prompts byte-stable at the front. The newest turn always stays.
    """
    if not turns:
        return []
    start = boundary(turns[-1].offset + turns[-1].tokens, budget)
    kept = [turn for turn in turns if turn.offset >= start]
    return kept or [turns[-1]]


def boundary(end: int, budget: int) -> int:
    """Where the window of a conversation begins that has `end` tokens so far."""
    block = max(1, budget // 2)
    return max(0, -(-(end - budget) // block)) * block
