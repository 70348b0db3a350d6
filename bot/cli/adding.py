"""`hobnob models add`: entries for models that the catalogue does not have, or another source for one. Facts: `bot/pull/deriving.py`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from rich.console import Console

from bot import catalogue
from bot.cli.declaring import declared
from bot.cli.listing import access, told
from bot.errors import ConfigError
from bot.origins import REPOSITORY
from bot.pull.deriving import derive

HEAD = "# Written by `hobnob models add`, and yours: change what is wrong, delete the file to forget the model.\n"


def add(path: Path | None, repo: str, name: str, revision: str, base: str = "") -> None:
    """Writes the entry beside the weights, checks it as a start would, and says what the licence asks for; `base` is an adapter's."""
    if not re.fullmatch(REPOSITORY, repo):
        raise ConfigError(f"{repo}: expected a repository of the model hub, OWNER/NAME, as the address of its page ends")
    config = declared(path)
    known = catalogue.load(added=config.models_dir)
    called = name or re.sub(r"[^a-z0-9._-]+", "-", repo.partition("/")[2].lower()).strip("-._")
    facts = derive(repo, access(config), revision, known=known, base=base)
    if called in known.models and not name:
        raise ConfigError(f"{called} is in the catalogue already; `--as {called}` takes {repo} as its source, another name adds a second")
    if "base" in facts and called in known.models and not known.models[called].base:
        raise ConfigError(f"{called} is a model of the catalogue, and {repo} an adapter: give that another name with `--as`")
    if name and called in known.models and "base" not in facts:  # the facts are known, and only lie elsewhere
        facts = {"source": facts["source"], "gone": "", "gated": facts.get("gated", False)}
    file = config.models_dir / f"{called}.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    before = file.read_bytes() if file.exists() else None
    file.write_text(HEAD + written(facts), encoding="utf-8")
    try:
        known = catalogue.load(added=config.models_dir)
    except ConfigError:
        file.unlink() if before is None else file.write_bytes(before)
        raise
    Console(soft_wrap=True, highlight=False).print(f"{called} is in the catalogue, with the facts in {file}\n")
    told(known, known.models[called], config)


def written(facts: dict[str, Any]) -> str:
    """The facts as TOML; those of a table behind the others."""
    plain = {key: value for key, value in facts.items() if not isinstance(value, dict)}
    lines = [f"{key} = {_value(value)}" for key, value in plain.items()]
    for name, table in ((key, value) for key, value in facts.items() if isinstance(value, dict)):
        lines += ["", f"[{name}]", *(f"{key} = {_value(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    """JSON's strings, numbers and lists are TOML's too, except for one character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
