"""`hobnob plugins add`, `update` and `remove`. What is checked, and done: `bot/install/`. Checking later: `vetting.py`."""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Iterable
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import typer
from packaging.requirements import Requirement

from bot import editing, writing
from bot.cli.answered import answered
from bot.config import Config, load
from bot.discovery import installed
from bot.errors import ConfigError
from bot.install import pinned
from bot.install.pinned import Pin
from bot.install.plan import Plan, planned
from bot.install.sources import Source
from bot.pip import PipError, normal, pip

RESTART = "A start reads it: stop `hobnob run`, and start it again."


def add(path: Path | None, source: str, options: list[str], hash: str, *, agreed: bool) -> int:
    """Adds a plugin, or names everything that stands in the way. Raises ConfigError and PluginError; then nothing was changed."""
    config = load(path)
    with tempfile.TemporaryDirectory(prefix="hobnob-plugin-") as room:
        plan = planned(Source.of(source), config, Path(room), _options(options), hash=hash)
        return _done(plan, config, agreed=agreed)


def update(path: Path | None, names: list[str], source: str, *, agreed: bool) -> int:
    """Brings the newest version of these plugins, of all that were added without names; `source` is where one comes from now."""
    config = load(path)
    pins = pinned.read(config.source.path)
    if unknown := [name for name in names if name not in pins]:
        raise ConfigError(f"{', '.join(unknown)}: not added by `hobnob plugins add` (there is: {', '.join(pins) or 'none'})")
    if source and len(names) != 1:
        raise ConfigError("expected one plugin with --to, which comes from there from now on")
    for package in dict.fromkeys(pin.package for name, pin in pins.items() if name in names or not names):
        theirs = tuple(name for name, pin in pins.items() if pin.package == package)
        with tempfile.TemporaryDirectory(prefix="hobnob-plugin-") as room:
            pin = pins[theirs[0]]
            plan = planned(Source.of(source or pin.source), config, Path(room), {}, updating=theirs)
            if all(new.hash == pin.hash for new in plan.pins.values()):
                typer.echo(f"{package} {pin.version} is the newest.")
            elif code := _done(plan, config, agreed=agreed):
                return code
    return 0


def remove(path: Path | None, name: str) -> int:
    """Takes a plugin's table away, and what was installed for it; what servers chose for it is kept, and comes back with it."""
    config = load(path)
    if name not in config.plugins:
        raise ConfigError(f"there is no [plugins.{name}] in {config.source.path} (there is: {', '.join(config.plugins) or 'none'})")
    pins = pinned.read(config.source.path)
    pin, others = pins.pop(name, None), {other for other in config.plugins if other != name}
    writing.write(config.source.path, editing.without(config.source.path.read_text(encoding="utf-8"), ("plugins", name)))
    pinned.write(config.source.path, pins)
    gone = _needless(pin, pins, others) if pin else []
    if gone:
        try:
            pip(["uninstall", "--yes", "--quiet", *gone])
        except PipError as error:
            raise ConfigError(f"[plugins.{name}] is gone, but pip cannot uninstall {' and '.join(gone)}: {error}") from error
    typer.echo(f"{name} is removed{f', with {chr(44).join(gone)}' if gone else ''}. {RESTART}")
    return 0


def _done(plan: Plan, config: Config, *, agreed: bool) -> int:
    for name, manifest in plan.manifests.items():
        typer.echo(f"{name}: {manifest.summary} Licence: {manifest.licence}.")
    for pin in {pin.package: pin for pin in plan.pins.values()}.values():
        typer.echo(f"installs {pin.package} {pin.version} ({pin.hash})")
        for brought, version in pin.brought.items():
            typer.echo(f"with {brought} {version}")
    if not (agreed or _agreed()):
        typer.echo("Nothing was changed.")
        return 1
    plan.carry_out(config)
    typer.echo(f"{', '.join(plan.manifests)}: done. {RESTART}")
    return 0


def _agreed() -> bool:
    with answered("With --yes it goes ahead without a question"):
        return typer.confirm("All of that has been checked. Go ahead?")


def _options(given: Iterable[str]) -> dict[str, Any]:
    """`city=Lisbon` and `longest=3`: values are TOML, or else text."""
    found: dict[str, Any] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals:
            raise ConfigError(f"{one}: expected NAME=VALUE")
        try:
            found[name] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            found[name] = value
    return found


def _needless(pin: Pin, left: dict[str, Pin], plugins: set[str]) -> list[str]:
    """The distributions that came with it and that nobody needs any more."""
    here = {normal(one.name): one for one in distributions()}
    if any(normal(entry.dist.name) == pin.package for name in plugins for entry in installed().get(name, []) if entry.dist):
        return []  # another plugin of the same package is on
    going = [name for name in (pin.package, *pin.brought) if name in here]
    kept = {name for other in left.values() for name in other.brought}
    while True:
        lines = [line for name, one in here.items() if name not in going for line in one.requires or () if "extra ==" not in line]
        needed = kept | {normal(Requirement(line).name) for line in lines}
        staying = [name for name in going if name in needed and name != pin.package]
        if not staying:
            return going
        going = [name for name in going if name not in staying]
