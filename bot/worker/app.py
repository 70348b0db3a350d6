"""Puts a worker together and runs it until it is told to stop. What it does all day: `loop.py`."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import sys
import uuid
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import psutil
import structlog

from bot.catalogue import Catalogue
from bot.catalogue import load as load_catalogue
from bot.config import Config
from bot.errors import ConfigError, StoreError
from bot.exits import LOST
from bot.jobs import shape
from bot.metrics import WorkerMetrics, release
from bot.models import Model, Placement
from bot.plugins import Plugins, chosen
from bot.probes import serving
from bot.store.blobs import Blobs
from bot.store.connection import check, connect, unreachable
from bot.store.keys import Keys
from bot.store.queue import LEASE
from bot.store.shifts import Shift
from bot.worker.counting import CountedShift
from bot.worker.device import Device
from bot.worker.hours import Hours
from bot.worker.loop import Loop
from bot.worker.offers import offer
from bot.worker.warden import EVERY, Warden

SHARE = 0.8
"""The part of the memory that is free at the start which models may fill."""

REMOTE = "remote"
"""The device of models that are elsewhere."""

KEPT = 0.2
"""The part of the host's memory that parked weights leave free."""

log = structlog.get_logger(__name__)

Models = list[Model[Any, Any]]


def main(config: Config, plugins: Plugins, *, keys: Keys | None = None, lease: float = LEASE) -> int:
    """Serves until SIGTERM or SIGINT; the exit code. Raises ConfigError and StoreError at the start.

    `lease` in seconds is how long jobs stay with a worker that has gone silent; the warden renews it four times as often.
    """
    clean = asyncio.run(_serve(config, plugins, keys or Keys(), lease))
    if not clean:  # a model that is deep in a computation cannot be interrupted, and its thread would be waited for
        os._exit(0)
    return 0


def _leave() -> NoReturn:
    """Ends the process around a device that is lost: whatever else is tried with it may wait for ever.

    The warden sees it go, and gives away what was running.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(LOST)


async def _serve(config: Config, plugins: Plugins, keys: Keys, lease: float) -> bool:
    redis = connect(config.redis_url)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(redis.aclose)
        await check(redis, config.redis_url)
        for lifespan in plugins.lifespans():
            await stack.enter_async_context(lifespan)
        catalogue = load_catalogue(added=config.models_dir)
        folders = {name: entry.folder(config.models_dir) for name, entry in catalogue.models.items()}
        models = _complete([model for _, model in chosen(config, plugins)], folders, catalogue, config)
        hands = _hands(config, models, folders)
        metrics = WorkerMetrics(release())
        metrics.loaded(plugins.loaded.values())
        shifts = [hand.shift(redis, keys, lease, metrics) for hand in hands]
        warden = Warden(config.redis_url, shifts)
        waits = config.worker.model_dump(include={"max_drain", "drain", "idle_unload"})
        loops = [
            Loop(hand.models, shift, Blobs(redis, keys), hand.device, claimed=warden.watch, **waits)
            for hand, shift in zip(hands, shifts, strict=True)
        ]
        for shift in shifts:
            await shift.renew()
        hours = Hours(config.worker.quiet_hours, [shift for shift in shifts if shift.owns])
        await hours.look()
        rounds = [asyncio.create_task(_watch(warden, lease / EVERY)), asyncio.create_task(hours.keep())]
        await stack.enter_async_context(_observed(config, redis, metrics))
        log.info("worker ready", name=hands[0].name, device=hands[0].kind, models=[model.name for hand in hands for model in hand.models])
        try:
            clean = await _run(loops)
        finally:
            for round in rounds:
                round.cancel()
            warden.dismiss()
            for shift in shifts:
                with suppress(StoreError):
                    await shift.sign_off()
        return clean


def _observed(config: Config, redis: Any, metrics: WorkerMetrics) -> AbstractAsyncContextManager[None]:
    """What monitoring sees of this worker: it is ready while the store answers."""

    async def ready() -> str:
        return await unreachable(redis)

    async def refresh() -> None:
        """Everything is counted as it happens."""

    return serving(config.observe, "worker_port", metrics, ready, refresh)


async def _run(loops: Sequence[Loop]) -> bool:
    """Until all have ended; False when the process must be ended around one of them."""

    def stop() -> None:
        for loop in loops:
            loop.stop()

    async def run(loop: Loop) -> bool:
        await loop.run()
        if loop.lost:
            stop()
        return await loop.close()

    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, stop)
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(run(loop)) for loop in loops]
    if any(loop.lost for loop in loops):
        _leave()
    return all(one.result() for one in running)


async def _watch(warden: Warden, pause: float) -> None:
    while True:
        warden.watch()
        await asyncio.sleep(pause)


@dataclass(frozen=True, slots=True)
class Hand:
    """What works on its own within a worker: the queue's name for it and the operator's, its models, the kind of their device, and that."""

    worker: str
    name: str
    models: Models
    kind: str
    device: Device

    def shift(self, redis: Any, keys: Keys, lease: float, metrics: WorkerMetrics) -> Shift:
        """Its dealings with the queue."""
        offers = [replace(offer(model), schema=shape(model.job)) for model in self.models]
        owns = self.kind != REMOTE
        room = self.device.room if owns else 0
        return CountedShift(metrics, redis, keys, self.worker, offers, name=self.name, device=self.kind, owns=owns, room=room, lease=lease)


def _hands(config: Config, models: Models, folders: Mapping[str, Path]) -> list[Hand]:
    """One for this process's device, unless it is to have none, and one for each model that is elsewhere."""
    worker, here = _name(), config.worker.name or socket.gethostname()
    remote = [model for model in models if model.remote]
    elsewhere = [Hand(f"{worker}/{one.name}", f"{here}:{one.name}", [one], REMOTE, _residents(config, REMOTE, folders)) for one in remote]
    if config.worker.device != REMOTE:
        device = device_of(config)
        local = [model for model in models if not model.remote]
        for model in local:
            model.device = device
        return [
            Hand(worker, config.worker.name or f"{here}:{device}", local, device.partition(":")[0], _residents(config, device, folders)),
            *elsewhere,
        ]
    if not remote:
        found = ", ".join(model.name for model in models) or "none"
        raise ConfigError(f'worker.device = "{REMOTE}": expected a model whose work is done elsewhere, found {found}')
    return elsewhere


