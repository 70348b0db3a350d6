"""Words for people, in the language of whoever reads them. Which languages there are, and their catalogues: `locales.py`.

A text is written in English where it is said. `tr` gives it in the reader's language, for which the core has set the
task before it calls anybody; outside of such a task it is English.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from gettext import NullTranslations


@dataclass(frozen=True, slots=True)
class Translation:
    """One language: its `tag` [BCP 47] and what texts are in it."""

    tag: str = "en"
    catalogue: NullTranslations = field(default_factory=NullTranslations)

    def tr(self, text: str, many: str = "", /, **values: object) -> str:
        """A literal in this language. See `tr`."""
        return self.of(text, many, values)

    def translated(self, text: str, /, **values: object) -> str:
        """What is declared elsewhere, in this language. See `translated`."""
        return self.of(text, "", values)

    def of(self, text: str, many: str, values: Mapping[str, object]) -> str:
        """A text, or one of two by the value `n`, with the values where it names them."""
        if not text:  # under which a catalogue has its head
            return ""
        found = self.catalogue.ngettext(text, many, int(str(values["n"]))) if many else self.catalogue.gettext(text)
        return found.format(**values) if values else found


_reader: ContextVar[Translation] = ContextVar("reader", default=Translation())  # noqa: B039  frozen


def tr(text: str, many: str = "", /, **values: object) -> str:
    """The text in the reader's language: `tr("{name} is off here.", name=plugin)`.

    With a second text, that is for other numbers than one, `n` says which of them: `tr("{n} day", "{n} days", n=3)`. The
    texts are literals, because catalogues are made of what the code says; a text without values may have braces.
    """
    return _reader.get().of(text, many, values)


def later(text: str) -> str:
    """The text as it is: for one that stands where nobody reads yet. `translated` gives it to the reader."""
    return text


def translated(text: str, /, **values: object) -> str:
    """What is declared elsewhere (by `later`, as a description or a title) in the reader's language."""
    return _reader.get().of(text, "", values)


@dataclass(frozen=True, slots=True)
class Phrase:
    """A text that is kept for readers of any language: one of `later`, the `values` that it names, and the `words` among these, which are
    such texts themselves. As a string it is in the reader's language.
    """

    text: str
    values: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        words = {name: translated(word) for name, word in self.words.items()}
        return translated(self.text, **self.values, **words)


def reading() -> Translation:
    """That of whoever reads what this task says."""
    return _reader.get()


def read_in(translation: Translation) -> None:
    """From here on, and in the tasks that this one begins, texts are in this language."""
    _reader.set(translation)


@contextmanager
def reader(translation: Translation) -> Iterator[None]:
    """The same for a while."""
    token = _reader.set(translation)
    try:
        yield
    finally:
        _reader.reset(token)
