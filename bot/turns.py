"""A remembered turn of a conversation, and how a long one is cut to a token budget. They are kept in `bot/store/conversations.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from bot.messages import Part, Text

BYTES_PER_TOKEN = 3
"""A cautious estimate for when no tokenizer is at hand: English runs at 4 to 5 bytes a token, Chinese at about 3."""


class Turn(BaseModel):
    """Who said what. `message` is the platform's message id, so that a deleted message can leave the context.

    `tokens` is the turn's size, estimated when it is unknown; `offset` counts the tokens before it since the
    conversation began (set by the store), which is what makes trimming stable.
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

    @property
    def text(self) -> str:
        """The words of the turn."""
        return "\n".join(part.text for part in self.parts if isinstance(part, Text))


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
    end = turns[-1].offset + turns[-1].tokens
    block = max(1, budget // 2)
    start = max(0, -(-(end - budget) // block)) * block
    kept = [turn for turn in turns if turn.offset >= start]
    return kept or [turns[-1]]
