"""How a model wants a conversation written: by a chat template, or as a transcript that it continues. What fits: `prompt.py`."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from bot import Call, ChatFacts, Function

LONGEST_NAME = 40
"""Characters of a name; platforms allow more, and it is repeated in every message."""

ANSWERER = "Assistant"
"""Whose turn the hole at the end of a transcript is, where no turn of the bot says its name."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one role says; `name` is a person's, or what a bot's turn is called. With `calls` it says nothing: their results follow."""

    role: str
    text: str
    name: str = ""
    calls: tuple[Call, ...] = ()

    @property
    def spoken(self) -> str:
        """The words; a person's begin with their name."""
        return f"{self.name[:LONGEST_NAME]}: {self.text}" if self.name and self.role == "user" else self.text


class Form(ABC):
    """Writes conversations for one tokenizer. Control tokens in people's text are text, whatever it says."""

    named = False
    """Whether each turn stands alone under its speaker's name, instead of with its neighbours of the same role."""

    calling = False
    """Whether it has a way to write tools, calls and results; else results are words of people, marked as what they are."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    @abstractmethod
    def render(self, persona: str, parts: Sequence[Part], tools: Sequence[Function] = ()) -> list[int]:
        """The tokens up to the place where the answer begins."""

    @abstractmethod
    def size(self, part: Part) -> int:
        """Tokens that a part takes, its frame included; a token more or less when its neighbours are known."""

    @abstractmethod
    def stops(self, parts: Sequence[Part]) -> tuple[str, ...]:
        """Words with which somebody else's turn would begin."""

    @property
    def end(self) -> int | None:
        """The control token with which an answer ends in this form; None where it is text."""
        return None

    def frame(self, persona: Part, tools: Sequence[Function] = ()) -> int:
        """Tokens around the parts."""
        return len(self.render(persona.text, [Part("user", "x")], tools)) - self.size(Part("user", "x"))

    def tokens(self, text: str, *, begin: bool = False) -> list[int]:
        """Plain text; with the token that begins a text, where the tokenizer has one, when it is to `begin`."""
        ids: list[int] = self._tokenizer(text, add_special_tokens=begin, split_special_tokens=True, verbose=False)["input_ids"]
        return ids

    def behind(self, tokens: Sequence[int], text: str) -> list[int]:
        """The beginning of an answer, behind the place where it begins: formats of plain text have a space between."""
        before: str = self._tokenizer.decode(tokens[-1:])
        return self.tokens(f" {text}" if before.endswith(":") else text) if text else []

    def length(self, text: str) -> int:
        """In tokens."""
        return len(self.tokens(text))

    def cut(self, text: str, most: int) -> str:
        """The beginning of a text, of `most` tokens."""
        ids = self.tokens(text)
        if len(ids) <= most:
            return text
        beginning: str = self._tokenizer.decode(ids[:most], clean_up_tokenization_spaces=False)
        return beginning.rstrip("\ufffd")


