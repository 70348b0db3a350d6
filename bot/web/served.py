"""Our own styles and scripts, under addresses that name their content. What is on the pages: their modules."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

from nicegui.dependencies import register_importmap_override
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

IMPORTED = re.compile(r'from "/static/([\w-]+\.js)"')


@cache
def digest() -> str:
    """Of all of them: another release has other addresses, so a browser need never ask whether a file has changed."""
    found = sorted((one for one in files("bot.web").joinpath("static").iterdir() if one.is_file()), key=lambda one: one.name)
    return hashlib.sha256(b"".join(one.name.encode() + one.read_bytes() for one in found)).hexdigest()[:12]


def address(name: str) -> str:
    """Where a browser finds the file."""
    return f"/static/{digest()}/{name}"


@cache
def imported(script: str) -> Sequence[str]:
    """The scripts that this one needs, and those that they need: a browser would find them one after the other."""
    found: dict[str, None] = {}
    ahead = [script]
    while ahead:
        text = files("bot.web").joinpath("static", ahead.pop()).read_text(encoding="utf-8")
        ahead += [name for name in IMPORTED.findall(text) if name not in found]
        found.update(dict.fromkeys(ahead))
    return tuple(found)


class Served(StaticFiles):
    """Serves them: under their address for good, under their plain name to whoever asks each time whether they changed."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory=directory)
        register_importmap_override("/static/", address(""))

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file."""
        named = path.removeprefix(f"{digest()}/")
        response = await super().get_response(named, scope)
        response.headers["Cache-Control"] = "no-cache" if named == path else "public, max-age=31536000, immutable"
        return response
