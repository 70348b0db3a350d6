"""`hobnob plugins …`: the names of its commands and options. What each does is in the module of its name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Optional

import typer

from bot.cli.options import ConfigFile, Json

plugins = typer.Typer(help="The plugins that are installed, and new ones.", invoke_without_command=True)

Agreed = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask once more.")]
Known = Annotated[list[str], typer.Argument(metavar="[NAME...]", help="As `hobnob plugins` lists them; all without any.")]


@plugins.callback()
def plugins_listed(context: typer.Context, config: ConfigFile = None) -> None:
    """List the plugins that are installed, and which of them are on; more below it."""
    if context.invoked_subcommand is None:
        plugins_list(config=config)


@plugins.command("list")
def plugins_list(json: Json = False, config: ConfigFile = None) -> None:
    """List the plugins that are installed, and which of them are on."""
    from bot.cli.listing import plugins as command

    command(config, as_json=json)


@plugins.command("add")
def plugins_add(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A folder, a package of your index, or git+URL@COMMIT.")],
    options: Annotated[list[str], typer.Option("--set", metavar="KEY=VALUE", help="For its table; may be given again.")] = [],  # noqa: B006  typer copies it
    hash: Annotated[str, typer.Option(metavar="SHA256", help="The wheel must have this hash.")] = "",
    yes: Agreed = False,
    config: ConfigFile = None,
) -> None:
    """Check a plugin, then install it and write its table into bot.toml; where something is wrong, change nothing."""
    from bot.cli.plugging import add as command

    raise typer.Exit(command(config, source, options, hash, agreed=yes))


@plugins.command("update")
def plugins_update(
    names: Known = [],  # noqa: B006  typer copies it
    to: Annotated[Optional[str], typer.Option(metavar="SOURCE", help="Where it comes from now, as for `add`.")] = None,  # noqa: UP045
    yes: Agreed = False,
    config: ConfigFile = None,
) -> None:
    """Bring the newest version of plugins that were added, after the same checks."""
    from bot.cli.plugging import update as command

    raise typer.Exit(command(config, names, to or "", agreed=yes))


@plugins.command("remove")
def plugins_remove(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `hobnob plugins` lists it.")], config: ConfigFile = None
) -> None:
    """Take a plugin out of bot.toml, and uninstall what was installed for it."""
    from bot.cli.plugging import remove as command

    raise typer.Exit(command(config, name))


@plugins.command("check")
def plugins_check(names: Known = [], config: ConfigFile = None) -> None:  # noqa: B006  typer copies it
    """Say whether plugins are what was installed, and may be used."""
    from bot.cli.vetting import check as command

    raise typer.Exit(command(config, names))


@plugins.command("new")
def plugins_new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called: a-z, 0-9 and -.")],
    kind: Annotated[
        Literal["command", "listener", "model", "connector", "tool"], typer.Option("--with", help="What it begins with.")
    ] = "command",
    into: Annotated[Path, typer.Option(help="The folder in which the project's own is made.")] = Path(),
) -> None:
    """Make a complete project for a plugin of your own, with tests that pass."""
    from bot.cli.scaffolding import new as command

    raise typer.Exit(command(name, kind, into))


@plugins.command("trace")
def plugins_trace(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="Of this plugin alone.")] = "", config: ConfigFile = None
) -> None:
    """Show each call of a hook or handler with its time and result, until Ctrl-C; what was asked at the start comes first."""
    from bot.cli.tracing import trace as command

    raise typer.Exit(command(config, name))


@plugins.command("retry")
def plugins_retry(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `hobnob plugins` lists it.")], config: ConfigFile = None
) -> None:
    """Have a plugin tried again that was left out because it blocked the router."""
    from bot.cli.tracing import retry as command

    raise typer.Exit(command(config, name))
