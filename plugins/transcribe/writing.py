"""What the chat sees of a transcript: a quote, or its beginning and a file, with buttons. How sound becomes one: `listening.py`."""

from __future__ import annotations

from collections.abc import Sequence

from bot import Blob, Button, Context, File, Reply, later, tr, translated
from plugins.transcribe.formats import named, txt
from plugins.transcribe.languages import NAMES
from plugins.transcribe.transcripts import PARAGRAPH, Whole, clock, paragraphs, together, turns

NOBODY = later("Nobody speaks in this recording.")

MESSAGES = 2
"""Messages that a text may fill; of a longer one the beginning is shown, and all of it comes as a file."""

BEGINNING = 700
"""Characters of it: what a caption under a file takes everywhere, with the rest of the words there."""


def quote(text: str) -> str:
    """As a Markdown quote. Telegram folds a long one up."""
    return "\n".join(f"> {line}" if line else ">" for line in text.splitlines())


def body(whole: Whole) -> str:
    """The words, with marks; those of several speakers one after the other, else those of a long recording in paragraphs of a minute."""
    if whole.speakers > 1:
        return "\n\n".join(f"{named(part[0], '**{}:** ')}{together(part, whole.language)}" for part in turns(whole.segments))
    if whole.seconds <= PARAGRAPH:
        return together(whole.segments, whole.language)
    return "\n\n".join(together(part, whole.language) for part in paragraphs(whole.segments))


def timed(whole: Whole) -> str:
    """A line for each segment, with the time at which it begins, and where several speak with who it is."""
    who = whole.speakers > 1
    said = ((one, together([one], whole.language)) for one in whole.segments)
    return "\n".join(f"`{clock(one.start)}` {named(one, '**{}:** ') if who else ''}{words}" for one, words in said)


def spoken(heard: Sequence[Whole], usual: str) -> str:
    """The languages that are not the usual one here, in words; none while that is not known."""
    codes = dict.fromkeys(one.language for one in heard if one.parts)
    return ", ".join(NAMES.get(code, code) for code in codes if code and usual and code != usual)


async def reply(ctx: Context, heard: Sequence[Whole], usual: str, buttons: Sequence[Button]) -> Reply:
    """All recordings of a message. It notifies nobody: whoever sent the note knows what it says."""
    text = "\n\n".join(quote(body(one)) if one.parts else translated(NOBODY) for one in heard)
    note = f"_{found}_" if (found := spoken(heard, usual)) else ""
    if ctx.limits.size(text) + len(note) <= MESSAGES * ctx.limits.text * 0.9:  # where it is cut, some room is left
        return Reply(*filter(None, (text, note)), buttons=buttons, silent=True)
    whole = "\n".join(txt(one) for one in heard)
    beginning = quote(f"{text_of(heard)[:BEGINNING].rsplit(' ', 1)[0]} …")
    return Reply(*filter(None, (beginning, note)), await file(ctx, "transcript.txt", "text/plain", whole), buttons=buttons, silent=True)


def text_of(heard: Sequence[Whole]) -> str:
    """The words of all, with marks."""
    return "\n\n".join(body(one) for one in heard if one.parts)


async def file(ctx: Context, name: str, mime: str, content: str) -> File:
    """A file with this content."""
    kept: Blob = await ctx.keep(content.encode(), mime, name)
    return File(kept)


def growing(text: str, done: float, total: float, left: float) -> Reply | None:
    """The end of what is known so far, how far that is, and how long it still takes; all in seconds, 0 for what is not known."""
    if not text:
        return None
    shown = text if len(text) <= BEGINNING else f"… {text[-BEGINNING:].split(' ', 1)[-1]}"
    if total <= PARAGRAPH:
        return Reply(quote(f"{shown} …"), silent=True)
    rest = tr(", {wait} left", wait=_roughly(left)) if left >= SOON else ""
    far = tr("{done} of {total}", done=clock(done), total=clock(total))
    return Reply(f"{quote(shown)}\n\n_{far}{rest} …_", silent=True)


SOON = 10.0
"""Seconds of waiting that are worth a word."""


def _roughly(seconds: float) -> str:
    minutes = round(seconds / 60)
    return tr("about {n} minute", "about {n} minutes", n=minutes) if minutes else tr("less than a minute")