def _residents(config: Config, device: str, folders: Mapping[str, Path]) -> Device:
    spare = _spare if device.startswith("cuda") else None
    return Device(_room(device, config.worker.memory), lambda model: _placement(config, device, model, folders), spare=spare)


def _complete(models: Models, folders: dict[str, Path], catalogue: Catalogue, config: Config) -> Models:
    """The models whose weights are here and whose licence fits; those that are not here are named with what brings them."""
    entries = catalogue.find(dict.fromkeys(name for model in models for name in (model.weights, *model.also) if name))
    if refusals := [said for entry in entries if (said := catalogue.refusal(entry, config.models.use))]:
        raise ConfigError(*refusals)
    for model in models:
        model.also = [name for name in model.also if _here(name, name, folders)]
    return [model for model in models if not model.weights or _here(model.name, model.weights, folders)]


def _here(name: str, weights: str, folders: Mapping[str, Path]) -> bool:
    """Whether the folder is there; the log says what brings one that is not."""
    if folders[weights].is_dir():
        return True
    log.error("a model is not here", model=name, bring_it=f"hobnob models pull {weights}")
    return False


def _placement(config: Config, device: str, model: Model[Any, Any], folders: Mapping[str, Path]) -> Placement:
    threads = config.worker.threads or os.cpu_count() or 1
    beside = {name: folders[name] for name in model.also}
    return Placement(device, folders[model.weights] if model.weights else None, threads, beside)


def device_of(config: Config) -> str:
    """What `auto` means here; a GPU counts when torch can use it."""
    chosen = config.worker.device
    if chosen == "cpu" or (chosen == "auto" and shutil.which("nvidia-smi") is None):
        return "cpu"
    import torch

    if chosen == "auto":
        return "cuda:0" if torch.cuda.is_available() else "cpu"
    kind, _, number = chosen.partition(":")
    count = int(torch.backends.mps.is_available()) if kind == "mps" else torch.cuda.device_count()
    if int(number or 0) >= count:
        raise ConfigError(f'worker.device = "{chosen}": torch {torch.__version__} finds no such device here; `hobnob doctor` says more')
    return "cuda:0" if chosen == "cuda" else chosen


def _room(device: str, most: int | None) -> int:
    """Bytes that models may take; the operator may allow them less than there is."""
    if device == REMOTE:
        return sys.maxsize
    if device.startswith("cuda"):
        import torch

        free, _ = torch.cuda.mem_get_info(device)
    else:
        free = psutil.virtual_memory().available
    return min(int(free * SHARE), most or sys.maxsize)


def _spare() -> int:
    """Bytes of the host that parked weights may take now. Weights that are parked already are not in it."""
    memory = psutil.virtual_memory()
    return max(0, int(memory.available - KEPT * memory.total))


def _name() -> str:
    """Names this process for the jobs it holds."""
    return f"{socket.gethostname()}.{os.getpid()}.{uuid.uuid4().hex[:6]}"
