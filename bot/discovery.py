"""Finds a plugin's folder, reads its manifest without importing it, and imports its modules one by one. What they become: `plugins.py`."""

from __future__ import annotations

import hashlib
import importlib
import shutil
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.config import Config, PluginTable
from bot.errors import ConfigError, PluginError
from bot.faults import read

GROUP = "hobnob.plugins"
"""The entry points by which installed packages offer plugins."""

API = 1
"""The version of what plugins are written against; a plugin states it in its manifest."""

VERSIONS = "docs/plugins.md under Versions"
"""Where authors read what another version asks of them."""

M = TypeVar("M", bound=BaseModel)


class Manifest(BaseModel):
    """What `plugin.toml` says, readable without running the plugin.

    `licence` is that of the weights it loads (of the plugin itself, where it loads none); `version` is that of a plugin
    which is no installed package. `rights` are what it may beside what every plugin may: `administration` sees and changes the choices of
    every plugin in a server, for those who may.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    summary: str
    api: int
    licence: str = Field(min_length=1)
    version: str = ""
    rights: frozenset[Literal["administration"]] = frozenset()


@dataclass(frozen=True, slots=True)
class Found:
    """A plugin on disk. `package` is what its modules are imported under; `release` is "" when no distribution tells. Nothing of it has
    run; of one that is `adopted`, the package is made before the first of its modules.
    """

    name: str
    package: str
    folder: Path
    release: str
    adopted: bool = False

    def has(self, part: str) -> bool:
        """True when the plugin has this module."""
        return (self.folder / f"{part}.py").is_file() or (self.folder / part / "__init__.py").is_file()

    def module(self, part: str) -> ModuleType | None:
        """Imports one module, None when the plugin has none of that name. Raises PluginError for whatever its import raises."""
        if not self.has(part):
            return None
        if self.adopted:
            _adopt(self.name, self.package, self.folder)
        try:
            return importlib.import_module(f"{self.package}.{part}")
        except Exception as error:  # whatever a stranger's module does while it is imported
            raise PluginError(self.name, f"{part}.py cannot be imported: {described(error, self.folder)}") from error

    def model(self, part: str, named: str, default: type[M]) -> type[M]:
        """The pydantic model `named` in module `part`, or `default` when the plugin has no such module. Raises PluginError."""
        module = self.module(part)
        if module is None:
            return default
        model = getattr(module, named, None)
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            raise PluginError(self.name, f"{part}.py: expected `class {named}(BaseModel)`, found {model!r}")
        return model  # type: ignore[return-value]  # any model will do

    def manifest(self) -> Manifest:
        """Raises PluginError for a manifest that is missing, wrong, or written for another version of Hobnob."""
        path = self.folder / "plugin.toml"
        try:
            document, source = read(path, {})
            manifest = Manifest.model_validate(document)
        except ConfigError as error:
            raise PluginError(self.name, str(error)) from error
        except ValidationError as error:
            raise PluginError(self.name, "; ".join(source.faults(error, Manifest))) from error
        if manifest.api != API:
            remedy = "update Hobnob" if manifest.api > API else f"update the plugin; what to change in it stands in {VERSIONS}"
            written = f"it is written for api = {manifest.api}, and this Hobnob has {API}"
            raise PluginError(self.name, source.fault(("api",), f"{written}: {remedy}"))
        return manifest


def find(config: Config, name: str) -> Found:
    """The plugin of this name. Raises ConfigError when there is none, PluginError when two packages offer it."""
    table, at = config.plugins.get(name, PluginTable()), ("plugins", name)
    if table.path is not None:
        if not table.path.is_dir():
            raise ConfigError(config.source.fault((*at, "path"), f"expected a plugin's folder, found nothing at {table.path}"))
        _pinned(config, name, table.path)
        return Found(name, _package(name, table.path), table.path, "", adopted=True)
    offers = installed()
    if name not in offers:
        known = ", ".join(sorted(offers)) or "none"
        raise ConfigError(config.source.fault(at, f"no such plugin is installed (there is: {known}); install it, or give its `path`"))
    found = _offered(name, offers[name])
    _pinned(config, name, found.folder)
    return found


def fingerprint(folder: Path) -> str:
    """SHA-256 over the names and contents of all files of a plugin, hex."""
    total = hashlib.sha256()
    for file in sorted(file for file in folder.rglob("*") if file.is_file()):
        name = file.relative_to(folder).as_posix()
        total.update(f"{len(name)} {name} {hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def _pinned(config: Config, name: str, folder: Path) -> None:
    """Raises ConfigError when the plugin is not the one that the operator looked at. Nothing of it was run so far."""
    if (wanted := config.plugins.get(name, PluginTable()).sha256) is None:
        return
    for cache in [found for found in folder.rglob("__pycache__") if found.is_dir()]:
        shutil.rmtree(cache)  # it would be run instead of the files that are looked at
    if (found := fingerprint(folder)) != wanted:
        fault = f"expected the plugin with that fingerprint, found {found} in {folder}: look at what changed before you write that here"
        raise ConfigError(config.source.fault(("plugins", name, "sha256"), fault))


def installed() -> dict[str, list[EntryPoint]]:
    """Every plugin that installed packages offer, by name."""
    found: dict[str, list[EntryPoint]] = {}
    for entry in entry_points(group=GROUP):
        found.setdefault(entry.name, []).append(entry)
    return found


def described(error: BaseException, folder: Path) -> str:
    """What went wrong, in one line, with the last place in the plugin's own files."""
    where = next((f" ({_place(frame)})" for frame in reversed(traceback.extract_tb(error.__traceback__)) if _within(frame, folder)), "")
    if isinstance(error, SyntaxError) and error.filename:
        where = f" ({Path(error.filename).name}:{error.lineno})"
    hint = "; install it beside Hobnob" if isinstance(error, ModuleNotFoundError) else ""
    return f"{type(error).__name__}: {error}{where}{hint}"


