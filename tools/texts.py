"""Brings the catalogues in bot/locale up to what the core and the plugins that come with it say. `--check` only names what is wrong.

`python -m tools.texts de` begins one in German.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog

from bot.config import Config, PluginTable
from bot.locales import OURS
from bot.plugins import load
from bot.router.core import core
from bot.router.giving import kept
from bot.web.language import scripts
from tools.extracting import Said, declared, declared_by, lacking, said, template, updated

ROOT = Path(__file__).parents[1]

HEAD = """\
# What Hobnob says, in another language. What is not translated is shown in English.
# `python -m tools.texts` brings this file up to what the code says."""


def texts() -> Catalog:
    """All of them."""
    return template(_said())


def _said() -> Iterator[Said]:
    for folder in ("bot", "plugins"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield from said(path)
    yield from map(Said, scripts())
    yield from declared_by(core(), [])
    yield from (Said(words) for one in kept() for words in (one.what, one.lives))
    names = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["hobnob.plugins"]
    yield from declared(load(Config(plugins={name: PluginTable() for name in names}), "front"))


def main(names: list[str]) -> int:
    """Writes, or checks."""
    found = texts()
    paths = sorted({*OURS.glob("*.po"), *(OURS / f"{name}.po" for name in names if not name.startswith("-"))})
    if "--check" in names:
        wrong = [fault for path in paths for fault in lacking(path, found)]
        print("\n".join(wrong))  # noqa: T201  what it is called for
        return int(bool(wrong))
    for path in paths:
        path.write_bytes(updated(path, found, HEAD))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
