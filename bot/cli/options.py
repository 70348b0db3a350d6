"""Arguments and options that several commands take. The commands: `__init__.py`, `models.py`, `plugins.py`, `servers.py`, `upkeep.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

ConfigFile = Annotated[
    Optional[Path],  # noqa: UP045  typer reads this at run time
    typer.Option("--config", "-c", envvar="HOBNOB_CONFIG", metavar="FILE", help="The configuration; else config/bot.toml."),
]
Dead = Annotated[list[str], typer.Argument(metavar="ID...", help="As `hobnob queue dead` lists them, or `all`.")]
Json = Annotated[bool, typer.Option("--json", help="For programs.")]
Name = Annotated[str, typer.Argument(help="As `hobnob workers` lists it.")]
Until = Annotated[Optional[str], typer.Option("--until", help="When it ends by itself: 18:30, 2h, '2026-12-24 18:30'.")]  # noqa: UP045
Patience = Annotated[float, typer.Option(hidden=True, help="Seconds in which the store may still start.")]
Announce = Annotated[Optional[int], typer.Option(hidden=True, help="A pipe to say on that this process is ready.")]  # noqa: UP045
