"""Seconds for a picture through the bot (router, queue, a worker's process, the file) against the bare pipeline, in turns.

The chat platform is in memory, so what is left out is the upload. On a GPU, FLUX.1 at its real size too: `tests/gpu/images.py`.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bot.catalogue import load as load_catalogue
from bot.config import Config as HouseConfig
from bot.config import load
from bot.connector import Limits
from bot.messages import Address, Called, Message, Person
from bot.plugins import Plugins
from bot.plugins import load as load_plugins
from bot.router import app
from bot.store.connection import connect
from bot.store.keys import Keys
from bot.testing import wait_until
from bot.testing.platform import Platform
from plugins.imagine.config import Config
from plugins.imagine.loading import loaded
from plugins.imagine.served import served
from tests.bench.figures import Figure
from tests.bench.rivals import server
from tests.gpu import images as real_size
from tests.plugins.imagine.tiny import TINY, shelved

RUNS = 15
STEPS, SIDE = 8, 256
ADA, ROOM = Person("ada", "Ada"), Address("room", "lounge", "main")


@contextmanager
def working(config: Path) -> Iterator[None]:
    """A worker's process while it lives."""
    with subprocess.Popen([sys.executable, "-m", "bot.cli", "worker", "--config", str(config)], stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()


def configured(folder: Path, url: str) -> HouseConfig:
    models = shelved(folder / "models", most=512)
    threads = os.cpu_count() or 1
    text = f'data_dir = "{folder}"\n[redis]\nurl = "{url}"\n[worker]\nthreads = {threads}\n[models]\ndir = "{models}"\n'
    (folder / "bot.toml").write_text(f'{text}[plugins.imagine]\nmodels = ["tiny"]\n')
    return load(folder / "bot.toml")


class Bare:
    """The pipeline by itself, as anybody would call it."""

    def __init__(self, folder: Path) -> None:
        self._pipe: Any = loaded(folder, TINY.planned(1 << 40, on="cpu"), "cpu", TINY)

    def draw(self, prompt: str, seed: int) -> float:
        """Seconds until the picture is there."""
        import torch

        began = time.perf_counter()
        options = {"num_inference_steps": STEPS, "guidance_scale": 0.0, "max_sequence_length": TINY.tokens, "height": SIDE, "width": SIDE}
        with torch.inference_mode():
            [_] = self._pipe(prompt, generator=torch.Generator("cpu").manual_seed(seed), **options).images
        return time.perf_counter() - began


class Bot:
    """A router with the plugin."""

    def __init__(self, router: app.Router, platform: Platform) -> None:
        self._router = router
        self._platform = platform
        self._asked = 0

    async def draw(self, prompt: str, seed: int) -> float:
        """Seconds until the answer has its picture."""
        self._asked += 1
        id, text = str(self._asked), f"{prompt} --seed {seed} --steps {STEPS} --size {SIDE}x{SIDE}"
        began = time.perf_counter()
        await self._router.deliver(Message(id, id, ROOM, ADA, trigger=Called("imagine", text=text), me="bot"))
        await asyncio.gather(*(task for _, task in self._router.runner._held.values()))
        took = time.perf_counter() - began
        last = list(self._platform.chats[ROOM].values())[-1]
        assert last.uploads, last.text
        return took


async def _pairs(folder: Path, url: str, runs: int) -> list[tuple[float, float]]:
    config = configured(folder, url)
    plugins: Plugins = load_plugins(config, "front")
    platform = Platform(most=Limits(text=4000, file=10 << 20, edit_interval=0.2, preview_interval=1.0))
    redis, keys = connect(url), Keys()
    [one] = served(Config(models=("tiny",)), load_catalogue(added=config.models_dir))
    bare = Bare(config.models_dir / one.name)
    router = app.build(redis, keys, plugins, [platform])
    pairs = []
    with working(folder / "bot.toml"):
        async with app.running(router, plugins):
            await wait_until(router.stores.queue.served, 120.0)
            bot = Bot(router, platform)
            for run in range(runs + 2):
                pair = await bot.draw(f"a red cat {run}", run), bare.draw(f"a red cat {run}", run)
                pairs += [pair] if run > 1 else []  # the first ones load and warm up
    await redis.aclose()
    return pairs


def measure(*, quick: bool = False) -> dict[str, Figure]:
    with tempfile.TemporaryDirectory() as folder, server() as (_, url):
        pairs = asyncio.run(_pairs(Path(folder), url, 3 if quick else RUNS))
    size = f"{SIDE}², {STEPS} steps"
    return {
        f"bare pipeline ({size})": Figure.of([bare for _, bare in pairs], "s", 60.0, "lower"),
        f"through the bot ({size})": Figure.of([bot for bot, _ in pairs], "s", 60.0, "lower"),
        "through the bot, later than bare": Figure.of([1000 * (bot - bare) for bot, bare in pairs], "ms", 50.0, "lower"),
        **({} if quick else real_size.measure()),
    }
