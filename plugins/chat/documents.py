"""Text files and PDFs that people send become words in their message, marked as theirs. What else a message says: `wording.py`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeGuard

from bot import Context, File, Message, Part, Text, tr
from bot.turns import BYTES_PER_TOKEN

LARGEST = 2 << 20
"""Bytes of a text file; far more than any model is shown."""

KINDS = ("text/", "application/json", "application/xml", "application/x-yaml", "application/toml", "application/javascript")
NAMES = re.compile(
    r"\.(txt|md|rst|csv|tsv|json|xml|ya?ml|toml|ini|cfg|log|html?|css|py|[jt]s|java|[ch]|cpp|cs|go|rs|rb|php|sh|sql|tex)$", re.IGNORECASE
)
"""Platforms call many of these application/octet-stream."""

PDF = "application/pdf"


def readable(part: Part) -> TypeGuard[File]:
    """Whether it is a file of text or a PDF, by what the platform says and by its name."""
    named = isinstance(part, File) and (part.source.mime.startswith(KINDS) or NAMES.search(part.source.name) is not None)
    return named or (isinstance(part, File) and is_pdf(part))


def is_pdf(part: File) -> bool:
    """Whether its words lie in pages."""
    return part.source.mime == PDF or part.source.name.lower().endswith(".pdf")


async def with_documents(ctx: Context, message: Message, room: int) -> tuple[Message, list[str]]:
    """The message with its text files, and those of the message it replies to, as words of at most `room` tokens; what of them was read.

    Raises UserError for a file that is too large to be fetched.
    """
    files = [part for part in message.parts if readable(part)]
    quoted = [part for part in message.reply_to.parts if readable(part)] if message.reply_to else []
    texts, left_out = await beginnings(ctx, [*files, *quoted], room)
    named = zip((*files, *quoted), texts, strict=True)
    added = [Text(marked(_name(part), text)) for part, text in named]
    parts = (*(part for part in message.parts if part not in files), *added)
    return (replace(message, parts=parts) if added else message), left_out


def marked(name: str, text: str) -> str:
    """As a quote, so that nobody's file speaks for whoever sent it."""
    return "\n".join([f"[{name}]", *(f"> {line}" for line in text.splitlines())])


async def beginnings(ctx: Context, files: Sequence[File], room: int) -> tuple[list[str], list[str]]:
    """As much of each file as fits, where they share `room` tokens; and what was read of those that were cut. Raises UserError."""
    share, texts, left_out = room // max(1, len(files)), [], []
    for part in files:
        text, cut = shortened(await content(ctx, part, share), share)
        texts.append(text)
        left_out += [tr("the first {n} characters of {file}", n=f"{len(text):,}", file=_name(part))] if cut else []
    return texts, left_out


def _name(part: File) -> str:
    return part.source.name or "a file"


async def content(ctx: Context, part: File, tokens: int) -> str:
    """The text of a file, whatever of the usual encodings it is in; control characters are left out. Raises UserError.

    Of a PDF no more pages are read than make up so many tokens.
    """
    if is_pdf(part):
        return _printable((await ctx.paper(part.source, letters=max(0, tokens) * BYTES_PER_TOKEN + 1)).text)
    raw = await ctx.read(part.source, limit=LARGEST)
    for encoding in ("utf-16",) if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp1252"):
        try:
            return _printable(raw.decode(encoding))
        except UnicodeDecodeError:
            continue
    return _printable(raw.decode("latin-1"))


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable() or letter in "\n\t")


def shortened(text: str, tokens: int) -> tuple[str, bool]:
    """The beginning that fits, and whether something is missing; each line costs two letters more than it has."""
    kept, left = [], max(0, tokens * BYTES_PER_TOKEN - 60)
    for line in text.splitlines():
        cost = len(line.encode()) + 3
        if cost > left:
            kept.append(line.encode()[: max(0, left - 3)].decode(errors="ignore"))
            return "\n".join(kept).strip(), True
        kept.append(line)
        left -= cost
    return "\n".join(kept), False


def read_in_part(left_out: Iterable[str]) -> str:
    """What is said below an answer, "" where everything was read."""
    read = tr(" and ").join(filter(None, left_out))
    return f"({tr('I have read {what}.', what=read)})" if read else ""
