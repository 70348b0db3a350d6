"""`hobnob doctor`: looks at the machine, the store, the models and the plugins, and says what to do. Faults in files: `hobnob check`."""

from __future__ import annotations

import asyncio
import errno
import os
import platform
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import psutil
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot import catalogue
from bot.config import Config, load
from bot.errors import BotError, ConfigError
from bot.locking import holder
from bot.plugins import chosen
from bot.plugins import load as load_plugins
from bot.pull import status, verify
from bot.store import embedded
from bot.store.connection import connect
from bot.store.health import Health, health

if TYPE_CHECKING:
    from bot.connectors.discord.access import Access, Application
    from bot.tables import PlatformTable

GB = 1_000_000_000

LEAST_DISK = 2 * GB
"""Free bytes below which the append-only file and shared files soon find no room."""

BESIDE_WEIGHTS = GB
"""Bytes of memory for router, worker libraries and store, measured at 0.8 GB with the starter models."""

ENGINES = ("torch", "transformers", "faster-whisper", "ctranslate2")

State = Literal["ok", "note", "wrong"]

SIGNS = {"ok": "[green]✔[/green]", "note": "[yellow]•[/yellow]", "wrong": "[red]✘[/red]"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `remedy` says what to do, where something is to be done."""

    state: State
    what: str
    found: str
    remedy: str = ""


def doctor(path: Path | None) -> int:
    """Shows a table; 1 when something is wrong."""
    findings = list(examine(path))
    table = Table("", "", "found", "what to do", box=None, show_header=False)
    for one in findings:
        table.add_row(SIGNS[one.state], *map(Text, (one.what, one.found, one.remedy)))  # brackets in them are no mark-up
    Console().print(table)
    return int(any(one.state == "wrong" for one in findings))


def examine(path: Path | None) -> Iterator[Finding]:
    """Everything, the machine first; without a configuration that is all there is to look at."""
    yield Finding("ok", "Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores")
    try:
        config = load(path)
    except ConfigError as error:
        yield from (Finding("wrong", "configuration", fault, "correct it") for fault in error.faults)
        return
    yield Finding("ok", "configuration", str(config.source.path))
    yield data_dir(config.data_dir)
    yield store(config)
    yield port(config)
    for look in (plugins, models, engines, discord, telegram):
        yield from look(config)


def telegram(config: Config) -> Iterator[Finding]:
    """The token is known, and the bot may be in groups and hear what is said there; nothing where there is to be no token."""
    table = config.connectors.telegram
    if table.token is None:
        yield from _unwritten("Telegram", table)
        return
    from bot.connectors.telegram.access import myself

    try:
        me = asyncio.run(myself(table.token.get_secret_value(), table.api_url, table.proxy.get_secret_value() if table.proxy else None))
    except BotError as error:
        yield _unconnected("Telegram", error)
        return
    yield Finding("ok", "Telegram", f"@{me.name}")
    if me.undelivered:
        where = "connectors.telegram.webhook_url must reach webhook_port of a router that runs, over TLS"
        yield Finding("wrong", "Telegram", f"it cannot bring updates: {me.undelivered}", where)
    if not me.joins:
        yield Finding("note", "Telegram", "nobody can add the bot to a group", "@BotFather: /setjoingroups, Enable")
    if not me.hears:
        yield Finding(
            "note",
            "Telegram",
            "in groups it sees commands, mentions and replies alone (privacy mode)",
            "to hear everything: @BotFather: /setprivacy, Disable, then add it anew; or make it an administrator of the group",
        )


def _unconnected(platform: str, error: BotError) -> Finding:
    """Why it is not; a platform that does not answer may be blocked here."""
    away = getattr(error, "retry_after", None) is not None
    way = f". Look at the network; where {platform} is blocked, name a `proxy` under [connectors.{platform.lower()}]" if away else ""
    return Finding("wrong", platform, "the bot cannot connect", f"{error}{way}")


def discord(config: Config) -> Iterator[Finding]:
    """The token is known, the intent is on, and the bot's role may do what it needs; nothing where there is to be no token."""
    if config.connectors.discord.token is None:
        yield from _unwritten("Discord", config.connectors.discord)
        return
    from bot.connectors.discord import access as portal

    access = portal.Access.of(config.connectors.discord)
    try:
        bot, guilds = asyncio.run(_discord(access))
    except BotError as error:
        yield _unconnected("Discord", error)
        return
    yield Finding("ok", "Discord", f"{bot.name}, in {len(guilds)} servers", "" if guilds else "`hobnob discord invite` prints the link")
    if not bot.reads_content:
        yield Finding("note", "Discord", "the message content intent is off", portal.NO_CONTENT)
    for name, missing in guilds:
        if missing:
            yield Finding(
                "wrong", "Discord", f"in {name} the bot's role lacks {', '.join(missing)}", "allow them in Server Settings, Roles"
            )


def _unwritten(platform: str, table: PlatformTable) -> Iterator[Finding]:
    if file := table.unwritten:
        yield Finding("note", platform, f"not connected: {file} is empty", "put the bot's token into it, and start the router anew")


async def _discord(access: Access) -> tuple[Application, list[tuple[str, list[str]]]]:
    from bot.connectors.discord.access import application, guilds

    return await application(access), await guilds(access)


def data_dir(folder: Path) -> Finding:
    """Can be written, and has room."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            free = shutil.disk_usage(folder).free
    except OSError as error:
        return Finding("wrong", "data directory", f"{folder}: {error.strerror}", "set `data_dir` to a folder that can be written")
    found = f"{folder}, {free / GB:,.1f} GB free"
    return Finding("wrong", "data directory", found, "free some space") if free < LEAST_DISK else Finding("ok", "data directory", found)


def store(config: Config) -> Finding:
    """Reachable, new enough, and keeps what it is given."""
    if config.redis.url is None and not embedded.answers(config.data_dir):
        return Finding("ok", "store", "the embedded Valkey, not running now", "`hobnob run` starts it")
    try:
        found = asyncio.run(_health(config.redis_url))
    except BotError as error:
        return Finding("wrong", "store", str(error), "hobnob cannot start without it")
    return _judged(found)


async def _health(url: str) -> Health:
    redis = connect(url)
    try:
        return await health(redis, url)
    finally:
        await redis.aclose()


def _judged(found: Health) -> Finding:
    told = f"{found.server}, {found.used / 1e6:,.0f} MB used, kept by: {found.persistence or 'nothing'}"
    if found.most and found.policy != "noeviction":
        return Finding("wrong", "store", f"{told}; drops keys when full ({found.policy})", "set its maxmemory-policy to noeviction")
    if not found.persistence:
        return Finding("wrong", "store", told, "switch its append-only file on: conversations are gone when it restarts")
    if found.most and found.used > 0.9 * found.most:
        return Finding("wrong", "store", f"{told} of {found.most / 1e6:,.0f} MB", "raise its maxmemory")
    return Finding("ok", "store", told)


def port(config: Config) -> Finding:
    """Free, or ours."""
    where = f"{config.web.host}:{config.web.port}"
    pid = holder(config.data_dir)
    if pid:
        return Finding("ok", "pages", f"Hobnob runs as process {pid}")
    try:
        with socket.create_server((config.web.host, config.web.port)):
            return Finding("ok", "pages", f"{where} is free")
    except OSError as error:
        remedy = (
            "stop what uses it, or set `web.port`" if error.errno == errno.EADDRINUSE else "set `web.host` to an address of this machine"
        )
        return Finding("wrong", "pages", f"{where}: {error.strerror}", remedy)


def plugins(config: Config) -> Iterator[Finding]:
    """Those that are on can be loaded."""
    try:
        found = {**load_plugins(config, "front").loaded, **load_plugins(config, "model").loaded}
    except BotError as error:
        yield from (Finding("wrong", "plugins", fault, "see `hobnob check`") for fault in str(error).splitlines())
        return
    state: State = "ok" if found else "note"
    yield Finding(state, "plugins", ", ".join(found) or "none is on", "" if found else "give one a [plugins.NAME] table")


def models(config: Config) -> Iterator[Finding]:
    """The weights that the plugins want are here, whole, and fit into memory."""
    try:
        served = [model for _, model in chosen(config, load_plugins(config, "model"))]
        wanted = [name for model in served for name in (model.weights, *model.also) if name]
        entries = catalogue.load(added=config.models_dir).find(dict.fromkeys(wanted))
    except BotError as error:
        yield Finding("wrong", "models", str(error), "see `hobnob check`")
        return
    for entry in entries:
        yield _model(entry, config.models_dir)
    needed, total = max((entry.disk for entry in entries), default=0) + BESIDE_WEIGHTS, psutil.virtual_memory().total
    found = f"{total / GB:,.1f} GB, about {needed / GB:,.1f} GB needed"
    yield Finding("ok", "memory", found) if total >= needed else Finding("wrong", "memory", found, "choose smaller models")


def _model(entry: catalogue.Entry, folder: Path) -> Finding:
    pull = f"`hobnob models pull {entry.name}`"
    match status(entry, folder):
        case "ready" if faults := verify(entry, folder):
            return Finding("wrong", entry.name, "; ".join(faults), f"remove {entry.folder(folder)}, then {pull}")
        case "ready":
            return Finding("ok", entry.name, "here and verified")
        case "own":
            return Finding("note", entry.name, f"here, put there by hand: {entry.folder(folder)}")
        case other:
            return Finding("wrong", entry.name, f"{other} in {folder}", pull)


def engines(config: Config) -> Iterator[Finding]:
    """The libraries that run models are installed, and torch is built for the GPU that is there."""
    found = {name: installed(name) for name in ENGINES}
    missing = [name for name, release in found.items() if not release]
    if missing:
        yield Finding("wrong", "engines", f"not installed: {', '.join(missing)}", "`make setup` installs them; only a router does without")
    else:
        yield Finding("ok", "engines", ", ".join(f"{name} {release}" for name, release in found.items()))
    yield gpu(config.worker.device, found["torch"])


def gpu(device: str, torch: str) -> Finding:
    """A GPU that is found but not used is the dearest of all mistakes, and a silent one."""
    cards = nvidia()
    if not cards:
        state: State = "wrong" if device.startswith("cuda") else "ok"
        return Finding(state, "GPU", "no NVIDIA GPU found", f"worker.device is {device!r}: set it to `auto`" if state == "wrong" else "")
    if torch.endswith("+cpu"):
        return Finding("wrong", "GPU", f"{cards}, but torch {torch} cannot use it", "`make setup` installs the CUDA build of torch")
    if device in ("cpu", "remote"):
        return Finding("note", "GPU", f"{cards}, not used", f"worker.device is `{device}`: set it to `auto` to use it")
    return Finding("ok", "GPU", cards)


def nvidia() -> str:
    """The NVIDIA GPUs that the driver knows, "" without a driver."""
    command = shutil.which("nvidia-smi")
    if command is None:
        return ""
    query = [command, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return "; ".join(done.stdout.split("\n")).strip("; ") if done.returncode == 0 else ""


def installed(distribution: str) -> str:
    """The release of a distribution, read without importing it; "" when it is not installed."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""
