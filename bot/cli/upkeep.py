"""What an operator does now and then: its commands and options. What they do: `preserving.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from bot.cli.options import ConfigFile

upkeep = typer.Typer()


@upkeep.command()
def backup(
    file: Annotated[Optional[Path], typer.Argument(dir_okay=False, help="Where to; else `backups` in the data directory.")] = None,  # noqa: UP045
    to: Annotated[
        list[str], typer.Option("--to", metavar="RECIPIENT", help="Encrypt it for an age or SSH public key; may be given again.")
    ] = [],  # noqa: B006  typer copies it
    key: Annotated[Path | None, typer.Option(dir_okay=False, help="Encrypt it for the key in this file, which is made if need be.")] = None,
    secrets: Annotated[bool, typer.Option("--secrets", help="With the tokens of the configuration, and with who is let in.")] = False,
    config: ConfigFile = None,
) -> None:
    """Keep everything in one file: conversations, settings, rooms, the configuration."""
    from bot.cli.preserving import backup as command

    command(config, file, to, key, secrets)


@upkeep.command()
def restore(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="What `hobnob backup` wrote.")],
    key: Annotated[Optional[Path], typer.Option(exists=True, dir_okay=False, help="Its key of age or SSH, where it is encrypted.")] = None,  # noqa: UP045
    replace: Annotated[bool, typer.Option("--replace", help="Remove what is there first.")] = False,
    config: ConfigFile = None,
) -> None:
    """Bring back what a backup has, on this machine or another, in Redis or Valkey. Hobnob must not run meanwhile."""
    from bot.cli.preserving import restore as command

    command(config, file, key, replace)


@upkeep.command()
def export(
    server: Annotated[str, typer.Argument(help="As the log names it: discord/ID, telegram/ID, room/NAME.")],
    file: Annotated[Optional[Path], typer.Argument(dir_okay=False, help="Where to; else the standard output.")] = None,  # noqa: UP045
    config: ConfigFile = None,
) -> None:
    """Write what is kept of one server as JSON, for its admins."""
    from bot.cli.preserving import export as command

    command(config, server, file)


@upkeep.command()
def update(
    ref: Annotated[str, typer.Argument(help="A release or commit; else what the branch follows.")] = "",
    finish: Annotated[bool, typer.Option(hidden=True)] = False,
    config: ConfigFile = None,
) -> None:
    """Go to a newer release: backup, new code and packages, migration, a look whether it works; and back again where it does not."""
    from bot.cli.updating import finish as new
    from bot.cli.updating import update as command

    new(config) if finish else command(config, ref)


service = typer.Typer(help="Start Hobnob with this machine, by the user's own systemd.", no_args_is_help=True)
upkeep.add_typer(service, name="service")


@service.command("install")
def service_install(config: ConfigFile = None) -> None:
    """Run it from now on: after logout, and after a restart of the machine."""
    from bot.cli.service import install as command

    command(config)


@service.command("remove")
def service_remove() -> None:
    """Stop that; what Hobnob kept stays."""
    from bot.cli.service import remove as command

    command()
