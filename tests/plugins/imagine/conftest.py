"""Tiny pipelines, built once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bot import ImagePlan
from tests.plugins.imagine.tiny import GUIDED, TINY, build

if TYPE_CHECKING:
    from plugins.imagine.engine import Engine

Make = Callable[..., "Engine"]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def guided(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("guided"), guided=True)


@pytest.fixture
def make(tiny: Path, guided: Path) -> Iterator[Make]:
    """Engines on the CPU, each with a pipeline of its own."""
    import torch

    from plugins.imagine.engine import Engine
    from plugins.imagine.loading import loaded

    torch.set_num_threads(1)
    made: list[Engine] = []

    def engine(*, dev: bool = False, plan: ImagePlan | None = None, **options: Any) -> Engine:
        folder, facts = (guided, GUIDED) if dev else (tiny, TINY)
        plan = plan or facts.planned(1 << 40, on="cpu")
        pipe = loaded(folder, plan, "cpu", facts)
        made.append(Engine("tiny", pipe, facts, plan, "cpu", folder, **options))
        return made[-1]

    yield engine
    for one in made:
        one.close()
