"""A recording that somebody sent, and whether it calls the bot; pure data and functions. What is done with it: `front.py`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import SequenceMatcher
from itertools import pairwise

from pydantic import BaseModel, ConfigDict

from bot import Audio, Blob, Message, Person, Quote

REMEMBERED = 86_400.0
"""Seconds for which a note can be asked for by a reaction, and its transcript is at hand."""

ALIKE = 0.8
"""From this likeness on (`difflib`, 1 is the same) a word is taken for a misheard name: "hob nop" for Hobnob."""


class Note(BaseModel):
    """Recordings of one message; `sender` is who recorded them, `text` the blob of their transcripts once they were written down."""

    model_config = ConfigDict(frozen=True)

    message: str
    sender: Person
    sounds: tuple[Audio, ...]
    text: Blob | None = None

    @property
    def key(self) -> str:
        """Under which it is kept, in its chat."""
        return f"note:{self.message}"


class Out(BaseModel):
    """That somebody keeps their own notes out."""


def of_message(message: Message) -> Note | None:
    """The recordings of a message."""
    sounds = tuple(part for part in message.parts if isinstance(part, Audio))
    return Note(message=message.id, sender=message.sender, sounds=sounds) if sounds else None


def of_quote(quote: Quote | None) -> Note | None:
    """The recordings of the message that is replied to."""
    sounds = tuple(part for part in quote.parts if isinstance(part, Audio)) if quote else ()
    return Note(message=quote.id, sender=quote.sender, sounds=sounds) if quote and sounds else None


def calls(text: str, names: Iterable[str]) -> bool:
    """Whether one of the names is said, or something that Whisper makes of it: it does not know how they are spelt."""
    words = re.findall(r"\w+", text.lower())
    pairs = [*words, *(first + second for first, second in pairwise(words))]
    return any(_said(re.sub(r"\W", "", name.lower()), text.lower(), pairs) for name in names)


def _said(name: str, text: str, words: Iterable[str]) -> bool:
    if not name.isascii():  # scripts without spaces have no words to compare
        return name in text
    return any(word == name or (len(name) >= 5 and SequenceMatcher(None, name, word).ratio() >= ALIKE) for word in words)
