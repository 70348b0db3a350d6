"""What stands in the way of a plugin, all of it, before anything is changed. What is in its wheel: `wheel.py`. Doing it: `plan.py`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from importlib.util import find_spec

from bot.catalogue import Catalogue, Use
from bot.config import Config
from bot.discovery import installed
from bot.errors import BotError
from bot.install.wheel import Wheel, here, lacking
from bot.pip import normal

NAME = re.compile(r"[A-Za-z0-9_-]+")
"""What may stand in a heading of bot.toml without quotes."""

OURS = frozenset({"bot", "plugins"})
"""Modules of Hobnob, of which no list says so where it runs from a checkout."""


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
        off = [name for name in wheel.offers if name in installed() and name not in config.plugins]  # as pip alone leaves it
        way = f"write [plugins.{off[0]}] into {config.source.path}" if off else "`hobnob plugins update` brings another version"
        yield f"{wheel.name} {there} is installed already: {way}"
        return
    for module in wheel.modules:
        if others := _theirs(module, wheel.name):
            yield f"{wheel.name} brings a module {module}, which would be in the place of that of {others}"
    for name in wheel.offers:
        yield from named(name, config, wheel.name, update=update)


def named(name: str, config: Config, package: str = "", *, update: bool = False) -> Iterator[str]:
    """Why no plugin of a package can have this name."""
    owners = {normal(entry.dist.name) for entry in installed().get(name, []) if entry.dist}
    if others := sorted(owners - {package}):
        yield f"{name} is the name of a plugin of {' and '.join(others)}: remove that first"
    elif not update and name in config.plugins:
        yield f"{name} has a table in {config.source.path} already: remove that first"
    if not NAME.fullmatch(name):
        yield f"{name!r} is no name for a plugin: expected letters, digits, - and _"


def _theirs(module: str, package: str) -> str:
    """Whose module of this name is here already, "" where none is, or where several packages may have a part of it."""
    owners = {normal(one) for one in packages_distributions().get(module, ())} | ({"hobnob"} if module in OURS else set())
    found = find_spec(module) if owners - {package} else None
    return "" if found is None or found.origin is None else " and ".join(sorted(owners))


def _manifests(wheel: Wheel, config: Config, catalogue: Catalogue) -> Iterator[str]:
    try:
        for name, manifest in wheel.manifests():
            yield from filter(None, (refused(name, one, catalogue, config.models.use) for one in {manifest.licence, wheel.licence}))
    except BotError as error:
        yield str(error)


def _requirements(wheel: Wheel) -> Iterator[str]:
    for one, there in lacking(wheel.requires):
        if there:
            yield f"{wheel.name} needs {one.name}{one.specifier}, and {there} is installed, which Hobnob or another plugin needs"
