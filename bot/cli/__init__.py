"""The command line: the only place that knows every part and puts them together. What a command does is in the module of its name.

Only the names of commands and options are here, so that `hobnob --help` answers at once; each command imports what it needs.
"""

from __future__ import annotations

import errno
import gc
import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

from bot.cli.models import models
from bot.cli.options import Announce, ConfigFile, Dead, Json, Name, Patience, Until
from bot.cli.plugins import plugins
from bot.cli.servers import servers
from bot.cli.upkeep import upkeep
from bot.errors import BotError, ConfigError, PluginError, StoreError
from bot.exits import AWAY, FAULT

app = typer.Typer(
    help="A self-hosted chat bot for groups: open models on your own hardware chat, draw and transcribe.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(models, name="models")
app.add_typer(plugins, name="plugins")
app.add_typer(upkeep)
discord = typer.Typer(help="Discord, from the operator's side.", no_args_is_help=True)
app.add_typer(discord, name="discord")
queues = typer.Typer(invoke_without_command=True)
app.add_typer(queues, name="queue")
crew = typer.Typer(invoke_without_command=True)
app.add_typer(crew, name="workers")
app.add_typer(servers, name="servers")


@app.command()
def run(
    config: ConfigFile = None,
    port: Annotated[Optional[int], typer.Option(min=0, max=65535, help="Instead of web.port.")] = None,  # noqa: UP045
    dev: Annotated[bool, typer.Option("--dev", help="Run plugins anew when their files change, for whoever writes them.")] = False,
    bring: Annotated[
        list[str], typer.Option(metavar="NAME", help="Bring this model or set meanwhile, where it is not here; again for more.")
    ] = [],  # noqa: B006
) -> None:
    """Start everything: store, router and worker; prints the link to the pages."""
    from bot.cli.running import run as command

    raise typer.Exit(command(config, port, bring, dev=dev))


@app.command("bring", hidden=True)
def bring_models(names: list[str], patience: Patience = 0.0, config: ConfigFile = None) -> None:
    """Bring models while everything else runs; `hobnob run --bring` calls it."""
    from bot.cli.bringing import bring as command

    command(config, names, patience)


@app.command()
def router(
    config: ConfigFile = None,
    patience: Patience = 0.0,
    announce: Announce = None,
    pages: Annotated[bool, typer.Option(help="Serve the pages.")] = True,
) -> None:
    """Run a router: the chats, the pages and the plugins' front halves."""
    gc.disable()  # what is imported stays: looking at it again and again was a quarter of the start; `settled` ends this
    from bot.cli.processes import router as command

    command(config, patience, announce, pages)


@app.command()
def worker(config: ConfigFile = None, patience: Patience = 0.0) -> None:
    """Run a worker: the models."""
    from bot.cli.processes import worker as command

    raise typer.Exit(command(config, patience))


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="What to ask; `-` reads it from the standard input.")] = "",
    file: Annotated[list[Path], typer.Option("--file", "-f", exists=True, dir_okay=False, help="Attach a file; may be given again.")] = [],  # noqa: B006  typer copies it
    save: Annotated[Optional[Path], typer.Option(file_okay=False, help="Save the files that come back in this folder.")] = None,  # noqa: UP045
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the answer.")] = 600.0,
    config: ConfigFile = None,
) -> None:
    """Ask one question, and print the answer as it comes."""
    from bot.cli.asking import ask as command

    raise typer.Exit(command(config, question, file, save, timeout))


@app.command()
def console(
    name: Annotated[str, typer.Option("--name", "-n", help="What the others see.")] = "",
    room: Annotated[str, typer.Option("--room", "-r", help="The room to join.")] = "lobby",
    direct: Annotated[bool, typer.Option("--direct", help="Talk to the bot alone.")] = False,
    config: ConfigFile = None,
) -> None:
    """Join a room from the terminal."""
    from bot.cli.visiting import console as command

    raise typer.Exit(command(config, name, room, direct))


@app.command()
def link(
    operator: Annotated[bool, typer.Option("--operator", help="For somebody who may do all that you may; else for a guest.")] = False,
    config: ConfigFile = None,
) -> None:
    """Print a new link to the pages: each lets one browser in, once, within a day."""
    from bot.cli.inviting import link as command

    raise typer.Exit(command(config, operator))


@queues.callback()
def queue(
    context: typer.Context,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Look again every second, until Ctrl-C.")] = False,
    json: Json = False,
    config: ConfigFile = None,
) -> None:
    """Show who works, who waits, and what is left to each server of the round; more below it."""
    from bot.cli.watching import queue as command

    if context.invoked_subcommand is None:
        raise typer.Exit(command(config, live=watch, as_json=json))


