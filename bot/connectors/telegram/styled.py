"""A text and its styles as Telegram takes them: entities with offsets in UTF-16 units. What Markdown becomes which: `rendering.py`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from urllib.parse import urlsplit

from telegram import MessageEntity

MOST_ENTITIES = 100
"""Telegram overlooks all further ones."""

LONG_QUOTE = 400
"""Units from which a quote is shown folded."""

_DROPPED = re.compile("[\r\u0333\u033f\u030a\u2028-\u202e\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f]")

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = rf"(?:{_LABEL}\.){{1,4}}[a-z]{{2,24}}(?::[1-9]\d{{0,3}})?"
_PATH = r"[/?#][^\s<>\"«»()\[\]{}\u2000-\u206f]*"
_MENTION = re.compile(rf"(?P<url>(?<![a-z0-9])https?://{_HOST}{_PATH})|(?<![a-z0-9_])@", re.IGNORECASE)
"""An @ that may begin a mention; and an address, in which none does: its host is one, and Telegram does not let it end before its @."""

JOINER = "\u2060"
"""Behind an @ it keeps Telegram from seeing a mention, and people from seeing a difference."""

INERT_AT = f"@{JOINER}"

WIDE_AT = "\uff20"
"""Takes the place of an @ where a joiner finds no room."""

CODE = frozenset({"code", "pre"})
QUOTE = "blockquote"


def units(text: str) -> int:
    """Telegram's length: UTF-16 code units."""
    return len(text) + sum(character > "\uffff" for character in text)


@dataclass(eq=False, slots=True)
class Style:
    """One stretch of one style; two that touch stay two. A quote may become an expandable one at its end."""

    kind: str
    url: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Styled:
    """What a post says; `entities` lie within `text`, in order, and nest."""

    text: str
    entities: tuple[MessageEntity, ...] = ()

    def clipped(self, most: int) -> Styled:
        """The beginning of at most `most` units, with an ellipsis where something is left out."""
        if units(self.text) <= most:
            return self
        room, end = most - 1, 0
        for end, character in enumerate(self.text):  # noqa: B007  where the room ends is what is looked for
            room -= units(character)
            if room < 0:
                break
        text = self.text[:end].rstrip()
        return Styled(f"{text}…", tuple(_within(self.entities, units(text))))


def _within(entities: tuple[MessageEntity, ...], end: int) -> Iterator[MessageEntity]:
    for one in entities:
        if one.offset < end:
            yield MessageEntity(one.type, one.offset, min(one.length, end - one.offset), url=one.url, language=one.language)


@dataclass
class Writer:
    """Collects words and the styles they are in; blocks are kept apart by line breaks that are written only between two of them.

    `at` is written for an @ that may begin a mention.
    """

    at: str = INERT_AT
    _runs: list[tuple[str, tuple[Style, ...]]] = field(default_factory=list)
    _open: list[Style] = field(default_factory=list)
    _gap: str = ""

    def write(self, text: str) -> None:
        """Words, as they are."""
        self._break()
        self._put(_cleaned(text))

    def gap(self, lines: int) -> None:
        """The next words stand that many line breaks further down."""
        self._gap = max(self._gap, "\n" * lines)

    @contextmanager
    def styled(self, kind: str, *, url: str | None = None, language: str | None = None) -> Iterator[None]:
        """Everything written meanwhile has the style. Code takes no other but quotes, and none stands within itself."""
        if not self._takes(kind, url):
            yield
            return
        self._break()
        before, style = len(self._runs), Style(kind, url, language)
        outside = list(self._open)
        self._open = [one for one in outside if kind not in CODE or one.kind == QUOTE] + [style]
        yield
        self._open = outside
        if kind == QUOTE and sum(units(text) for text, _ in self._runs[before:]) > LONG_QUOTE:
            style.kind = "expandable_blockquote"

    def _takes(self, kind: str, url: str | None) -> bool:
        kinds = {style.kind for style in self._open}
        stays = kind in CODE and kinds & {"text_link", "spoiler"}  # code would cut a hole into them
        return not (kind in kinds or kinds & CODE or stays or (kind == "text_link" and not linkable(url or "")))

    def _break(self) -> None:
        if self._runs and self._gap:
            self._put(self._gap)
        self._gap = ""

    def _put(self, text: str) -> None:
        if text:
            self._runs.append((text, tuple(self._open)))

    def done(self) -> Styled:
        """All that was written, without the space around it, which Telegram would cut off and so shift everything. Nobody is mentioned."""
        runs = self._harmless()
        spans: dict[Style, list[int]] = {}
        found: list[tuple[int, int, Style]] = []
        at = 0
        for styles, group in groupby(runs, key=lambda run: run[1]):
            length = sum(units(text) for text, _ in group)
            found += [(*span, style) for style in list(spans) if style not in styles for span in [spans.pop(style)]]  # type: ignore[misc]
            for style in styles:
                spans.setdefault(style, [at, at])[1] = at + length
            at += length
        found += [(*span, style) for style, span in spans.items()]  # type: ignore[misc]
        found.sort(key=lambda one: (one[0], -one[1]))
        entities = (MessageEntity(style.kind, start, end - start, url=style.url, language=style.language) for start, end, style in found)
        return Styled("".join(text for text, _ in runs), tuple(entities))

    def _harmless(self) -> list[tuple[str, tuple[Style, ...]]]:
        """With the styles alone that Telegram takes: in code nobody is mentioned, but in what it overlooks."""
        runs = self._trimmed()
        taken = set(list(dict.fromkeys(style for _, styles in runs for style in styles))[:MOST_ENTITIES])
        made, before = [], ""
        for text, styles in runs:
            shown = tuple(style for style in styles if style in taken)
            made.append((text if any(style.kind in CODE for style in shown) else _inert(text, self.at, before), shown))
            before = text[-1]
        return made

    def _trimmed(self) -> list[tuple[str, tuple[Style, ...]]]:
        runs = list(self._runs)
        while runs and not runs[-1][0].rstrip():
            runs.pop()
        while runs and not runs[0][0].lstrip():
            runs.pop(0)
        if runs:
            runs[-1] = runs[-1][0].rstrip(), runs[-1][1]
            runs[0] = runs[0][0].lstrip(), runs[0][1]
        return runs


def linkable(url: str) -> bool:
    """Whether Telegram takes this as the target of a link; it refuses the whole message for one that it does not."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port
    except ValueError:
        return False
    plain = url.isascii() and host.strip(".") == host and ".." not in host and re.fullmatch(r"[\w.-]+\.[a-zA-Z]{2,}|[\d.]+", host)
    return parts.scheme in ("http", "https") and bool(plain) and "." in host and port != 0 and parts.username is None


def plain(text: str) -> Styled:
    """The words as they are, and no longer; nobody is mentioned."""
    return Styled(_inert(_cleaned(text).strip(), WIDE_AT))


def _cleaned(text: str) -> str:
    """Without what Telegram drops."""
    return _CONTROL.sub(" ", _DROPPED.sub("", text))


def _inert(text: str, at: str, before: str = "") -> str:
    """With mentions that notify nobody; what begins behind a letter is no address."""

    def harmless(found: re.Match[str]) -> str:
        address = found["url"] and not (found.start() == 0 and before.isalnum())
        return found[0] if address else found[0].replace("@", at)

    return _MENTION.sub(harmless, text)
