"""Pictures through the bot (router, queue, a worker's process, the file) against the bare pipeline, in turns: alone, and 32 at once.

The chat platform is in memory, so what is left out is the upload. On a GPU, FLUX.1 at its real size too: `tests/gpu/images.py`.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from itertools import product
from pathlib import Path
from typing import Any

from bot import ImageFacts, catalogue
from bot.allowing import UNLIMITED, Allowed
from bot.config import Config as HouseConfig
from bot.config import load
from bot.connector import Limits
from bot.messages import Address, Called, Message, Person
from bot.origins import Shipped
from bot.plugins import load as load_plugins
from bot.router import app
from bot.store.connection import connect
from bot.store.keys import Keys
from bot.testing import wait_until
from bot.testing.platform import Platform
from plugins.imagine.loading import loaded
from plugins.imagine.served import STARTER
from plugins.imagine.starter.vocabulary import COLOURS, THINGS
from plugins.imagine.starter.words import phrase
from tests.bench.figures import Figure
from tests.bench.rivals import server
from tests.gpu import images as real_size
from tests.plugins.imagine.tiny import TINY, shelved

RUNS = 15
STEPS, SIDE = 8, 256

ROUNDS = 5
AT_ONCE = 32
"""People who ask at the same moment, each in a server of their own, for what the starter draws."""

FOURS = 4
"""Prompts that the pipeline takes together, as our worker gives them to it."""


@contextmanager
def working(config: Path) -> Iterator[None]:
    """A worker's process while it lives."""
    with subprocess.Popen([sys.executable, "-m", "bot.cli", "worker", "--config", str(config)], stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()


def configured(folder: Path, url: str, more: str) -> HouseConfig:
    """Written down in `bot.toml`, for the worker too."""
    text = f'data_dir = "{folder}"\n[redis]\nurl = "{url}"\n[worker]\nthreads = {os.cpu_count() or 1}\n{more}'
    (folder / "bot.toml").write_text(text)
    return load(folder / "bot.toml")


class Bare:
    """The pipeline by itself, as anybody would call it."""

    def __init__(self, folder: Path, facts: ImageFacts, steps: int, side: int) -> None:
        self._pipe: Any = loaded(folder, facts.planned(1 << 40, on="cpu"), "cpu", facts)
        self._options = {
            "num_inference_steps": steps,
            "guidance_scale": 0.0,
            "max_sequence_length": facts.tokens,
            "height": side,
            "width": side,
        }

    def draw(self, prompts: Sequence[str]) -> float:
        """Seconds until these pictures, which are drawn together, are there; each has a seed of its own."""
        import torch

        began = time.perf_counter()
        seeds = [torch.Generator("cpu").manual_seed(seed) for seed in range(len(prompts))]
        with torch.inference_mode():
            pictures = self._pipe(list(prompts), generator=seeds, **self._options).images
        assert len(pictures) == len(prompts)
        return time.perf_counter() - began


class Bot:
    """A router with the plugin."""

    def __init__(self, router: app.Router, platform: Platform) -> None:
        self._router = router
        self._platform = platform
        self._asked = 0

    async def draw(self, texts: Sequence[str]) -> float:
        """Seconds until everybody who asked, all at the same moment, has a picture."""
        asked = {Address("room", f"lounge{number}", "main"): text for number, text in enumerate(texts)}
        began = time.perf_counter()
        await asyncio.gather(*(self._router.deliver(self._message(room, text)) for room, text in asked.items()))
        await asyncio.gather(*(task for _, task in self._router.runner._held.values()))
        took = time.perf_counter() - began
        for room in asked:
            last = list(self._platform.chats[room].values())[-1]
            assert last.uploads, last.text
        return took

    def _message(self, room: Address, text: str) -> Message:
        self._asked += 1
        id = str(self._asked)
        return Message(id, id, room, Person(room.server, "Ada"), trigger=Called("imagine", text=text), me="bot")


@asynccontextmanager
async def drawing(folder: Path, url: str, more: str) -> AsyncIterator[Bot]:
    """A router, and a worker that is there."""
    config = configured(folder, url, more)
    redis, plugins = connect(url), load_plugins(config, "front")
    platform = Platform(most=Limits(text=4000, file=10 << 20, edit_interval=0.2, preview_interval=1.0))
    router = app.build(redis, Keys(), plugins, [platform], allowed=Allowed(quotas=UNLIMITED))
    with working(folder / "bot.toml"):
        async with app.running(router, plugins):
            await wait_until(router.stores.queue.served, 120.0)
            yield Bot(router, platform)
    await redis.aclose()


async def alone(folder: Path, url: str, runs: int) -> list[tuple[float, float]]:
    """Seconds of the bot and of the bare pipeline, which draws the same with the same seed."""
    models = shelved(folder / "models", most=512)
    bare, pairs = Bare(models / "tiny", TINY, STEPS, SIDE), []
    async with drawing(folder, url, f'[models]\ndir = "{models}"\n[plugins.imagine]\nmodels = ["tiny"]\n') as bot:
        for run in range(runs + 2):
            prompt = f"a red cat {run}"
            pair = await bot.draw([f"{prompt} --seed 0 --steps {STEPS} --size {SIDE}x{SIDE}"]), bare.draw([prompt])
            pairs += [pair] if run > 1 else []  # the first ones load and warm up
    return pairs


async def at_once(folder: Path, url: str) -> dict[str, list[float]]:
    """Pictures a second of the starter, round by round."""
    entry = catalogue.load().models[STARTER]
    facts = entry.image
    assert facts is not None and isinstance(entry.source, Shipped)
    bare = Bare(entry.source.path, facts, facts.steps, facts.side)
    found: dict[str, list[float]] = {"whole bot": [], "bare, one by one": [], "bare, by fours": []}
    async with drawing(folder, url, "[plugins.imagine]\n") as bot:
        for run in range(ROUNDS + 1):
            asked = prompts(run)
            told = [phrase(prompt, 0) for prompt in asked]
            took = {
                "whole bot": await bot.draw([f"{prompt} --seed 0" for prompt in asked]),
                "bare, one by one": sum(bare.draw([words]) for words in told),
                "bare, by fours": sum(bare.draw(told[at : at + FOURS]) for at in range(0, AT_ONCE, FOURS)),
            }
            for who, seconds in took.items():
                found[who] += [AT_ONCE / seconds] if run else []  # the first ones load and warm up
    return found


def prompts(run: int) -> list[str]:
    """No two of a round are the same."""
    things = sorted(product(sorted(COLOURS), sorted(THINGS)))
    return [f"a {colour} {thing}" for colour, thing in things[run :: len(things) // AT_ONCE][:AT_ONCE]]


def measure(*, quick: bool = False) -> dict[str, Figure]:
    with tempfile.TemporaryDirectory() as folder, server() as (_, url):
        pairs = asyncio.run(alone(Path(folder), url, 3 if quick else RUNS))
    size = f"{SIDE}², {STEPS} steps"
    figures = {
        f"bare pipeline ({size})": Figure.of([bare for _, bare in pairs], "s", 60.0, "lower"),
        f"through the bot ({size})": Figure.of([bot for bot, _ in pairs], "s", 60.0, "lower"),
        "through the bot, later than bare": Figure.of([1000 * (bot - bare) for bot, bare in pairs], "ms", 50.0, "lower"),
    }
    if quick:
        return figures
    with tempfile.TemporaryDirectory() as folder, server() as (_, url):
        rates = asyncio.run(at_once(Path(folder), url))
    return {
        **figures,
        **{
            f"pictures a second of {AT_ONCE} at once · {who}": Figure.of(some, "pictures/s", better="higher") for who, some in rates.items()
        },
        **real_size.measure(),
    }
