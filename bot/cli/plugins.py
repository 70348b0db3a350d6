"""`hobnob plugins …`: the names of its commands and options. What each does is in the module of its name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from bot.cli.options import ConfigFile

plugins = typer.Typer(help="The plugins that are installed, and new ones.", invoke_without_command=True)


@plugins.callback()
def plugins_list(context: typer.Context, config: ConfigFile = None) -> None:
    """List the plugins that are installed, and which of them are on."""
    from bot.cli.listing import plugins as command

    if context.invoked_subcommand is None:
        command(config)


@plugins.command("new")
def plugins_new(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    kind: Annotated[Literal["command", "listener", "model"], typer.Option("--with", help="What it begins with.")] = "command",
    into: Annotated[Path, typer.Option(help="The folder in which the project's own is made.")] = Path(),
) -> None:
    """Make a complete project for a plugin of your own, with tests that pass."""
    from bot.cli.scaffolding import new as command

    raise typer.Exit(command(name, kind, into))
