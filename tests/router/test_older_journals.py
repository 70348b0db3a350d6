"""What a router of an older release has journalled is not done again by a newer one: effects are named as they were."""

from __future__ import annotations

import hashlib
from unittest.mock import Mock

import pytest

from bot.acts import Fetched
from bot.messages import Blob
from bot.router.acts import DurableActs, fetched_json
from bot.router.deciding import blob_json
from bot.router.journal import Journal
from bot.store.digests import PIECE, digest_of

FILE = bytes(range(256)) * 1000


def older(*words: str) -> str:
    """As the first release made digests."""
    return hashlib.blake2b("\0".join(words).encode(), digest_size=16).hexdigest()


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 5])
def test_a_file_is_named_as_it_was(size: int) -> None:
    content = (FILE * 2)[:size]
    assert len(content) == size
    assert digest_of(content) == older(content.hex())


async def test_what_an_older_router_fetched_and_kept_is_neither_fetched_nor_kept_again() -> None:
    came, kept = Fetched(201, "text/plain", b"made"), Blob("first", "audio/ogg", len(FILE), "note.ogg")
    posted = older("POST", "https://example.org/orders", '{"accept": "text/plain"}', older(FILE.hex()), "1000")
    entries = {
        f"fetch:{posted}:1": fetched_json.dump_json(came),
        f"keep:{older('audio/ogg', 'note.ogg', older(FILE.hex()))}:1": blob_json.dump_json(kept),
    }
    acts = DurableActs(Journal(Mock(), Mock(), entries), Mock(), Mock(), Mock(), Mock())
    assert await acts.fetch("POST", "https://example.org/orders", {"accept": "text/plain"}, FILE, 1000) == came
    assert await acts.keep(FILE, "audio/ogg", "note.ogg") == kept
