"""`hobnob check`: every fault of configuration and plugins at once. Whether things are reachable is the doctor's business."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import typer

from bot import catalogue
from bot.config import Config, load, sound
from bot.editing import Draft
from bot.errors import BotError, ConfigError
from bot.models import Model
from bot.plugins import chosen
from bot.plugins import load as load_plugins

T = TypeVar("T")


def check(path: Path | None) -> int:
    """0 when all is well, 2 otherwise, as the start would."""
    faults = list(dict.fromkeys(_faults(path)))
    for fault in faults:
        typer.echo(fault, err=True)
    if faults:
        typer.echo(f"{len(faults)} {'fault' if len(faults) == 1 else 'faults'}.", err=True)
        return 2
    config = load(path)
    typer.echo(f"{config.source.path}: all is as it should be. Plugins: {', '.join(config.plugins) or 'none'}.")
    return 0


async def write(draft: Draft) -> None:
    """Writes a draft that a start would take; plugins are looked at in a process of their own.

    Raises ConfigError with all that it would refuse, and leaves everything as it was, however early this process ends.
    """
    with draft.aside() as drafted:
        command = (sys.executable, "-m", "bot.cli", "check", "--config", str(drafted))
        environ = {**os.environ, **draft.set_secrets}
        checking = await asyncio.create_subprocess_exec(*command, stdout=DEVNULL, stderr=PIPE, env=environ)
        _, said = await checking.communicate()
        if checking.returncode:
            raise ConfigError(*(said.decode("utf-8", "replace").splitlines()[:-1] or ["the configuration would not start"]))
    await asyncio.to_thread(draft.write)


def _faults(path: Path | None) -> Iterator[str]:
    """A file that cannot be read hides all else; a table with a fault hides no other, a plugin's front half not its model half."""
    read, faults = _tried(lambda: sound(path))
    config, more = read or (None, [])
    yield from (*faults, *more)
    if config is None:
        return
    yield from _in_the_way(config)
    _, faults = _tried(lambda: load_plugins(config, "front"))
    yield from faults
    workers, faults = _tried(lambda: load_plugins(config, "model"))
    yield from faults
    known, faults = _tried(lambda: catalogue.load(added=config.models_dir))
    yield from faults
    models, faults = _tried(lambda: chosen(config, workers)) if workers else (None, [])
    yield from faults
    if workers is not None:
        yield from _nothing_instead(config, [model for _, model in workers.collect("register_models")])
    if models is not None and known is not None:
        yield from _unfit_weights(config, models, known)


def _in_the_way(config: Config) -> Iterator[str]:
    """Folders that cannot be made, because a file is there or above."""
    for at, folder in ((("data_dir",), config.data_dir), (("models", "dir"), config.models.dir)):
        nearest = next((path for path in (folder, *folder.parents) if path.exists()), None) if folder else None
        if nearest is not None and not nearest.is_dir():
            yield config.source.fault(at, f"expected a folder, found that {nearest} is a file")


def _unfit_weights(config: Config, models: Iterable[tuple[str, Model[Any, Any]]], known: catalogue.Catalogue) -> Iterator[str]:
    for plugin, model in models:
        at = ("plugins", plugin)
        for weights in filter(None, (model.weights, *model.also)):
            if weights not in known.models:
                yield config.source.fault(at, f"its model {model.name!r} wants the weights {weights!r}, which the catalogue does not know")
            elif refusal := known.refusal(known.models[weights], config.models.use):
                yield config.source.fault(at, refusal)


def _nothing_instead(config: Config, models: Iterable[Model[Any, Any]]) -> Iterator[str]:
    """Models that people may choose while they wait, which nobody brings."""
    kinds = {model.name: model.job.kind for model in models}
    for kind, names in config.queue.instead.items():
        fitting = ", ".join(sorted(name for name, its in kinds.items() if its == kind)) or "none"
        for name in [name for name in names if kinds.get(name) != kind]:
            yield config.source.fault(("queue", "instead", kind, name), f"expected a model for {kind} that a plugin brings ({fitting})")


def _tried(do: Callable[[], T]) -> tuple[T | None, list[str]]:
    try:
        return do(), []
    except ConfigError as error:
        return None, list(error.faults)
    except BotError as error:
        return None, [str(error)]
