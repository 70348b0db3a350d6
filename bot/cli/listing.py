"""`hobnob plugins`, `hobnob models list` and `hobnob models pull`. The catalogue is in `bot/catalogue.py`, pulling in `bot/pull/`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import SecretStr
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot import catalogue, discovery
from bot.config import Config, load
from bot.errors import BotError, ConfigError
from bot.pull import Access, bars, status
from bot.pull import pull as bring


def plugins(path: Path | None) -> None:
    """Every plugin, by its manifest alone: nothing of theirs is run."""
    config = load(path)
    table = Table("plugin", "on", "what it does", "halves", "licence", "from", box=None)
    for name in sorted({*config.plugins, *discovery.installed()}):
        table.add_row(name, *map(Text, _described(config, name)))  # brackets in them are no mark-up
    Console().print(table)


def _described(config: Config, name: str) -> list[str]:
    on = "yes" if name in config.plugins else "no"
    try:
        found = discovery.find(config, name)
        manifest = found.manifest()
    except BotError as error:
        return [on, str(error), "", "", ""]
    halves = " ".join(half for half in ("front", "model") if found.has(half))
    return [on, manifest.summary, halves, manifest.licence, found.package if found.release else str(found.folder)]


def models(path: Path | None) -> None:
    """Every model of the catalogue."""
    config = load(path)
    table = Table("model", "here", "kind", "size", "licence", "what it is", box=None)
    known = catalogue.load(added=config.models_dir)
    for name, entry in known.models.items():
        table.add_row(name, status(entry, config.models_dir), entry.kind, f"{entry.disk / 1e6:,.0f} MB", entry.licence, entry.summary)
    console = Console()
    console.print(table)
    for name, members in known.sets.items():
        console.print(f"{name} = {', '.join(members)}", style="dim")
    console.print(f"They lie in {config.models_dir}", style="dim", soft_wrap=True)


def pull(path: Path | None, names: list[str]) -> None:
    """Brings models and sets. Raises PullError, which is a ConfigError."""
    config = load(path)
    known = catalogue.load(added=config.models_dir)
    entries = known.find(names)
    if faults := [said for entry in entries for said in _obstacles(known, entry, config)]:
        raise ConfigError(*faults)
    with bars(Console(stderr=True)) as tell:
        outcomes = bring(entries, config.models_dir, access(config), tell)
    for outcome in outcomes:
        Console(soft_wrap=True, highlight=False).print(f"{outcome.entry.name} is in {outcome.folder}")


def _obstacles(known: catalogue.Catalogue, entry: catalogue.Entry, config: Config) -> Iterator[str]:
    """Why it makes no sense to bring a model."""
    if refusal := known.refusal(entry, config.models.use):
        yield refusal
    if entry.gone and status(entry, config.models_dir) == "absent":
        yield (
            f"{entry.name} cannot be brought: {entry.gone}. Put a copy of yours, with config.json and safetensors weights, at "
            f"{entry.folder(config.models_dir)}"
        )


def access(config: Config) -> Access:
    """How the configuration says to reach the outside."""
    table = config.models
    return Access(table.endpoint or "", _open(table.token), _open(table.proxy))


def _open(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
