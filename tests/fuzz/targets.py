"""Every parser that reads what strangers write: what it may be given, and what must hold of it. Running them: `__main__.py`."""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import telegram
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from bot.config import sound
from bot.connector import typed_command
from bot.connectors.telegram.reading import Reader
from bot.connectors.telegram.receiving import Receiver
from bot.connectors.telegram.rendering import rendered
from bot.connectors.telegram.styled import units
from bot.connectors.telegram.surroundings import Surroundings
from bot.errors import BadArguments, ConfigError, UserError
from bot.media import Decoder
from bot.messages import Message
from bot.papers import Papers
from bot.pictures import Pictures
from bot.router.arguments import parse, validate
from bot.router.splitting import split
from bot.store.dump import Record
from bot.store.uploads import safe, sniff
from bot.web.markdown import Markdown
from tests.connectors.on_telegram import Deaf
from tests.fuzz import discords

DATA = Path(__file__).parents[1] / "data"

Value = str | bytes


@dataclass(frozen=True, slots=True)
class Target:
    """`strategy` makes values, `check` gives one to the parser and raises where something does not hold; `slow`: a process each time."""

    strategy: st.SearchStrategy[Value]
    check: Callable[[Any], None]
    slow: bool = False


class Args(BaseModel):
    """Of every kind that commands have."""

    words: str = Field(min_length=1, max_length=200)
    times: int = Field(default=1, ge=1, le=3)
    scale: float = 1.0
    tone: Literal["soft", "loud"] = "soft"
    secretly: bool = False


def arguments(text: str) -> None:
    """What is typed behind a command becomes arguments, or a sentence."""
    with suppress(BadArguments):
        given = validate(Args, parse(Args, text))
        assert Args.model_validate(given).model_dump(mode="json") == given
    if called := typed_command(text, "bot"):
        assert called.command == called.command.lower()


def pages(text: str) -> None:
    """No Markdown becomes an element or an address that runs."""
    html = Markdown().render(text).lower()
    for hostile in ("<script", "<iframe", "<img", "<svg", "<object", "<style", 'href="javascript', 'href="data', 'href="vbscript'):
        assert hostile not in html


def pieces(text: str) -> None:
    """Every piece fits."""
    assert all(len(piece) <= 200 and (piece or not text.strip()) for piece in split(text, 200))


def entities(text: str) -> None:
    """Every entity lies within the text that it is of."""
    styled = rendered(text)
    for entity in styled.entities:
        assert entity.offset >= 0 and entity.length > 0 and entity.offset + entity.length <= units(styled.text)


