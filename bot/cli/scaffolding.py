"""`hobnob plugins new`: a complete project for a plugin, whose tests pass. What is in it: the templates in `new/`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Literal

import typer

from bot.discovery import installed
from bot.errors import UserError

TEMPLATES = Path(__file__).with_name("new")

Kind = Literal["command", "listener", "model", "connector", "tool"]

NAME = re.compile(r"[a-z][a-z0-9-]{1,30}[a-z0-9]")

SETTINGS = "| a server's settings | default | |\n|---|---|---|\n"

FACTS: Mapping[Kind, Mapping[str, str]] = {
    "command": {
        "summary": "Greets people.",
        "usage": "`/$command` greets who asks, `/$command NAME` somebody else.",
        "options": SETTINGS + '| `greeting` | "Hello" | how people are greeted |',
    },
    "listener": {
        "summary": "Answers thanks.",
        "usage": "Who thanks the bot is answered, and told how often that was.",
        "options": SETTINGS + '| `answer` | "You are welcome" | what is said to who says thanks |',
    },
    "model": {
        "summary": "Shouts.",
        "usage": "`/$command TEXT` has the model shout it.",
        "options": SETTINGS + "| `loud` | true | whether there is an exclamation mark at the end |",
    },
    "connector": {
        "summary": "Speaks a chat of lines.",
        "usage": "It connects to a server that takes a JSON object on each line; `tests/server.py` is one. Put your platform in its place.",
        "options": "| the operator's options | default | |\n|---|---|---|\n"
        '| `host`, `port` | "127.0.0.1", 7070 | where the server is |\n| `token` | "" | what it knows the bot by |',
    },
    "tool": {
        "summary": "Counts letters.",
        "usage": "A chat model that can call tools calls `$command` when somebody wants letters counted.",
        "options": SETTINGS + "| `exactly` | false | whether capitals are other letters than small ones |",
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
    for path, text in files(name, kind).items():
        target = home / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    typer.echo(f"{home}: a plugin with a {kind}. Its README says how to install and test it; begin with {_package(name)}/front.py.")
    return 0


def files(name: str, kind: Kind) -> Mapping[Path, str]:
    """The project's files, by their paths in it; a kind's own come before what all have in common."""
    package = _package(name)
    words = {"name": name, "package": package, "command": name.replace("-", "_")}
    words |= {key: Template(text).substitute(words) for key, text in FACTS[kind].items()}
    found = {path.relative_to(TEMPLATES / part): path for part in ("common", kind) for path in sorted((TEMPLATES / part).rglob("*.tmpl"))}
    return {_place(where, package): Template(path.read_text(encoding="utf-8")).substitute(words) for where, path in found.items()}


def _place(template: Path, package: str) -> Path:
    where = str(template).removesuffix(".tmpl")
    return Path(where.replace("PACKAGE", package).replace("$", package).replace("dot-", "."))


def _package(name: str) -> str:
    return f"hobnob_{name.replace('-', '_')}"
