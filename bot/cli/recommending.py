"""`hobnob models recommend`: looks at the machine, asks what is wanted, and prints what fits. The reasoning: `fitting.py`."""

from __future__ import annotations

import ctypes
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar, get_args

import psutil
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot import catalogue
from bot.catalogue import Use
from bot.cli.answered import somebody
from bot.cli.fitting import Advice, Quality, Task, Wish, advise
from bot.cli.machine import Card, Machine
from bot.config import load
from bot.errors import ConfigError

T = TypeVar("T", bound=str)

SHEETS = {
    "GH200": (4.0e12, 9.9e14),
    "H200": (4.8e12, 9.9e14),
    "H100": (3.35e12, 9.9e14),
    "A100": (2.04e12, 3.1e14),
    "4090": (1.01e12, 1.65e14),
    "L40S": (8.64e11, 3.62e14),
    "L40": (8.64e11, 1.81e14),
    "L4": (3.0e11, 1.2e14),
}
"""Of cards by a word of their name, from their data sheets: bytes a second of their memory, operations a second on bfloat16."""

USUAL = (3.0e11, 5e13)
"""Those of a card that is not among them."""

TRIED = 60.0
"""Seconds that the processor's trial may take, with the model library's import."""

USUAL_TASKS = "chat,image,speech"

USUAL_QUALITY: Quality = "balanced"

COPIED = 64 << 20
"""Bytes that each core copies to measure the main memory; more than caches hold."""


ENOUGH = 8
"""Cores that keep the main memory of most machines busy."""


def recommend(path: Path | None, tasks: str, languages: str, quality: str, use: str, people: int, as_json: bool) -> None:
    """Prints the ladder and the line-up. Raises ConfigError for a task, a quality or a use that there is not."""
    config = load(path)
    chosen = use or config.models.use or ""
    if somebody() and not as_json:
        tasks = tasks or typer.prompt(f"What it is to do, of {', '.join(get_args(Task))}", default=USUAL_TASKS)
        languages = languages or typer.prompt("Languages, as codes separated by commas", default="en")
        quality = quality or typer.prompt(f"Speed or quality, of {', '.join(get_args(Quality))}", default=USUAL_QUALITY)
        chosen = chosen or typer.prompt("What the bot is for: private, public or commercial", default="private")
    wish = Wish(
        tuple(_words(languages or "en")),
        _one(quality or USUAL_QUALITY, get_args(Quality), "--quality"),
        _one(chosen or "private", get_args(Use), "--use"),
        people,
        tuple(_one(task, get_args(Task), "--task") for task in _words(tasks or USUAL_TASKS)),
    )
    machine = look()
    advice = advise(catalogue.load(added=config.models_dir), machine, wish)
    if as_json:
        typer.echo(json.dumps({"machine": asdict(machine), "wish": asdict(wish), **asdict(advice)}, indent=2))
    else:
        show(advice, machine)


def _words(given: str) -> list[str]:
    return [word for each in given.split(",") if (word := each.strip().lower())]


def _one(given: str, allowed: Sequence[T], option: str) -> T:
    for value in allowed:
        if value == given:
            return value
    raise ConfigError(f"{option}: expected one of {', '.join(allowed)}, found {given!r}")


def look() -> Machine:
    """This machine."""
    found, memory, speed = cards(), psutil.virtual_memory().total, bandwidth()
    return Machine(memory, speed, found) if found else replace(Machine(memory, speed), **_tried())


def _tried() -> dict[str, Any]:
    """What the processor computes with and how fast, as a worker finds it; nothing where no model library is installed, or within reach."""
    command = [sys.executable, "-m", "bot.numbers"]
    try:
        tried = subprocess.run(command, capture_output=True, text=True, timeout=TRIED, check=False)
        found: dict[str, Any] = json.loads(tried.stdout) if tried.returncode == 0 else {}
    except (subprocess.TimeoutExpired, ValueError):
        return {}
    return found


def bandwidth() -> float:
    """Bytes a second that the main memory reads and writes, with several cores at it; the best of three, because others only slow it."""
    cores = min(os.cpu_count() or 1, ENOUGH)
    blocks = [(ctypes.create_string_buffer(COPIED), ctypes.create_string_buffer(COPIED)) for _ in range(cores)]
    times = []
    with ThreadPoolExecutor(cores) as threads:
        for _ in range(3):
            began = time.perf_counter()
            list(threads.map(_copy, blocks))
            times.append(time.perf_counter() - began)
    return 2 * COPIED * cores / min(times)


def _copy(pair: tuple[ctypes.Array[ctypes.c_char], ctypes.Array[ctypes.c_char]]) -> None:
    """In C, which lets go of the interpreter's lock."""
    ctypes.memmove(pair[0], pair[1], COPIED)


def cards() -> tuple[Card, ...]:
    """The NVIDIA cards that the driver knows, the largest first."""
    command = shutil.which("nvidia-smi")
    if command is None:
        return ()
    query = [command, "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
    try:
        said = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    return parsed(said)


def parsed(said: str) -> tuple[Card, ...]:
    """What `nvidia-smi` says, a line for each card: its name and its memory in MiB."""
    found = [line.rpartition(",") for line in said.splitlines() if "," in line]
    made = [Card(name.strip(), int(memory) << 20, *_known(name)) for name, _, memory in found if memory.strip().isdecimal()]
    return tuple(sorted(made, key=lambda card: -card.memory))


def _known(name: str) -> tuple[float, float]:
    words = re.split(r"[^A-Za-z0-9]+", name)
    return next((sheet for word, sheet in SHEETS.items() if word in words), USUAL)


def show(advice: Advice, machine: Machine) -> None:
    """For people."""
    console = Console(highlight=False)
    here = [f"{card.name} with {card.memory / 1e9:,.0f} GB" for card in machine.cards] or ["no GPU"]
    console.print(f"{machine.memory / 1e9:,.0f} GB of memory at {machine.bandwidth / 1e9:,.0f} GB/s, {', '.join(here)}\n")
    ladder = Table("chat model", "memory", "tokens/s", "how, or why not", box=None)
    for rung in advice.ladder:
        how, style = Text(rung.how or rung.why_not), "dim" if rung.why_not else ""
        ladder.add_row(rung.model, f"{rung.needs / 1e9:,.1f} GB", f"{rung.speed:g}", how, style=style)
    console.print(ladder)
    lineup = Table("line-up", "for", "memory", "", box=None)
    for part in advice.lineup:
        stays = "stays loaded" if part.stays else f"loaded when needed, {part.swap:g} s"
        lineup.add_row(part.model, part.kind, f"{part.needs / 1e9:,.1f} GB", Text(f"{part.how}, {stays}; {part.waits}"))
    console.print()
    console.print(lineup)
    for note in advice.notes:
        console.print(Text(f"\n{note}"))
