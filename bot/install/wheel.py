"""What a plugin's wheel says of itself, read without running any of it. Whether it may be installed: `fitness.py`."""

from __future__ import annotations

import configparser
import hashlib
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.parser import HeaderParser
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import Requirement

from bot.discovery import GROUP, Found, Manifest
from bot.errors import ConfigError
from bot.pip import normal


@dataclass(frozen=True, slots=True)
class Wheel:
    """An unpacked wheel: `site` is its folder, `offers` the packages of its plugins by name, `modules` all that can be imported of it at
    the top, `hash` the SHA-256 of the file.
    """

    site: Path
    name: str
    version: str
    licence: str
    offers: Mapping[str, str]
    requires: tuple[Requirement, ...]
    modules: frozenset[str]
    hash: str

    @classmethod
    def of(cls, path: Path, site: Path) -> Wheel:
        """Unpacks it into `site`. Raises ConfigError for a file that is no wheel."""
        try:
            with zipfile.ZipFile(path) as archive:
                archive.extractall(site)
                names = archive.namelist()
            info = next(name for name in names if name.endswith(".dist-info/METADATA")).rpartition("/")[0]
            metadata = HeaderParser().parsestr((site / info / "METADATA").read_text(encoding="utf-8"))
            requires = tuple(Requirement(line) for line in metadata.get_all("Requires-Dist", []))
            offers = _offers(site / info / "entry_points.txt")
        except (zipfile.BadZipFile, StopIteration, ValueError, configparser.Error) as error:
            fault = str(error).partition("\n")[0] or "no metadata"
            raise ConfigError(f"{path.name}: expected a wheel, found {fault}") from error
        licence = metadata["License-Expression"] or metadata["License"] or ""
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return cls(site, normal(metadata["Name"]), metadata["Version"], licence, offers, requires, _modules(names), digest)

    def manifests(self) -> Iterator[tuple[str, Manifest]]:
        """By the names of its plugins. Raises PluginError for one that is missing, wrong, or of another API."""
        for name, package in self.offers.items():
            yield name, Found(name, package, self.site.joinpath(*package.split(".")), self.version).manifest()


def lacking(requires: Iterable[Requirement]) -> Iterator[tuple[Requirement, str]]:
    """What of these is not installed, or only in a version that does not do, which stands beside it; "" for what is not there."""
    for one in requires:
        if one.marker is None or one.marker.evaluate({"extra": ""}):
            there = here(one.name)
            if not there or not one.specifier.contains(there, prereleases=True):
                yield one, there


def here(name: str) -> str:
    """The version of a distribution that is installed, "" for none."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _modules(names: Iterable[str]) -> frozenset[str]:
    heads = {name.partition("/")[0] for name in names}
    return frozenset(head.removesuffix(".py") for head in heads if head.removesuffix(".py").isidentifier())


def _offers(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # names keep their case
    parser.read_string(path.read_text(encoding="utf-8"))
    return dict(parser[GROUP]) if parser.has_section(GROUP) else {}
