"""`hobnob plugins check`: whether installed plugins are what was installed, and may be used. Their insides: `hobnob check`."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from importlib.metadata import Distribution
from pathlib import Path

from packaging.requirements import Requirement
from rich.console import Console

from bot import catalogue
from bot.config import Config, load
from bot.discovery import find, installed
from bot.errors import BotError, ConfigError
from bot.install import pinned
from bot.install.fitness import refused
from bot.install.pinned import Pin
from bot.install.wheel import lacking


def check(path: Path | None, names: list[str]) -> int:
    """Reads every file of these plugins again, of all that are on without names; 1 when something is not as it should be."""
    config = load(path)
    if unknown := [name for name in names if name not in config.plugins]:
        raise ConfigError(f"{', '.join(unknown)}: expected plugins that have a table in {config.source.path}")
    known, pins = catalogue.load(added=config.models_dir), pinned.read(config.source.path)
    console, faulty = Console(soft_wrap=True, highlight=False), False
    for name in names or config.plugins:
        faults = list(_faults(config, name, known, pins.get(name)))
        faulty = faulty or bool(faults)
        console.print(f"{name}: {'; '.join(faults) or 'as it should be'}", markup=False)
    return int(faulty)


def _faults(config: Config, name: str, known: catalogue.Catalogue, pin: Pin | None) -> Iterator[str]:
    try:
        found = find(config, name)
        manifest = found.manifest()
    except BotError as error:
        yield str(error)
        return
    if refusal := refused(name, manifest.licence, known, config.models.use):
        yield refusal
    entries = [] if config.plugins[name].path else installed().get(name, [])
    for distribution in {entry.dist.name: entry.dist for entry in entries if entry.dist and entry.dist.name != "hobnob"}.values():
        yield from _changed(distribution)
        for one, there in lacking(map(Requirement, distribution.requires or ())):
            yield f"needs {one.name}{one.specifier}, found {there or 'none'}"
        if pin and distribution.version != pin.version:
            yield f"expected {pin.package} {pin.version}, as it was added, found {distribution.version}"


def _changed(distribution: Distribution) -> Iterator[str]:
    """Files that are not those that were installed."""
    for file in distribution.files or ():
        if file.hash is None:
            continue
        place = Path(str(distribution.locate_file(file)))
        if not place.is_file():
            yield f"{file} is missing"
        elif _digest(place, file.hash.mode) != file.hash.value:
            yield f"{file} was changed since it was installed"


def _digest(path: Path, mode: str) -> str:
    return base64.urlsafe_b64encode(hashlib.new(mode, path.read_bytes()).digest()).rstrip(b"=").decode()
