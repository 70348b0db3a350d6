"""From turns to the tokens of a prompt: names, the model's chat template, and a cut to the window. Which turns there are: `front.py`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from bot import Turn
from bot.turns import fit

ROLES = {"system": "user", "bot": "assistant", "person": "user", "tool": "user"}
"""Of the turns behind the leading system turns; many templates allow a system message at the start alone."""

MARK = re.compile("\ue000([0-9]+)\ue001")
"""Stands for a message's text while the template is rendered; the text itself never meets the template."""

LONGEST_NAME = 40
"""Characters of a name; platforms allow more, and it is repeated in every message."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The tokens of one turn's text, and the role that it speaks in."""

    role: str
    tokens: list[int]


class PromptFormat:
    """The prompt format of one model, as its tokenizer's chat template has it.

    People's text is tokenised apart from the template, with control tokens as plain text: `<|im_end|>` typed by somebody ends
    nothing. Raises ValueError for a tokenizer whose template is missing or cannot render a conversation.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        if not tokenizer.chat_template:
            raise ValueError("expected a chat template in the model's folder, found none: choose a model that is tuned for chat")
        try:
            costs = [len(self._render([Piece(role, []) for role in roles])) for roles in _TRIALS]
        except Exception as error:  # templates are programs, and raise what they like
            raise ValueError(f"the model's chat template cannot render a conversation: {error}") from error
        self._costs = {"assistant": costs[1] - costs[0], "user": costs[2] - costs[1]}

    def encode(self, turns: Sequence[Turn], budget: int) -> list[int]:
        """The prompt, at most `budget` tokens. The oldest turns leave in blocks; a last one that is too long loses its end."""
        leading = _leading(turns)
        persona = _merged([self._piece("system", turn, budget // 2) for turn in leading], self._tokens("\n"))
        # Rendered for its size alone: a template may have a system message of its own for prompts without one.
        frame = self._render([*(Piece(piece.role, []) for piece in persona), Piece("user", [])])
        room = budget - len(frame) - sum(len(piece.tokens) for piece in persona) + self._costs["user"]
        rest = turns[len(leading) :]
        pieces = [self._piece(ROLES[turn.role], turn, room - max(self._costs.values())) for turn in rest]
        return self._render([*persona, *_merged(self._fitting(rest, pieces, room), self._tokens("\n"))])

    def _fitting(self, turns: Sequence[Turn], pieces: Sequence[Piece], room: int) -> list[Piece]:
        sized, offset = [], 0
        for turn, piece in zip(turns, pieces, strict=True):
            tokens = len(piece.tokens) + self._costs[piece.role]
            sized.append(turn.model_copy(update={"tokens": tokens, "offset": offset}))
            offset += tokens
        kept = list(pieces[len(pieces) - len(fit(sized, room)) :])
        while len(kept) > 1 and kept[0].role == "assistant":  # an answer whose question has left
            kept = kept[1:]
        return kept

    def _piece(self, role: str, turn: Turn, most: int) -> Piece:
        return Piece(role, self._tokens(spoken(turn))[: max(most, 0)])

    def _tokens(self, text: str) -> list[int]:
        """Plain text, whatever it says."""
        ids: list[int] = self._tokenizer(text, add_special_tokens=False, split_special_tokens=True, verbose=False)["input_ids"]
        return ids

    def _render(self, pieces: Sequence[Piece]) -> list[int]:
        """The tokens of the template around those of the texts."""
        messages = [{"role": piece.role, "content": f"\ue000{index}\ue001"} for index, piece in enumerate(pieces)]
        text = self._tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        ids: list[int] = []
        for index, part in enumerate(MARK.split(text)):
            ids += pieces[int(part)].tokens if index % 2 else self._control(part)
        return ids

    def _control(self, text: str) -> list[int]:
        """The template's own text, where control tokens are meant."""
        ids: list[int] = self._tokenizer(text, add_special_tokens=False, split_special_tokens=False, verbose=False)["input_ids"]
        return ids


_TRIALS = (("system", "user"), ("system", "user", "assistant"), ("system", "user", "assistant", "user"))


def spoken(turn: Turn) -> str:
    """The words of a turn; a person's begin with their name."""
    name = " ".join(turn.name.split())[:LONGEST_NAME]
    return f"{name}: {turn.text.strip()}" if name and turn.role == "person" else turn.text.strip()


def _leading(turns: Sequence[Turn]) -> list[Turn]:
    count = next((index for index, turn in enumerate(turns) if turn.role != "system"), len(turns))
    return list(turns[:count])


def _merged(pieces: Iterable[Piece], newline: list[int]) -> list[Piece]:
    """Neighbours of one role as one message: many templates insist that roles alternate."""
    merged = []
    for role, run in groupby(pieces, key=lambda piece: piece.role):
        tokens: list[int] = []
        for piece in run:
            tokens += [*newline, *piece.tokens] if tokens else piece.tokens
        merged.append(Piece(role, tokens))
    return merged
