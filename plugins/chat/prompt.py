"""From turns to the tokens of a prompt, cut to the window. How a model wants them written: `forms.py`; which there are: `front.py`."""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, takewhile

from bot import Function, Turn
from bot.turns import fit
from plugins.chat.forms import LONGEST_NAME, Form, Part

ROLES = {"system": "user", "bot": "assistant", "person": "user", "tool": "tool"}
"""Of the turns behind the leading system turns; many templates allow a system message at the start alone."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model reads, and the words with which it would begin another's turn."""

    tokens: list[int]
    stops: tuple[str, ...] = ()
    begun: str = ""
    """The beginning of the answer, where it has one; the model goes on behind it."""


class PromptFormat:
    """Turns in the form of one model."""

    def __init__(self, form: Form) -> None:
        self._form = form
        self._told = 0
        """Tools that were left out when the log was told last."""

    def encode(self, turns: Sequence[Turn], budget: int, tools: Sequence[Function] = ()) -> Prompt:
        """The prompt, at most `budget` tokens. The oldest turns leave in blocks; a last one that is too long loses its end.

        The last tools are left out where all of them would take more than half of what the persona leaves.
        """
        first = leading(turns)
        persona = self._cut(Part("system", "\n".join(turn.text.strip() for turn in first)), budget // 2)
        rest, task = self._spoken(turns[len(first) :])
        parts = [part(turn, calling=self._form.calling) for turn in rest]
        if not (self._form.named or task):
            persona, parts = nameless(persona, parts)
        tools = self._fewer(persona, tools, budget)
        prompt = self._render(persona, parts, tools)
        if len(prompt.tokens) > budget:
            parts = self._fitting(rest, parts, budget - self._form.frame(persona, tools))
            prompt = self._render(persona, parts, tools)
        while (excess := len(prompt.tokens) - budget) > 0 and any(part.text for part in parts):  # words that meet may take more than apart
            parts = parts[1:] if len(parts) > max(asked_last(rest), 1) else self._less(parts, excess)
            prompt = self._render(persona, parts, tools)
        return prompt

    def _spoken(self, turns: Sequence[Turn]) -> tuple[Sequence[Turn], bool]:
        """Without an empty turn of the bot at the end, whose place a template writes itself; and whether that was a task's hole."""
        if self._form.named or len(turns) < 2 or turns[-1].role != "bot" or turns[-1].text.strip() or turns[-1].calls:
            return turns, False
        return turns[:-1], bool(turns[-1].name)

    def _fewer(self, persona: Part, tools: Sequence[Function], budget: int) -> Sequence[Function]:
        if not (tools and self._form.calling):
            return ()
        most = (budget + self._form.frame(persona)) // 2
        if self._form.frame(persona, tools) <= most:
            return tools
        kept = bisect_right(range(1, len(tools) + 1), most, key=lambda number: self._form.frame(persona, tools[:number]))
        if (left := len(tools) - kept) != self._told:
            self._told = left
            log.warning("of %d tools the last %d are not told to the model: they leave a conversation no room", len(tools), left)
        return tools[:kept]

    def _render(self, persona: Part, parts: Sequence[Part], tools: Sequence[Function]) -> Prompt:
        said = asked(parts) if self._form.named else merged(asked(parts))
        begun = said[-1].text if said and said[-1].role == "assistant" and not said[-1].calls else ""
        if begun:  # its turn is open: a hole in a transcript, the generation prompt of a template
            said = [*said[:-1], *([replace(said[-1], text="")] if self._form.named else [])]
        tokens = self._form.render(persona.text, said, tools)
        return Prompt([*tokens, *self._form.behind(tokens, begun)], self._form.stops(said), begun)

    def _fitting(self, turns: Sequence[Turn], parts: Sequence[Part], room: int) -> list[Part]:
        shortened = self._beside(turns, [self._cut(part, room - self._form.size(replace(part, text=""))) for part in parts], room)
        sized, offset = [], 0
        for turn, part in zip(turns, shortened, strict=True):
            tokens = self._form.size(part)
            sized.append(turn.model_copy(update={"tokens": tokens, "offset": offset}))
            offset += tokens
        kept = len(fit(sized, room))
        asked = asked_last(turns)
        group = sized[len(sized) - asked :]
        if any(turn.role == "tool" for turn in group) or sum(turn.tokens for turn in group) <= room:  # nothing without the question
            kept = max(kept, asked)
        return shortened[len(shortened) - kept :]

    def _beside(self, turns: Sequence[Turn], parts: Sequence[Part], room: int) -> list[Part]:
        """The question and what tools said to it lose their ends where they do not fit together; the question has half of the room.

        The front half has cut by estimates, and numbers or dense code take more.
        """
        before = len(parts) - asked_last(turns)
        told = [turn.role == "tool" for turn in turns[before + 1 :]]
        if not any(told):
            return list(parts)
        question, *behind = parts[before:]
        bare = [replace(part, text="") if tool else part for tool, part in zip(told, behind, strict=True)]
        left = room - sum(self._form.size(part) for part in (replace(question, text=""), *bare))
        said = sum(self._form.length(part.text) for tool, part in zip(told, behind, strict=True) if tool)
        question = self._cut(question, max(left // 2, left - said))
        left -= self._form.length(question.text)
        for at in (at for at, tool in enumerate(told) if tool):
            behind[at] = self._cut(behind[at], left // sum(told[at:]))
            left -= self._form.length(behind[at].text)
        return [*parts[:before], question, *behind]

    def _less(self, parts: Sequence[Part], excess: int) -> list[Part]:
        """The longest loses its end; the bot's words, with which it goes on, do so only where there are no others."""
        texts = [number for number, part in enumerate(parts) if part.text and part.role != "assistant"] or range(len(parts))
        lengths = {number: self._form.length(parts[number].text) for number in texts}
        longest = max(lengths, key=lambda number: lengths[number])
        most = max(lengths[longest] - excess, lengths[longest] // 2)  # then another one may be the longest
        return [self._cut(part, most) if number == longest else part for number, part in enumerate(parts)]

    def _cut(self, part: Part, most: int) -> Part:
        return replace(part, text=self._form.cut(part.text, max(most, 0)))


def part(turn: Turn, *, calling: bool) -> Part:
    """A turn behind the leading system turns. Where tools cannot be written, their results are words, quoted like those of a file."""
    name, text = " ".join(turn.name.split()), turn.text.strip()
    if turn.role == "tool" and not calling:
        return Part("user", "\n".join([f"[{name}]", *(f"> {line}" for line in text.splitlines())]))
    return Part(ROLES[turn.role], text, name, turn.calls if calling else ())


def nameless(persona: Part, parts: Sequence[Part]) -> tuple[Part, list[Part]]:
    """Where one person alone has spoken, their name stands in the persona: a small model takes one before a message for words to repeat."""
    names = {part.name for part in parts if part.role == "user"}
    if len(names) != 1 or not (name := names.pop()) or not persona.text:
        return persona, list(parts)
    told = replace(persona, text=f"{persona.text}\nYou talk with {name[:LONGEST_NAME]}.")
    return told, [replace(part, name="") if part.role == "user" else part for part in parts]


def leading(turns: Sequence[Turn]) -> list[Turn]:
    """The system turns at the beginning."""
    return list(takewhile(lambda turn: turn.role == "system", turns))


def asked_last(turns: Sequence[Turn]) -> int:
    """How many turns there are from the last one of a person on; 0 where nobody spoke."""
    return next((number for number, turn in enumerate(reversed(turns), 1) if turn.role == "person"), 0)


def asked(parts: Sequence[Part]) -> list[Part]:
    """Without an answer at the beginning, whose question has left."""
    first = next((index for index, part in enumerate(parts) if part.role != "assistant"), len(parts) - 1)
    return list(parts[max(first, 0) :])


def merged(parts: Iterable[Part]) -> list[Part]:
    """Neighbours of one role as one message: many templates insist that roles alternate."""
    runs = [list(run) for _, run in groupby(parts, key=lambda each: id(each) if each.calls or each.role == "tool" else each.role)]
    return [run[0] if run[0].calls or run[0].role == "tool" else Part(run[0].role, "\n".join(each.spoken for each in run)) for run in runs]
