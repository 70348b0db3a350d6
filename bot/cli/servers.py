"""`hobnob servers`: its commands and options. What they do: `admitting.py`."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from bot.cli.options import ConfigFile

servers = typer.Typer(invoke_without_command=True)

Server = Annotated[str, typer.Argument(metavar="CONNECTOR/ID", help="As `hobnob servers` lists it.")]
AtDoor = Annotated[Literal["servers", "direct"], typer.Argument(help="Servers that are new, or new people alone with the bot.")]
AsPolicy = Annotated[Literal["closed", "approve", "open"], typer.Argument(help="Nobody, whom an owner approves, or everybody.")]


@servers.callback()
def listed(context: typer.Context, config: ConfigFile = None) -> None:
    """Show who may use the bot at all, and who waits to be let in; more below it."""
    from bot.cli.admitting import servers as command

    if context.invoked_subcommand is None:
        command(config)


@servers.command("admit")
def admit(server: Server, config: ConfigFile = None) -> None:
    """Let a server in, or a person alone with the bot."""
    from bot.cli.admitting import admit as command

    command(config, server, admitted=True)


@servers.command("refuse")
def refuse(server: Server, config: ConfigFile = None) -> None:
    """Keep one out, also one that was in."""
    from bot.cli.admitting import admit as command

    command(config, server, admitted=False)


@servers.command("policy")
def policy(door: AtDoor, policy: AsPolicy, config: ConfigFile = None) -> None:
    """Say who is let in from now on; who is in stays in."""
    from bot.cli.admitting import policy as command

    command(config, door, policy)
