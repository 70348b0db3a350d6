"""The models that draw, in the worker: what they take, and when they run. How pictures come about: `engine.py`; elsewhere: `remote.py`."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from bot import Batch, Catalogue, Draw, ImagePlan, Memory, Model, Picture, Placement, hookimpl
from bot.importing import importing
from plugins.imagine.checker import Checker
from plugins.imagine.config import Config
from plugins.imagine.remote import Remote
from plugins.imagine.served import STARTER, Served, checker, served
from plugins.imagine.starter.words import phrase

if TYPE_CHECKING:
    from plugins.imagine.engine import Engine

SHARE = 0.9
"""The part of the memory that is free on the device which a plan may use."""


log = logging.getLogger(__name__)


class Drawer(Model[Draw, Picture]):
    """A pipeline of diffusers, from safetensors; code in a model's folder is never run."""

    job = Draw

    def __init__(self, config: Config, one: Served) -> None:
        self.name = one.name
        self.weights = one.entry.name if one.entry else ""
        self.max_batch = config.max_batch
        self._config = config
        self._one = one
        self._engine: Engine | None = None

    def memory(self) -> Memory:
        """By the plan: before loading that for a device with room for everything, so that others make as much room as there is."""
        plan = self._engine.plan if self._engine else self._foretold()
        weights = max(0, plan.device - plan.working)
        return Memory(weights, plan.working, self._engine.parked if self._engine else 0)

    def _foretold(self) -> ImagePlan:
        return self._one.facts.planned(psutil.virtual_memory().available, on="cpu", rows=self.max_batch)

    def load(self, placement: Placement) -> None:
        """Raises FileNotFoundError with what to do when the weights are not there, ValueError for a folder with something else."""
        with importing():
            _hush()
            import torch

            from plugins.imagine.engine import Engine
            from plugins.imagine.loading import loaded, quantises

        torch.set_num_threads(placement.threads)
        on = placement.device.partition(":")[0]
        wish, rows = self._config.fit, self.max_batch
        plan = self._one.facts.planned(_free(placement.device), on=on, wish=wish, rows=rows, quantised=quantises())
        said = "%s: %s, in %s, %d at a time, with about %.1f GB of the device and %.1f GB of the host"
        log.info(said, self.name, plan.fit, plan.precision, plan.rows, plan.device / 1e9, plan.host / 1e9)
        folder = self._folder(placement)
        pipe = loaded(folder, plan, placement.device, self._one.facts)
        styles = _styles(self._config, placement)
        taught = phrase if self.name == STARTER else None
        self._engine = Engine(self.name, pipe, self._one.facts, plan, placement.device, folder, styles=styles, phrase=taught)

    def _folder(self, placement: Placement) -> Path:
        folder = placement.weights
        if folder is None or not (folder / "model_index.json").is_file():
            raise FileNotFoundError(
                f"expected the model {self.name!r} in {folder}, found no model_index.json there: run `hobnob models pull {self.name}`"
            )
        return folder

    def run(self, batch: Batch[Draw, Picture]) -> None:
        """See `Engine.run`."""
        if self._engine is None:
            raise RuntimeError(f"{self.name} must be loaded before it runs")
        self._engine.run(batch)

    def park(self) -> None:
        """See `Engine.park`."""
        if self._engine is not None:
            self._engine.park()

    def unpark(self) -> None:
        """See `Engine.unpark`."""
        if self._engine is not None:
            self._engine.unpark()

    def unload(self) -> None:
        """Gives the memory back."""
        if self._engine is not None:
            self._engine.close()
        self._engine = None


def _hush() -> None:
    """Before anything is imported: libraries that tell of faster ones which are not here, and which nothing here needs."""
    transformers: Any = import_module("transformers")  # which has no types for this
    transformers.logging.set_verbosity_error()
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)


def _free(device: str) -> int:
    """Bytes that a plan may use on the device."""
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.mem_get_info(device)[0] * SHARE)
    return int(psutil.virtual_memory().available * SHARE)


def _styles(config: Config, placement: Placement) -> Mapping[str, Path]:
    beside = placement.weights.parent if placement.weights else Path()
    return {name: beside / path for name, path in config.styles.items()}


class Plugin:
    """Draws."""

    def __init__(self, config: Config, catalogue: Catalogue) -> None:
        self._config = config
        self._served = served(config, catalogue)
        self._checker = checker(config, catalogue)

    @hookimpl
    def register_models(self) -> Iterable[Model[Any, Any]]:
        """The models that the operator chose."""
        local = [Drawer(self._config, one) for one in self._served if not one.server]
        looking = [Checker(self._checker, self._config.unsafe)] if self._checker else []
        return [*local, *(Remote(one.name, one.server) for one in self._served if one.server), *looking]
