"""Asks once what the bot is for, and writes the answer into bot.toml: licences of models depend on it. What they say: `catalogue.py`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import typer

from bot.catalogue import Use
from bot.cli.answered import somebody
from bot.config import Config, load
from bot.editing import Draft

QUESTION = "What is the bot for: private (among people you know), public (for everybody, free) or commercial (for money, or at work)?"


def declared(path: Path | None, ask: Callable[[], str] | None = None) -> Config:
    """The configuration, with `models.use` where somebody is there to say it; without a terminal nothing is asked."""
    config = load(path)
    file = config.source.path
    nobody = ask is None and not (somebody() and sys.stderr.isatty())
    if config.models.use is not None or nobody or not os.access(file, os.W_OK):
        return config
    draft = Draft(file)
    draft.set(("models", "use"), (ask or _asked)().strip().lower())
    draft.write()
    typer.echo(f"Written down in {file}, where you may change it: `use` under [models].", err=True)
    return load(path)


def _asked() -> str:
    while (said := typer.prompt(QUESTION, default="private", err=True).strip().lower()) not in get_args(Use):
        typer.echo(f"Please say one of {', '.join(get_args(Use))}.", err=True)
    return str(said)
