"""What a message says in the model's terms, and what an answer says in the chat's; pure functions. When they are used: `front.py`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from bot import Audio, File, Image, Message, Quote, Text, Turn, estimate_tokens, tr

PUNCTUATION = " \t\n?!.,:;…"

LONGEST_QUOTE = 1_000
"""Characters of a quoted message; enough to know which one is meant."""


def words(message: Message) -> str:
    """What was said to the bot, without the mention that says to whom; "" for nothing but punctuation."""
    text = message.text
    for name in {person.name for person in message.mentions if person.id == message.me and person.name}:
        # The comma before a mention belongs to it: "well, @Hobnob?" becomes "well?".
        text = re.sub(rf"(?:^\s*|[,\s]*\s)@{re.escape(name)}(?!\w)", "", text, flags=re.IGNORECASE)
    text = text.strip().lstrip(",:;").strip()
    return text if text.strip(PUNCTUATION) else ""


def quoted(message: Message) -> str:
    """The message that this one replies to, as the lines of a Markdown quote; "" when there is none, or nothing in it."""
    quote = message.reply_to
    said = "" if quote is None else described(quote.parts)
    if quote is None or not said:
        return ""
    text = f"{quote.sender.name}: {said}" if len(said) <= LONGEST_QUOTE else f"{quote.sender.name}: {said[:LONGEST_QUOTE]}…"
    return "\n".join(f"> {line}" for line in text.splitlines())


def described(parts: Iterable[Text | Image | Audio | File]) -> str:
    """Parts in words: what is not text is named, so that the model knows that something was there."""
    return "\n".join(filter(None, (_described(part) for part in parts)))


def _described(part: Text | Image | Audio | File) -> str:
    match part:
        case Text(text=text):
            return text.strip()
        case Image(alt=alt):
            return f"[picture: {alt}]" if alt else "[picture]"
        case Audio():
            return "[voice note]"
        case File(source=source):
            return f"[file {source.name}]" if source.name else "[file]"


def question(message: Message, history: Sequence[Turn]) -> Turn:
    """The turn of the person who speaks, with the message they reply to unless it is the turn before."""
    spoken = any(_is_of(message.reply_to, turn) for turn in history[-1:])
    others = described(part for part in message.parts if not isinstance(part, Text))
    text = "\n".join(filter(None, ("" if spoken else quoted(message), words(message), others)))
    sender = message.sender
    tokens = estimate_tokens(f"{sender.name}: {text}")
    return Turn(role="person", parts=(Text(text),), name=sender.name, person=sender.id, message=message.id, at=message.at, tokens=tokens)


def _is_of(quote: Quote | None, turn: Turn) -> bool:
    """Whether a quoted message is this turn; below an answer may stand what was not remembered of it."""
    return quote is not None and bool(said := turn.text.strip()) and described(quote.parts).startswith(said)


def labels(message: Message, turns: Iterable[Turn]) -> frozenset[str]:
    """How an answer may wrongly begin: everybody in the prompt is labelled with a name, and small models imitate that."""
    names = {turn.name for turn in turns} | {person.name for person in message.mentions if person.id == message.me}
    return frozenset(f"{name}:" for name in names if name)


def unlabelled(text: str, found: frozenset[str]) -> str:
    """The answer without such a label."""
    label = next((label for label in found if text.startswith(label)), "")
    return text.removeprefix(label).strip()


def may_become_label(text: str, found: frozenset[str]) -> bool:
    """True while it cannot be told yet whether the answer begins with a label."""
    return any(label.startswith(text) for label in found)


def reopened(said: str, more: str) -> str:
    """What goes on behind `said`, as a message of its own: a code block that is open there begins anew."""
    opening = ""
    for line in said.splitlines():
        if line.lstrip().startswith("```"):
            opening = "" if opening else line.strip()
    return f"{opening}\n{more.strip(chr(10))}" if opening else more.strip()


def unreadable(message: Message) -> str:
    """What the bot cannot read in this message, as a sentence; "" when there is nothing of the kind."""
    kinds = [name for kind, name in ((Image, tr("pictures")), (File, tr("files"))) if any(isinstance(part, kind) for part in message.parts)]
    seen = tr("I cannot read {what} yet.", what=tr(" or ").join(kinds)) if kinds else ""
    heard = tr("I cannot listen to recordings here.") if any(isinstance(part, Audio) for part in message.parts) else ""
    return " ".join(filter(None, (seen, heard)))


def too_long(length: int, readable: int) -> str:
    """What is said of a text that does not fit the model; both in characters."""
    has, most = f"{length:,}", f"{readable:,}"
    return tr("That is too long for me: {has} characters, and I can read about {most} at once. Please send less.", has=has, most=most)
