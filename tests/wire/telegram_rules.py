"""What Telegram accepts of text, entities, keyboards and pace, in its own words of refusal. Chats: `telegram_chats.py`.

Stricter than the platform where it is lenient: entities must lie within the text, hold whole characters, and nest.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

STYLES = frozenset({"bold", "italic", "underline", "strikethrough", "spoiler", "blockquote", "expandable_blockquote"})
NAMED = frozenset({"code", "pre", "text_link", "text_mention", "custom_emoji"})
SAID = frozenset({"mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number"})
QUOTES = frozenset({"blockquote", "expandable_blockquote"})
PLAIN = frozenset({"code", "pre"})

LINK = re.compile(r"https?://[^/?#@\s]+\.[^/?#@\s]+|tg://")

MOST_TEXT = 4096
MOST_CAPTION = 1024
MOST_ENTITIES = 100


class Refusal(Exception):  # noqa: N818  an answer like any other
    """A call that the platform does not carry out."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.parameters = parameters

    @property
    def answer(self) -> Json:
        """As it goes over the wire."""
        answer: Json = {"ok": False, "error_code": self.code, "description": str(self)}
        return {**answer, "parameters": self.parameters} if self.parameters else answer


def bad(description: str, **parameters: int) -> Refusal:
    """Refuses what was asked for."""
    return Refusal(400, f"Bad Request: {description}", **parameters)


def units(text: str) -> int:
    """Telegram's length: UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def check_text(text: str, entities: Sequence[Json], most: int = MOST_TEXT, *, empty: bool = False) -> None:
    """Raises Refusal for what cannot be a message's text, or, with `empty`, its caption."""
    if not text.strip():
        if empty and not entities:
            return
        raise bad("message text is empty")
    if units(text) > most:
        raise bad("message is too long" if most == MOST_TEXT else "message caption is too long")
    if text != text.strip():
        raise bad("text begins or ends with a space, which shifts its entities")
    check_entities(text, entities)


def check_entities(text: str, entities: Sequence[Json]) -> None:
    """Raises Refusal for entities that do not describe the text."""
    if len(entities) > MOST_ENTITIES:
        raise bad("ENTITIES_TOO_LONG")
    boundaries = character_boundaries(text)
    spans: list[tuple[int, int, str]] = []
    for one in entities:
        unknown = set(one) - {"type", "offset", "length", "url", "user", "language", "custom_emoji_id"}
        if unknown or one["type"] not in STYLES | NAMED | SAID:
            raise bad(f"can't parse entities: unsupported {sorted(unknown) or one['type']}")
        start, end = one["offset"], one["offset"] + one["length"]
        if one["length"] <= 0 or start not in boundaries or end not in boundaries:
            raise bad(f"ENTITY_BOUNDS_INVALID: {one}")
        if one["type"] == "text_link" and not LINK.match(str(one.get("url", ""))):
            raise bad("ENTITY_TEXTURL_INVALID")
        if "language" in one and one["type"] != "pre":
            raise bad("can't parse entities: only pre has a language")
        spans.append((start, end, one["type"]))
    check_nesting(spans)


def character_boundaries(text: str) -> set[int]:
    """Offsets between characters; those within a surrogate pair are none."""
    found, at = {0}, 0
    for character in text:
        at += 2 if ord(character) > 0xFFFF else 1
        found.add(at)
    return found


def check_nesting(spans: Sequence[tuple[int, int, str]]) -> None:
    """Entities lie beside or within one another; code holds none and lies in none but quotes, quotes lie in none."""
    for number, (start, end, kind) in enumerate(spans):
        for from_, to, other in spans[number + 1 :]:
            if to <= start or end <= from_:
                continue
            nested = (start <= from_ and to <= end) or (from_ <= start and end <= to)
            if not nested:
                raise bad(f"can't parse entities: {kind} and {other} overlap")
            pair = {kind, other}
            if len(pair) == 1 or (pair & PLAIN and not pair & QUOTES) or pair <= QUOTES:
                raise bad(f"can't parse entities: {kind} and {other} cannot be nested")


def check_keyboard(markup: Json | None) -> None:
    """Raises Refusal for a keyboard that cannot be shown."""
    if not markup:
        return
    if "inline_keyboard" not in markup:
        if set(markup) - {"force_reply", "input_field_placeholder", "selective"}:
            raise bad("object expected as reply markup")
        return
    for button in (button for row in markup["inline_keyboard"] for button in row):
        if not button.get("text"):
            raise bad("text buttons are required to have a text")
        if not 1 <= len(button.get("callback_data", "").encode()) <= 64 and "url" not in button:
            raise bad("BUTTON_DATA_INVALID")


@dataclass
class Pace:
    """How much the platform takes: `overall` a second, to a person one a second after a burst of `burst`, to a group `group` a minute.

    `clock` counts in seconds; 0 for `overall` switches all of it off.
    """

    clock: Callable[[], float]
    overall: int = 30
    burst: int = 3
    group: int = 20
    refused: int = 0
    _sent: dict[int, deque[float]] = field(default_factory=lambda: defaultdict(deque))
    _held: dict[int, float] = field(default_factory=dict)

    def take(self, chat: int) -> None:
        """Counts a message, or refuses it with the seconds to wait."""
        if not self.overall:
            return
        now = self.clock()
        wait = max(
            self._held.get(chat, 0.0) - now,
            self._over(0, self.overall, 1.0, now),
            self._over(chat, self.group, 60.0, now) if chat < 0 else self._over(chat, self.burst, float(self.burst), now),
        )
        if wait > 0:
            self.refused += 1
            self._held[chat] = now + wait
            raise Refusal(429, f"Too Many Requests: retry after {math.ceil(wait)}", retry_after=math.ceil(wait))
        self._sent[0].append(now)
        self._sent[chat].append(now)

    def _over(self, what: int, most: int, window: float, now: float) -> float:
        sent = self._sent[what]
        while sent and sent[0] <= now - window:
            sent.popleft()
        return 0.0 if len(sent) < most else sent[0] + window - now


def given(call: Mapping[str, Any], *names: str) -> Json:
    """Those of the named parameters that a call has."""
    return {name: call[name] for name in names if call.get(name) is not None}
