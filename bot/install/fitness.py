"""What stands in the way of a plugin, all of it, before anything is changed. What is in its wheel: `wheel.py`. Doing it: `plan.py`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.catalogue import Catalogue, Use
from bot.config import Config
from bot.discovery import installed
from bot.errors import BotError
from bot.install.wheel import Wheel, here, lacking
from bot.pip import normal

NAME = re.compile(r"[A-Za-z0-9_-]+")
"""What may stand in a heading of bot.toml without quotes."""


def faults(wheel: Wheel, config: Config, catalogue: Catalogue, *, hash: str, update: bool = False) -> list[str]:
    """A sentence for each; `hash` is the one that is expected, "" for any."""
    return [*_pin(wheel, hash), *_names(wheel, config, update), *_manifests(wheel, config, catalogue), *_requirements(wheel)]


def refused(name: str, licence: str, catalogue: Catalogue, use: Use | None) -> str:
    """Why a plugin with this licence may not be used, "" when it may, or when it is not one that we know."""
    terms = catalogue.licences.get(licence.lower())
    if terms is None or use is None or use in terms.uses:
        return ""
    return f"{name}: its licence, {terms.name}, is for {' and '.join(sorted(terms.uses))} use only, and `models.use` is {use!r}"


def _pin(wheel: Wheel, hash: str) -> Iterator[str]:
    if hash and hash.removeprefix("sha256:") != wheel.hash:
        yield f"{wheel.name} {wheel.version}: expected the hash {hash.removeprefix('sha256:')}, found {wheel.hash}: this is another file"


def _names(wheel: Wheel, config: Config, update: bool) -> Iterator[str]:
    if not wheel.offers:
        yield f"{wheel.name} is no plugin: it has no entry point in the group hobnob.plugins"
    if not update and (there := here(wheel.name)):
        yield f"{wheel.name} {there} is installed already: `hobnob plugins update` brings another version"
        return
    for name in wheel.offers:
        owners = {normal(entry.dist.name) for entry in installed().get(name, []) if entry.dist}
        if others := sorted(owners - {wheel.name}):
            yield f"{name} is the name of a plugin of {' and '.join(others)}: remove that first"
        elif not update and name in config.plugins:
            yield f"{name} has a table in {config.source.path} already: remove that first"
        if not NAME.fullmatch(name):
            yield f"{name!r} is no name for a plugin: expected letters, digits, - and _"


def _manifests(wheel: Wheel, config: Config, catalogue: Catalogue) -> Iterator[str]:
    try:
        for name, manifest in wheel.manifests():
            if refusal := refused(name, manifest.licence, catalogue, config.models.use):
                yield refusal
    except BotError as error:
        yield str(error)


def _requirements(wheel: Wheel) -> Iterator[str]:
    for one, there in lacking(wheel.requires):
        if there:
            yield f"{wheel.name} needs {one.name}{one.specifier}, and {there} is installed, which Hobnob or another plugin needs"