def toml(text: str) -> None:
    """A configuration is right, or its faults are sentences that name their place."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bot.toml"
        path.write_text(text, encoding="utf-8", errors="surrogatepass")
        try:
            _, faults = sound(path)
        except ConfigError as error:
            faults = [str(error)]
        assert all("bot.toml" in fault or "environment variable" in fault for fault in faults)


def update(text: str) -> None:
    """An update that nobody understands keeps none behind it from being taken."""
    good = {"update_id": 2, "message": {"message_id": 7, "date": 1, "chat": {"id": 5, "type": "private"}, "from": _PERSON, "text": "good"}}
    heard: list[Message] = []

    async def deliver(message: Message) -> None:
        heard.append(message)

    async def status(chat: int, person: int) -> str:
        return "member"

    me = telegram.User(1, "Bot", True, username="bot")
    receiver = Receiver(telegram.Bot("1:" + "a" * 35), Reader(me, status, Surroundings(Deaf())), deliver, lambda click: None)
    asyncio.run(receiver.take([json.loads(text), good]))
    assert "good" in [message.text for message in heard]


def names(content: bytes) -> None:
    """A name names no folder; what a file is, is said of any bytes."""
    name = safe(content.decode("utf-8", "surrogateescape"))
    assert name and len(name) <= 120 and not set(name) & set('/\\:*?"<>|\0') and name not in (".", "..")
    assert "/" in sniff(content)


def record(text: str) -> None:
    """A line of a backup is a record or a fault."""
    with suppress(ValueError):
        Record.model_validate_json(text)


def sound_file(content: bytes) -> None:
    """A recording becomes clips, or a sentence."""

    async def hear() -> None:
        async for clip in Decoder().clips(_stream(content), 30.0):
            assert clip

    with suppress(UserError):
        asyncio.run(hear())


def picture(content: bytes) -> None:
    """A picture becomes a PNG, or a sentence."""
    with suppress(UserError):
        assert asyncio.run(Pictures().read(_stream(content), 512)).png.startswith(b"\x89PNG")


def paper(content: bytes) -> None:
    """A PDF becomes words, or a sentence."""
    with suppress(UserError):
        assert isinstance(asyncio.run(Papers().read(_stream(content), 10_000)).text, str)


async def _stream(content: bytes) -> AsyncIterator[bytes]:
    yield content


_PERSON = {"id": 5, "is_bot": False, "first_name": "Ann"}

MARKS = [
    "```",
    "`",
    "**",
    "__",
    "~~",
    "||",
    "> ",
    "- ",
    "1. ",
    "# ",
    "|",
    "[a](",
    "](http://x)",
    "<",
    ">",
    "&",
    "\\",
    "\n",
    "\n\n",
    " ",
    "a",
    "é",
    "😀",
    "界",
]
MARKDOWN = st.lists(st.sampled_from(MARKS) | st.text(max_size=6), max_size=60).map("".join)
TYPED = st.lists(
    st.sampled_from(["--words", "--times", "=", "3", '"', "“", "—", "/say", "@bot", "\n", "  "]) | st.text(max_size=8), max_size=20
).map(" ".join)
TOML = st.lists(
    st.sampled_from(["[web]", "port", " = ", "0", '"', "'''", "[[", "]]", "{", "}", "plugins", ".", "\n", "#", "[plugins.x]", "true"])
    | st.text(max_size=5),
    max_size=40,
).map("".join)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "type", "text", "chat", "from", "date", "entities", "user"]), inner, max_size=4)
    ),
    max_leaves=12,
)
FIELDS = [
    "message_id",
    "date",
    "chat",
    "from",
    "text",
    "caption",
    "entities",
    "photo",
    "voice",
    "reply_to_message",
    "sender_chat",
    "media_group_id",
    "quote",
]
MESSAGE = st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6).map(
    lambda odd: {"message_id": 6, "date": 1, "chat": {"id": 5, "type": "private"}, "from": _PERSON} | odd
)
KINDS = st.sampled_from(["message", "edited_message", "callback_query", "message_reaction", "my_chat_member", "unknown"])
UPDATE = st.tuples(KINDS, MESSAGE | JSON).map(lambda found: json.dumps({"update_id": 1, found[0]: found[1]}))
RECORD = st.dictionaries(st.sampled_from(["key", "kind", "until", "value"]), JSON, max_size=4).map(json.dumps)


@cache
def _files(pattern: str) -> tuple[bytes, ...]:
    return tuple(path.read_bytes()[:60_000] for path in sorted(DATA.rglob(pattern)))


def _damaged(*patterns: str) -> st.SearchStrategy[Value]:
    """Real files with some bytes turned over, cut off, or joined with others."""

    def damage(seed: int) -> bytes:
        dice = random.Random(seed)
        content = bytearray(dice.choice([one for pattern in patterns for one in _files(pattern)] or [b"%PDF-1.4\n"]))
        for _ in range(dice.choice((1, 10, 200))):
            content[dice.randrange(len(content))] = dice.randrange(256)
        return bytes(content[: dice.randrange(len(content))] if dice.random() < 0.3 else content)

    return st.integers(0, 1 << 48).map(damage) | st.binary(max_size=300)


TARGETS: Mapping[str, Target] = {
    "arguments": Target(TYPED | st.text(), arguments),
    "pages": Target(MARKDOWN, pages),
    "splitting": Target(MARKDOWN, pieces),
    "telegram": Target(MARKDOWN, entities),
    "toml": Target(TOML, toml),
    "updates": Target(UPDATE, update),
    "discord": Target(discords.MESSAGE, discords.message),
    "names": Target(st.binary(max_size=200) | st.text().map(lambda text: text.encode(errors="surrogatepass")), names),
    "records": Target(RECORD, record),
    "sound": Target(_damaged("audio/short*", "audio/jfk.mp3", "audio/jfk.ogg", "audio/jfk.m4a"), sound_file, slow=True),
    "pictures": Target(_damaged("*.png", "*.jpg", "*.webp"), picture, slow=True),
    "papers": Target(_damaged("*.pdf"), paper, slow=True),
}
