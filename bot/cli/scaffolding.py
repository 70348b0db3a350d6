"""`hobnob plugins new`: a complete project for a plugin, whose tests pass. What is in it: the templates in `new/`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Template
from typing import Literal

import typer

from bot.discovery import installed
from bot.errors import UserError

TEMPLATES = Path(__file__).with_name("new")

Kind = Literal["command", "listener", "model", "tool"]

NAME = re.compile(r"[a-z][a-z0-9-]{1,30}[a-z0-9]")

FACTS: Mapping[Kind, Mapping[str, str]] = {
    "command": {
        "summary": "Greets people.",
        "usage": "`/$command` greets who asks, `/$command NAME` somebody else.",
        "settings_row": '| `greeting` | "Hello" | how people are greeted |',
    },
    "listener": {
        "summary": "Answers thanks.",
        "usage": "Who thanks the bot is answered, and told how often that was.",
        "settings_row": '| `answer` | "You are welcome" | what is said to who says thanks |',
    },
    "model": {
        "summary": "Shouts.",
        "usage": "`/$command TEXT` has the model shout it.",
        "settings_row": "| `loud` | true | whether there is an exclamation mark at the end |",
    },
    "tool": {
        "summary": "Counts letters.",
        "usage": "A chat model that can call tools calls `$command` when somebody wants letters counted.",
        "settings_row": "| `exactly` | false | whether capitals are other letters than small ones |",
    },
}
"""What the README says of each, until its author writes better."""


def new(name: str, kind: Kind, folder: Path) -> int:
    """Writes the project into `folder/NAME`. Raises UserError for a name that nobody can have, or that is taken."""
    if not NAME.fullmatch(name):
        raise UserError(f"expected a name of a-z, 0-9 and -, from 3 to 32 characters, found {name!r}")
    if name in installed():
        raise UserError(f"a plugin {name!r} is installed already: choose another name")
    home = folder / name
    if home.exists() and any(home.iterdir()):
        raise UserError(f"{home} is there already: choose another name, or another folder with --into")
    for path, text in files(name, kind):
        target = home / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    typer.echo(f"{home}: a plugin with a {kind}. Its README says how to install and test it; begin with {_package(name)}/front.py.")
    return 0


def files(name: str, kind: Kind) -> Iterator[tuple[Path, str]]:
    """The project's files, by their paths in it."""
    package = _package(name)
    words = {"name": name, "package": package, "command": name.replace("-", "_")}
    words |= {key: Template(text).substitute(words) for key, text in FACTS[kind].items()}
    for part in ("common", kind):
        for path in sorted((TEMPLATES / part).rglob("*.tmpl")):
            where = str(path.relative_to(TEMPLATES / part)).removesuffix(".tmpl")
            yield (
                Path(where.replace("PACKAGE", package).replace("$", package).replace("dot-", ".")),
                Template(path.read_text(encoding="utf-8")).substitute(words),
            )


def _package(name: str) -> str:
    return f"hobnob_{name.replace('-', '_')}"