class Template(Form):
    """By the chat template, the entry's or the folder's own. Raises ValueError for one that is missing or cannot render a conversation.

    A template that takes no system message gets it at the head of the first message instead.
    """

    def __init__(self, tokenizer: Any, chat: ChatFacts | None = None, today: Callable[[], date] = date.today) -> None:
        super().__init__(tokenizer)
        self._template = (chat.template if chat else "") or tokenizer.chat_template
        self._cues = chat.cues if chat else ()
        self._stops = chat.stops if chat else ()
        self._today = today
        self.calling = chat is not None and chat.tools
        if not self._template:
            raise ValueError("expected a chat template in the model's folder, found none: choose a model that is tuned for chat")
        self._folds = False
        try:
            self._costs = self._measured()
        except Exception:  # templates are programs, and raise what they like
            self._folds = True
            try:
                self._costs = self._measured()
            except Exception as error:
                raise ValueError(f"the model's chat template cannot render a conversation: {error}") from error

    def _measured(self) -> dict[str, int]:
        """What a message of each role takes beside its text."""
        talk = [Part(role, "x") for role in ("user", "assistant", "user")]
        lengths = [len(self.render("x", talk[:count])) for count in (1, 2, 3)]
        letter = self.length("x")
        return {"assistant": lengths[1] - lengths[0] - letter, "user": lengths[2] - lengths[1] - letter}

    def render(self, persona: str, parts: Sequence[Part], tools: Sequence[Function] = ()) -> list[int]:
        """See `Form.render`."""
        messages = [self._message(part) for part in parts]
        if persona and self._folds:
            first = messages[0]["content"] if messages else ""
            messages = [{"role": "user", "content": f"{persona}\n\n{first}"}, *messages[1:]]
        elif persona:
            messages.insert(0, {"role": "system", "content": persona})
        ids: list[int] = self._tokenizer.apply_chat_template(
            messages,
            tools=[{"type": "function", "function": tool.model_dump()} for tool in tools] if tools and self.calling else None,
            chat_template=self._template,
            add_generation_prompt=True,
            return_dict=False,
            sanitize_control_tokens=True,
            date_string=f"{self._today():%d %b %Y}",  # Llama 3.1's believes that it is July 2024 otherwise
        )
        return ids

    def _message(self, part: Part) -> dict[str, Any]:
        message: dict[str, Any] = {"role": part.role, "content": plain(part.text, self._cues)}
        if part.calls:
            calls = [{"type": "function", "function": {"name": call.name, "arguments": call.arguments}} for call in part.calls]
            message["tool_calls"] = calls
        return message | ({"name": part.name} if part.role == "tool" else {})

    def size(self, part: Part) -> int:
        """See `Form.size`."""
        calls = "".join(call.model_dump_json() for call in part.calls)
        return self.length(part.spoken + calls) + self._costs.get(part.role, self._costs["user"])

    def stops(self, parts: Sequence[Part]) -> tuple[str, ...]:
        """Those of the model."""
        return self._stops

    @property
    def end(self) -> int | None:
        """See `Form.end`."""
        before = self._rendered_for_training([])
        after = self._rendered_for_training([{"role": "assistant", "content": "x"}])
        control = set(self._tokenizer.all_special_ids) | set(self._tokenizer.added_tokens_decoder)
        letter = self.tokens("x")[-1]
        behind = after[len(after) - after[::-1].index(letter) :] if letter in after[len(before) :] else []
        return next((token for token in behind if token in control), None)

    def _rendered_for_training(self, more: list[dict[str, str]]) -> list[int]:
        messages = [{"role": "user", "content": "y"}, *more]
        ids: list[int] = self._tokenizer.apply_chat_template(messages, chat_template=self._template, return_dict=False)
        return ids


class Transcript(Form):
    """Lines that begin with their speaker's name, and end with a hole for the answer: what a base model continues."""

    named = True

    def render(self, persona: str, parts: Sequence[Part], tools: Sequence[Function] = ()) -> list[int]:
        """See `Form.render`. No space behind the last cue: it belongs to the answer's first token."""
        labels = _labels(parts)
        cues = [f"{label}:" for label in labels]
        said = parts[:-1] if parts and _is_hole(parts[-1]) else parts
        lines = [f"{label}: {plain(part.text, cues)}" for label, part in zip(labels, said, strict=False)]
        text = "\n".join([*lines, f"{labels[-1]}:"])
        return self.tokens(f"{persona}\n\n{text}" if persona else text, begin=True)

    def size(self, part: Part) -> int:
        """See `Form.size`."""
        return self.length(f"{_label(part)}: {part.text}\n")

    def stops(self, parts: Sequence[Part]) -> tuple[str, ...]:
        """Everybody's name, on a line of its own."""
        return tuple(dict.fromkeys(f"\n{label}:" for label in _labels(parts)))


def form(tokenizer: Any, chat: ChatFacts | None = None) -> Form:
    """That of a model. Raises ValueError for one whose form is not known: without a template, and not known as a base model."""
    transcript = chat is not None and not chat.tuned and not chat.template
    return Transcript(tokenizer) if transcript else Template(tokenizer, chat)


def _labels(parts: Sequence[Part]) -> list[str]:
    """Who says each part, and who is to say the next; nobody goes by the name of the bot."""
    bot = next((part.name for part in reversed(parts) if part.role == "assistant" and part.name), ANSWERER)
    labels = [bot if part.role == "assistant" else _label(part) for part in parts]
    return [f"{label} (guest)" if label == bot and part.role == "user" else label for label, part in zip(labels, parts, strict=True)] + [
        bot
    ]


def _is_hole(part: Part) -> bool:
    """A turn of the bot without words at the end says whose turn the answer is."""
    return part.role == "assistant" and not part.text


def _label(part: Part) -> str:
    return part.name[:LONGEST_NAME] or ("User" if part.role == "user" else ANSWERER)


def plain(text: str, cues: Iterable[str]) -> str:
    """A text that cannot be taken for others' turns, in formats of plain text: no empty lines, and lines with a cue are quoted."""
    found = tuple(cues)
    if not found:
        return text
    lines = [line for line in re.split(r"[\r\n\v\f\x85\u2028\u2029]+", text) if line.strip()]
    return "\n".join(f"> {line}" if line.lstrip().startswith(found) else line for line in lines)
