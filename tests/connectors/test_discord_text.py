"""What a person reads on Discord is what the model said, whatever that is; and nobody is ever notified by it."""

from __future__ import annotations

import asyncio
import re
from types import SimpleNamespace
from typing import Any, cast

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.connector import Limits
from bot.connectors.discord.limits import TEXT
from bot.connectors.discord.outgoing import changed, new
from bot.messages import Address, Message, Person
from bot.replies import Reply
from bot.router.journal import Journal
from bot.router.posts import MOST_PIECES, Posts
from bot.store.tickets import Body, Ticket
from tests.connectors.test_discord_load import Nowhere
from tests.wire.discord_payloads import Json
from tests.wire.discord_rules import check_message, forgotten

LIMITS = Limits(TEXT, 10 << 20, 1.2, utf16=True)

ASKED = Message("1", "1", Address("discord", "2", "3"), Person("4", "Ada"))

MENTIONS = [
    "@everyone ",
    "@here ",
    "<@123456789012345678> ",
    "<@!5> ",
    "<@&77> ",
    "<#88> ",
    "</say:99> ",
    "<:smile:1> ",
    "<t:1700000000:R> ",
]
MARKS = [
    "**bold** ",
    "__x__",
    "~~no~~ ",
    "||spoiler|| ",
    "> quoted\n",
    "# Heading\n",
    "- item\n",
    "1. first\n",
    "\\*",
    "[a](https://example.org/b) ",
]
FENCES = ["\n```\n", "\n```python\n", "\n````markdown\n", "\n````\n", "\n~~~\n", "`", "``", "```", "$x^2$ "]
LETTERS = [
    "\u200b",
    "\u200d",
    "\u2066",
    "\u2069",
    "\u202e",
    "\ufeff",
    "שלום ",
    "مرحبا ",
    "你好。",
    "👩\u200d👩\u200d👧",
    "e\u0301",
    "word " * 60,
    "\u3000",
    "\n\n",
]

SAID = st.lists(
    st.sampled_from(MENTIONS + MARKS + FENCES + LETTERS) | st.text(st.characters(exclude_categories=["Cs"]), max_size=40), max_size=60
)


def letters(text: str) -> str:
    """What is read: without white space, and without the marks and languages of code, which are closed and opened again where it is cut."""
    return re.sub(r"[`~]|python|markdown", "", re.sub(r"\s+", "", text))


def sent(text: str) -> list[Json]:
    """What would go over the wire for this reply; each part as a new message and as an edit, which Discord takes both."""
    nowhere = cast("Any", SimpleNamespace())
    journal = Journal(Ticket("1" * 32, 1, 1, Body(plugin="p", route="r", version="1", message=ASKED), 0.0), Nowhere(), {})
    made = []
    for post in asyncio.run(Posts(nowhere, nowhere).of(Reply(text), journal, LIMITS)):
        for edit, arguments in ((False, new(post)), (True, changed(post))):
            files = {
                file.filename: (file.filename, file.fp.read(), "") for file in arguments.get("files", arguments.get("attachments", []))
            }
            mentions = arguments["allowed_mentions"].to_dict()
            body = {"content": arguments["content"], "allowed_mentions": mentions, "files": files}
            check_message(body, files, edit=edit)
            assert forgotten(body) == [], "somebody would be notified"
            made += [body] if not edit else []
    return made


@settings(max_examples=150, deadline=None)
@example(["````markdown\n", "```python\n", "print()\n" * 400, "```\n", "````"])
@example(["@everyone " * 900])
@given(SAID)
def test_what_is_read_is_what_was_said_and_nobody_is_notified(parts: list[str]) -> None:
    text = "".join(parts)
    if not text.strip():
        return  # a handler that says nothing is told so by the runner
    made = sent(text)
    [*files] = [content for body in made for _, content, _ in body["files"].values()]
    if files:
        assert len(made) == 1
        assert files[0].decode() == text
    else:
        assert 1 <= len(made) <= MOST_PIECES
        said = iter(letters("\n".join(body["content"] for body in made)))
        assert all(letter in said for letter in letters(text)), "all of it, in order"
