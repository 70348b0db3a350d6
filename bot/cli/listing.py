"""`hobnob plugins`, and `hobnob models` with list, show, check and pull. The catalogue is in `bot/catalogue.py`, pulling in `bot/pull/`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import get_args

import typer
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot import catalogue, discovery, origins
from bot.cli.declaring import declared
from bot.cli.tracing import troubles
from bot.config import Config, load
from bot.errors import BotError, ConfigError, StoreError
from bot.pull import Access, bars, status, verify
from bot.pull import pull as bring
from bot.pull.hub import same


@dataclass(frozen=True, slots=True)
class Listed:
    """A plugin as it is listed; with a `fault` nothing else is known of it."""

    name: str
    on: bool
    summary: str = ""
    halves: tuple[str, ...] = ()
    licence: str = ""
    source: str = ""
    fault: str = ""


def plugins(path: Path | None, *, as_json: bool = False) -> None:
    """Every plugin, by its manifest alone: nothing of theirs is run."""
    config = load(path)
    found = [_described(config, name) for name in sorted({*config.plugins, *discovery.installed()})]
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], indent=2))
        return
    table = Table("plugin", "on", "what it does", "halves", "licence", "from", box=None)
    for one in found:
        row = ("yes" if one.on else "no", one.fault or one.summary, " ".join(one.halves), one.licence, one.source)
        table.add_row(one.name, *map(Text, row))  # brackets in them are no mark-up
    Console().print(table)
    with suppress(StoreError):  # nothing runs that could have any
        for trouble in asyncio.run(troubles(config)).values():
            more = " `hobnob plugins retry` has it tried again." if trouble.out else ""
            Console(soft_wrap=True).print(f"{trouble.what}{more}", style="red", markup=False)


def _described(config: Config, name: str) -> Listed:
    on = name in config.plugins
    try:
        found = discovery.find(config, name)
        manifest = found.manifest()
    except BotError as error:
        return Listed(name, on, fault=str(error))
    halves = tuple(half for half in ("front", "model") if found.has(half))
    return Listed(name, on, manifest.summary, halves, manifest.licence, found.package if found.release else str(found.folder))


def models(path: Path | None) -> None:
    """Every model of the catalogue."""
    config = load(path)
    table = Table("model", "here", "kind", "size", "licence", "what it is", box=None)
    known = catalogue.load(added=config.models_dir)
    for name, entry in known.models.items():
        table.add_row(name, status(entry, config.models_dir), entry.kind, _bytes(entry.disk), known.licence(entry).name, entry.summary)
    console = Console()
    console.print(table)
    for name, members in known.sets.items():
        console.print(f"{name} = {', '.join(members)}", style="dim")
    console.print(f"They lie in {config.models_dir}", style="dim", soft_wrap=True)


def show(path: Path | None, name: str) -> None:
    """What is known of one model, and what it takes."""
    config = load(path)
    known = catalogue.load(added=config.models_dir)
    for entry in known.find([name]):
        told(known, entry, config)


def told(known: catalogue.Catalogue, entry: catalogue.Entry, config: Config) -> None:
    """Every fact of an entry, a line each."""
    terms = known.licence(entry)
    lines = [("what it is", entry.summary), ("here", status(entry, config.models_dir)), ("languages", " ".join(entry.languages))]
    lines += [("licence", f"{terms.name}, for {' and '.join(use for use in get_args(catalogue.Use) if use in terms.uses)} use")]
    lines += [("you must", duty) for duty in terms.duties]
    lines += [("refused", known.refusal(entry, config.models.use))]
    lines += _origin(entry)
    lines += [("lies on", f"{entry.base}, whose licence binds you too" if entry.base else "")]
    if (chat := entry.chat) and not entry.base:
        form = "follows instructions" if chat.tuned else "a base model: continues text"
        lines += [("class", f"{chat.architecture} of transformers; {form}")]
        lines += [("window", f"{chat.context:,} tokens{f', {chat.positions}' if chat.positions else ''}")]
        sizes = ", ".join(f"{_bytes(chat.weights(precision))} in {precision}" for precision in catalogue.BITS)
        lines += [("weights", sizes), ("a conversation", f"{_bytes(chat.cache * 2 * 1000)} for each 1,000 tokens, in 16 bits")]
    table = Table.grid(padding=(0, 2))
    for what, fact in lines:
        if fact:
            table.add_row(Text(what, style="dim"), Text(fact))
    console = Console(highlight=False)
    console.print(Text(entry.name, style="bold"))
    console.print(table)


def _origin(entry: catalogue.Entry) -> list[tuple[str, str]]:
    if isinstance(entry.source, origins.Shipped):
        return [("from", "Hobnob itself")]
    if isinstance(entry.source, origins.Wheels):
        return [("from", ", ".join(f"{wheel.name} {wheel.version}" for wheel in entry.source.wheels))]
    asks = f"asks you to accept its terms first, on the page of {entry.source.repo}" if entry.gated else ""
    return [("from", f"{entry.source.repo} at {entry.source.revision}"), ("gated", asks), ("gone", entry.gone)]


def check(path: Path | None, names: list[str]) -> int:
    """Reads every file of these models again, of all that are here without names; 1 when one is not as it was, or may not be used."""
    config = load(path)
    known = catalogue.load(added=config.models_dir)
    here = [name for name, entry in known.models.items() if status(entry, config.models_dir) != "absent"]
    console, faulty = Console(soft_wrap=True, highlight=False), False
    for entry in known.find(names or here):
        faults = [*_wrong(entry, config), *filter(None, [known.refusal(entry, config.models.use)])]
        faulty = faulty or bool(faults)
        console.print(f"{entry.name}: {'; '.join(faults) or 'as it should be'}", markup=False)
    return int(faulty)


def _wrong(entry: catalogue.Entry, config: Config) -> list[str]:
    match status(entry, config.models_dir):
        case "ready":
            return verify(entry, config.models_dir)
        case "own":
            return []
        case state:
            return [f"{state}; `hobnob models pull {entry.name}` brings it"]


def _bytes(number: int) -> str:
    return f"{number / 1e9:,.1f} GB" if number >= 1e9 else f"{number / 1e6:,.0f} MB"


def pull(path: Path | None, names: list[str]) -> None:
    """Brings models and sets. Raises PullError, which is a ConfigError."""
    config = declared(path)
    known = catalogue.load(added=config.models_dir)
    entries = known.needed(names)
    if faults := [said for entry in entries for said in obstacles(known, entry, config)]:
        raise ConfigError(*faults)
    with bars(Console(stderr=True)) as tell:
        outcomes = bring(entries, config.models_dir, access(config), tell)
    for outcome in outcomes:
        Console(soft_wrap=True, highlight=False).print(f"{outcome.entry.name} is in {outcome.folder}")


def obstacles(known: catalogue.Catalogue, entry: catalogue.Entry, config: Config) -> Iterator[str]:
    """Why it makes no sense to bring a model."""
    if refusal := known.refusal(entry, config.models.use):
        yield refusal
    if entry.gone and status(entry, config.models_dir) == "absent":
        yield (
            f"{entry.name} cannot be brought: {entry.gone}. Put a copy of yours, with config.json and safetensors weights, at "
            f"{entry.folder(config.models_dir)}, or name a copy on the hub: `hobnob models add OWNER/NAME --as {entry.name}`"
        )


def access(config: Config) -> Access:
    """How the configuration says to reach the outside: a token is shown to the hub alone that it is for."""
    table, endpoint = config.models, config.models.endpoint or ""
    anonymous = table.token is not None and not same(endpoint, table.trusted_hub or "")
    return Access(endpoint, "" if anonymous else _open(table.token), _open(table.proxy), anonymous)


def _open(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
