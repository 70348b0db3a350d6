"""Decides whether a message speaks to the bot, by facts and a place's choices, the same everywhere. Which route follows: `dispatch.py`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from bot.messages import Message, Said
from bot.tables import Talking
from bot.traces import Rule

UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")
"""Scripts that put no spaces between words, as the names of their letters begin."""


def heard(message: Message) -> bool:
    """False for the bot's own words and those of other bots: two bots that answer each other never stop."""
    return not message.sender.bot and (message.sender.id != message.me or not message.me)  # what fires by itself is from nobody to nobody


def addressed(message: Message, talking: Talking) -> bool:
    """True for a direct message, a mention of the bot, a reply to it, and what a place counts as such; never what is for somebody else."""
    return bool(spoken(message, talking))


def spoken(message: Message, talking: Talking) -> Rule:
    """By which rule it is so, "" by none."""
    if message.address.direct:
        return "direct"
    if any(person.id == message.me for person in message.mentions):
        return "mention"
    if message.reply_to is not None and message.reply_to.sender.id == message.me:
        return "reply"
    if not isinstance(message.trigger, Said) or not message.parts or _for_another(message):
        return ""
    if talking.threads and message.address.thread:
        return "thread"
    if talking.listens:
        return "listens"
    return "word" if named(message.text, talking.words) else ""


def _for_another(message: Message) -> bool:
    """Whether it mentions a human, or answers one; answering oneself is going on."""
    replied = message.reply_to is not None and message.reply_to.sender.id != message.sender.id
    return replied or any(person.id != message.me for person in message.mentions)


def named(text: str, words: Iterable[str]) -> bool:
    """Whether one of the words is said: as a word of its own, or anywhere in a script without spaces."""
    return any(_pattern(word).search(text) for word in words if word.strip())


def _pattern(word: str) -> re.Pattern[str]:
    before = "" if _unspaced(word[0]) else r"(?<!\w)"
    after = "" if _unspaced(word[-1]) else r"(?!\w)"
    return re.compile(before + re.escape(word) + after, re.IGNORECASE)


def _unspaced(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith(UNSPACED)


def follows(message: Message, talking: Talking) -> bool:
    """Whether what was not said to the bot is remembered, so that it knows what people talk about when it is mentioned."""
    return talking.follows and isinstance(message.trigger, Said) and not message.addressed and bool(message.text.strip())
