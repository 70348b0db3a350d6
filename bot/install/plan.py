"""Plans the arrival of a plugin, down to a trial, and carries it out. What is checked before: `fitness.py`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot import editing, writing
from bot.catalogue import load as load_catalogue
from bot.config import Config
from bot.discovery import Found, Manifest
from bot.errors import ConfigError
from bot.install import pinned
from bot.install.fitness import faults, named, refused
from bot.install.pinned import Pin
from bot.install.sources import Source
from bot.install.wheel import Wheel, here, lacking
from bot.pip import PipError, normal, pip


@dataclass(frozen=True, slots=True)
class Plan:
    """What is going to happen: these `wheels` are installed, the configuration becomes `text`, and these `pins` are noted."""

    manifests: Mapping[str, Manifest]
    text: str
    wheels: tuple[Path, ...] = ()
    pins: Mapping[str, Pin] = field(default_factory=dict)

    def carry_out(self, config: Config) -> None:
        """Raises ConfigError; then everything is as it was before."""
        if self.wheels:
            try:
                pip(["install", "--no-deps", "--no-index", "--force-reinstall", "--quiet", *map(str, self.wheels)])
            except PipError as error:
                raise ConfigError(f"pip cannot install it: {error}") from error
        writing.write(config.source.path, self.text)
        if self.pins:
            pinned.write(config.source.path, {**pinned.read(config.source.path), **self.pins})


def planned(
    source: Source, config: Config, room: Path, options: Mapping[str, Any], *, hash: str = "", updating: tuple[str, ...] = ()
) -> Plan:
    """What adding it takes, or updating these plugins to it. Raises ConfigError with all that stands in the way; nothing is changed."""
    plan = _of_folder(source, config, options) if source.kind == "folder" else _of_wheel(source, config, room, options, hash, updating)
    if wrong := _tried(plan.text, config, room / "site"):
        raise ConfigError(*wrong)
    return plan


def _of_folder(source: Source, config: Config, options: Mapping[str, Any]) -> Plan:
    folder = Path(source.text)
    name = folder.name
    manifest = Found(name, "", folder, "").manifest()
    wrong = [*named(name, config)]
    wrong += filter(None, [refused(name, manifest.licence, load_catalogue(added=config.models_dir), config.models.use)])
    if wrong:
        raise ConfigError(*wrong)
    return Plan({name: manifest}, editing.with_table(_text(config), ("plugins", name), {"path": str(folder), **options}))


def _of_wheel(source: Source, config: Config, room: Path, options: Mapping[str, Any], hash: str, updating: tuple[str, ...]) -> Plan:
    asked, others = room / "asked", room / "others"
    for folder in (asked, others):
        folder.mkdir()
    path = source.wheel(asked, upgrade=bool(updating))
    wheel = Wheel.of(path, room / "site")
    wrong = faults(wheel, config, load_catalogue(added=config.models_dir), hash=hash, update=bool(updating))
    brought = {} if wrong else _brought(path, wheel, others)
    wrong += [f"{wheel.name} needs {name} {version}, and {here(name)} is installed" for name, version in brought.items() if here(name)]
    if wrong:
        raise ConfigError(*wrong)
    for other in others.glob("*.whl"):
        zipfile.ZipFile(other).extractall(wheel.site)
    text = _text(config)
    for name in () if updating else wheel.offers:
        text = editing.with_table(text, ("plugins", name), options)
    for name in updating[:1]:
        brought = {**pinned.read(config.source.path)[name].brought, **brought}
    origin = source.text.partition("==")[0] if source.kind == "package" else source.text
    pin = Pin(source=origin, package=wheel.name, version=wheel.version, hash=f"sha256:{wheel.hash}", brought=brought)
    return Plan(dict(wheel.manifests()), text, (path, *others.glob("*.whl")), dict.fromkeys(wheel.offers, pin))


def _brought(path: Path, wheel: Wheel, others: Path) -> dict[str, str]:
    """What has to be installed with it, by name, whose wheels are brought into `others`."""
    if not any(True for _ in lacking(wheel.requires)):
        return {}
    try:
        report = json.loads(pip(["install", "--dry-run", "--quiet", "--only-binary=:all:", "--report", "-", str(path)]))
        metadata = [item["metadata"] for item in report["install"] if not item["requested"]]
        found = {normal(one["name"]): str(one["version"]) for one in metadata}
        pins = [f"{name}=={version}" for name, version in found.items()]
        pip(["download", "--no-deps", "--only-binary=:all:", "--quiet", "--dest", str(others), *pins])
    except PipError as error:
        raise ConfigError(f"pip cannot bring what {wheel.name} needs: {error}") from error
    return found


def _tried(text: str, config: Config, site: Path) -> list[str]:
    """What `hobnob check` says of a configuration with it, in a process that has it on its path; the file is gone afterwards."""
    real = config.source.path
    trial = real.with_name(f".{real.stem}.trial.toml")
    path = os.pathsep.join(filter(None, (str(site), os.environ.get("PYTHONPATH", ""))))
    try:
        trial.write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "bot.cli", "check", "--config", str(trial)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": path})
    finally:
        trial.unlink(missing_ok=True)
    said = done.stderr.strip().replace(str(trial), str(real)).splitlines()
    return said[:-1] if done.returncode == 2 and said[-1].endswith(("fault.", "faults.")) else [] if done.returncode == 0 else said[-3:]


def _text(config: Config) -> str:
    return config.source.path.read_text(encoding="utf-8")