@queues.command("dead")
def queue_dead(json: Json = False, config: ConfigFile = None) -> None:
    """List the requests that killed three workers, and were given up."""
    from bot.cli.burying import listed as command

    command(config, as_json=json)


@queues.command("retry")
def queue_retry(ids: Dead, config: ConfigFile = None) -> None:
    """Ask them again; the answer replies to the question, as a message of its own."""
    from bot.cli.burying import retry as command

    command(config, ids)


@queues.command("drop")
def queue_drop(ids: Dead, config: ConfigFile = None) -> None:
    """Forget them."""
    from bot.cli.burying import drop as command

    command(config, ids)


@app.command()
def pause(until: Until = None, config: ConfigFile = None) -> None:
    """Have the devices for yourself: their memory is free within 10 seconds, and whoever asks is told when they are back."""
    from bot.cli.pausing import pause as command

    raise typer.Exit(command(config, until))


@app.command()
def resume(config: ConfigFile = None) -> None:
    """End a pause, and quiet hours that are now."""
    from bot.cli.pausing import resume as command

    raise typer.Exit(command(config))


@crew.callback()
def workers(context: typer.Context, json: Json = False, config: ConfigFile = None) -> None:
    """List the workers: what they serve, run and have in memory; more below it."""
    if context.invoked_subcommand is None:
        workers_list(json, config)


@crew.command("list")
def workers_list(json: Json = False, config: ConfigFile = None) -> None:
    """List the workers."""
    from bot.cli.watching import workers as command

    raise typer.Exit(command(config, as_json=json))


@crew.command("drain")
def workers_drain(name: Name, config: ConfigFile = None) -> None:
    """Have a worker end what it has begun, and take nothing new."""
    from bot.cli.pausing import drain as command

    raise typer.Exit(command(config, name))


@crew.command("pause")
def workers_pause(name: Name, until: Until = None, config: ConfigFile = None) -> None:
    """Have a worker free its memory at once, and take nothing new."""
    from bot.cli.pausing import pause as command

    raise typer.Exit(command(config, until, name))


@crew.command("resume")
def workers_resume(name: Name, config: ConfigFile = None) -> None:
    """Have a worker work again."""
    from bot.cli.pausing import resume as command

    raise typer.Exit(command(config, name))


@app.command()
def check(config: ConfigFile = None) -> None:
    """Name every fault of the configuration and of the plugins at once."""
    from bot.cli.checking import check as command

    raise typer.Exit(command(config))


@app.command()
def init(config: ConfigFile = None) -> None:
    """Ask a few questions, and write the answers into bot.toml and .env once you have seen them."""
    from bot.cli.beginning import init as command

    command(config)


@app.command("import")
def bring(
    kind: Annotated[str, typer.Argument(metavar="llmcord|astrbot", help="Whose configuration it is.")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="llmcord's config.yaml, AstrBot's data/cmd_config.json.")],
    config: ConfigFile = None,
) -> None:
    """Take over tokens, personas and endpoints of another bot, once you have seen them."""
    from bot.cli.coming import KINDS
    from bot.cli.coming import bring as command

    if kind not in KINDS:
        raise ConfigError(f"expected one of {', '.join(KINDS)}, found {kind!r}")
    command(config, KINDS[kind], file)


@app.command()
def claim(config: ConfigFile = None) -> None:
    """Print a code that makes whoever says it to the bot its owner, once."""
    from bot.cli.claiming import claim as command

    command(config)


@app.command()
def doctor(config: ConfigFile = None) -> None:
    """Say what is installed, reachable and too small; exit code 1 if something is wrong."""
    from bot.doctor import doctor as command

    raise typer.Exit(command(config))


@discord.command("invite")
def discord_invite(config: ConfigFile = None) -> None:
    """Print the link by which an admin lets the bot into a Discord server."""
    from bot.cli.portal import invite as command

    command(config)


def main() -> None:
    """Runs the command; what the operator must change is said in a sentence, without a traceback."""
    try:
        app()
    except (ConfigError, PluginError) as error:
        _leave(str(error), FAULT)
    except StoreError as error:
        _leave(str(error), AWAY)
    except BotError as error:
        _leave(str(error), 1)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        where = f" of {error.filename}" if error.filename else ""
        _leave(f"the disk{where} is full: free some space, or set `data_dir` to another disk", FAULT)


def _leave(said: str, code: int) -> None:
    for line in said.splitlines():
        typer.echo(f"hobnob: {line}", err=True)
    sys.exit(code)