def _within(frame: traceback.FrameSummary, folder: Path) -> bool:
    return Path(frame.filename).is_relative_to(folder)


def _place(frame: traceback.FrameSummary) -> str:
    return f"{Path(frame.filename).name}:{frame.lineno}"


def _offered(name: str, entries: Sequence[EntryPoint]) -> Found:
    values = {entry.value: entry for entry in entries}  # an editable install may list the same entry twice
    if len(values) > 1:
        raise PluginError(name, f"is the name of two installed plugins: {' and '.join(sorted(values))}. Uninstall one of them")
    ((package, entry),) = values.items()
    spec = _located(package)
    if spec is None or not spec.submodule_search_locations:
        raise PluginError(name, f"its package {package} is not where its installation says: install it again")
    return Found(name, package, Path(next(iter(spec.submodule_search_locations))), entry.dist.version if entry.dist else "")


def _located(package: str) -> ModuleSpec | None:
    """Where a package lies; those around it are not imported either, as `find_spec` would."""
    head, *rest = package.split(".")
    spec = find_spec(head)
    for part in rest:
        spec = PathFinder.find_spec(part, spec.submodule_search_locations) if spec is not None else None
    return spec


def _package(name: str, folder: Path) -> str:
    """A name for a folder's package that nothing else has; two folders of one name do not meet."""
    return f"hobnob_plugin_{name.replace('-', '_')}_{hashlib.blake2b(str(folder.resolve()).encode(), digest_size=4).hexdigest()}"


def _adopt(name: str, package: str, folder: Path) -> None:
    """Makes a folder importable as this package."""
    if package not in sys.modules:
        init = folder / "__init__.py"
        spec = spec_from_file_location(package, init, submodule_search_locations=[str(folder)]) if init.is_file() else None
        if spec is None:
            spec = ModuleSpec(package, None, is_package=True)
            spec.submodule_search_locations = [str(folder)]
        module = sys.modules[package] = module_from_spec(spec)
        if spec.loader is not None and init.is_file():
            try:
                spec.loader.exec_module(module)
            except Exception as error:
                del sys.modules[package]
                raise PluginError(name, f"__init__.py cannot be imported: {described(error, folder)}") from error
