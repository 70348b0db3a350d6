"""`hobnob models …`: the names of its commands and options. What each does is in the module of its name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from bot.cli.options import ConfigFile, Json

models = typer.Typer(help="The models that can be brought here.", no_args_is_help=True)


@models.command("list")
def models_list(config: ConfigFile = None) -> None:
    """List the models of the catalogue, and which of them are here."""
    from bot.cli.listing import models as command

    command(config)


@models.command("show")
def models_show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `hobnob models list` lists it.")], config: ConfigFile = None
) -> None:
    """Say what is known of a model: licence and duties, languages, window, memory."""
    from bot.cli.listing import show as command

    command(config, name)


@models.command("add")
def models_add(
    repo: Annotated[str, typer.Argument(metavar="OWNER/NAME", help="A repository of the model hub, with safetensors weights.")],
    name: Annotated[str, typer.Option("--as", metavar="NAME", help="Its name here; a known one gives that model this source.")] = "",
    revision: Annotated[str, typer.Option(help="A branch or commit.")] = "main",
    on: Annotated[str, typer.Option(metavar="NAME", help="For an adapter: the model here that it lies on, where it does not say so.")] = "",
    config: ConfigFile = None,
) -> None:
    """Add a chat model or a LoRA adapter that the catalogue does not have; nothing is downloaded yet."""
    from bot.cli.adding import add as command

    command(config, repo, name, revision, on)


@models.command("recommend")
def models_recommend(
    tasks: Annotated[str, typer.Option("--task", help="What it is to do, separated by commas: chat, tools, image, speech.")] = "",
    languages: Annotated[str, typer.Option("--languages", "-l", help="Codes, separated by commas: en,de.")] = "",
    quality: Annotated[str, typer.Option(help="fast, balanced or best.")] = "",
    use: Annotated[str, typer.Option(help="private, public or commercial; else models.use.")] = "",
    people: Annotated[int, typer.Option(min=1, max=1000, help="Who chat at the same time.")] = 2,
    json: Json = False,
    config: ConfigFile = None,
) -> None:
    """Look at this machine and say which models fit, and how."""
    from bot.cli.recommending import recommend as command

    command(config, tasks, languages, quality, use, people, json)


@models.command("bench")
def models_bench(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Chat models and adapters that the configuration serves.")],
    prompts: Annotated[Path, typer.Option("--prompts", exists=True, dir_okay=False, help="A file with a prompt on each line.")],
    judge: Annotated[str, typer.Option(metavar="NAME", help="A served model that votes for the best answers, without names.")] = "",
    json: Json = False,
    config: ConfigFile = None,
) -> None:
    """Ask several models the same, and show answers, time and memory side by side."""
    from bot.cli.benching import bench as command

    command(config, names, prompts, judge, json)


@models.command("check")
def models_check(
    names: Annotated[Optional[list[str]], typer.Argument(metavar="NAME...", help="Models or sets; all that are here.")] = None,  # noqa: UP045
    config: ConfigFile = None,
) -> None:
    """Verify the files of models, and that their licences fit; exit code 1 if something is wrong."""
    from bot.cli.listing import check as command

    raise typer.Exit(command(config, names or []))


@models.command("pull")
def models_pull(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Models or sets; `starter` is the first to have.")],
    config: ConfigFile = None,
) -> None:
    """Bring models here: downloaded, verified, ready to load."""
    from bot.cli.listing import pull as command

    command(config, names)
