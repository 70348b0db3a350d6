"""What may be drawn in a server: its blocked words, and clean prompts. Pure functions; a server's choices: `settings.py`."""

from __future__ import annotations

import re
import unicodedata

from bot import Refused, tr

LONGEST = 2_000
"""Characters of a prompt; no model reads more than some 500 tokens."""


def clean(text: str) -> str:
    """The words without control characters and double spaces, and with letters in their usual form."""
    seen = "".join(" " if unicodedata.category(letter)[0] in "CZ" else letter for letter in unicodedata.normalize("NFC", text))
    return " ".join(seen.split())


def check(text: str, blocked: str) -> None:
    """Raises Refused for words that this server has blocked; which one it was is not said, so that nobody is led around it."""
    plain = _plain(text)
    if any(re.search(_pattern(word), plain) for each in blocked.split(",") if (word := _plain(each.strip()))):
        raise Refused(tr("This server does not want such pictures. Please ask for another one."))


def _pattern(word: str) -> str:
    end = "" if word.endswith("*") else r"(?!\w)"
    return rf"(?<!\w){re.escape(word.removesuffix('*'))}{end}"


def _plain(text: str) -> str:
    """Letters as they are compared: without accents and case, whatever alphabet they were borrowed from for looks."""
    apart = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in apart if not unicodedata.combining(letter))
