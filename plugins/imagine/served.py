"""The models that an operator lets people draw with, and what is known of each. The choices: `config.py`; running one: `model.py`."""

from __future__ import annotations

from dataclasses import dataclass

from bot import Catalogue, ConfigError, Entry, ImageFacts
from plugins.imagine.config import Config, Server

STARTER = "flux-starter"
"""The model that comes with Hobnob, and knows a few words: `starter/words.py`."""

ELSEWHERE = ImageFacts(
    pipeline="", denoiser=1, encoders=1, decoder=1, largest=1, steps=1, most_steps=1, multiple=32, least=256, most=1440, references=True
)
"""Of FLUX.1 [pro]: how many steps it takes is its own affair."""


@dataclass(frozen=True, slots=True)
class Served:
    """One model: of the catalogue, or at a server."""

    name: str
    facts: ImageFacts
    entry: Entry | None = None
    server: Server | None = None


def served(config: Config, catalogue: Catalogue) -> list[Served]:
    """The chosen models, in the operator's order. Raises ConfigError for one that nobody knows, or that does not draw."""
    found = [_one(name, config, catalogue) for name in config.models]
    if unnamed := [name for name in config.servers if name not in config.models]:
        raise ConfigError(*(f"servers.{name}: expected {name!r} among `models`, where the first one draws by default" for name in unnamed))
    return found


def checker(config: Config, catalogue: Catalogue) -> Entry | None:
    """The model that looks at pictures, where the operator wants one. Raises ConfigError for one that nobody knows, or that cannot."""
    if config.checker is None:
        return None
    [entry] = catalogue.find([config.checker])
    if entry.kind != "checker":
        raise ConfigError(f"checker: {entry.name} is a model for {entry.kind}, expected one of the kind checker")
    return entry


def _one(name: str, config: Config, catalogue: Catalogue) -> Served:
    if name in config.servers:
        return Served(name, ELSEWHERE, server=config.servers[name])
    [entry] = catalogue.find([name])
    if entry.kind != "image" or entry.image is None:
        raise ConfigError(f"models: {name} is a model for {entry.kind}, expected one for image, with its facts in the table `image`")
    return Served(name, entry.image, entry=entry)
