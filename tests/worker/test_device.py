"""Where models run, and what stands on a device when something goes wrong."""

from __future__ import annotations

import pytest

from bot.config import Config, WorkerTable
from bot.errors import ConfigError
from bot.models import Memory, Placement
from bot.worker import device
from bot.worker.app import _device
from tests.worker.drill import Drum


class Sticky(Drum):
    """Fails to unload."""

    def memory(self) -> Memory:
        return Memory(6)

    def unload(self) -> None:
        raise RuntimeError("it sticks")


class Unmeasured(Drum):
    """Fails to say how large it is."""

    def memory(self) -> Memory:
        raise RuntimeError("no idea")


class Quiet(Drum):
    """Does as it should."""

    name = "quiet"

    def memory(self) -> Memory:
        return Memory(6)

    def load(self, placement: Placement) -> None: ...

    def unload(self) -> None: ...


@pytest.mark.parametrize("chosen", ["cuda", "cuda:7", "mps"])
def test_a_device_that_is_not_here_is_a_sentence(chosen: str) -> None:
    import torch

    if torch.cuda.is_available() or torch.backends.mps.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(ConfigError, match=f'worker.device = "{chosen}": torch .* finds no such device here'):
        _device(Config(worker=WorkerTable(device=chosen)))


def test_a_model_that_fails_to_unload_is_gone_and_the_next_one_comes(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("DRILL_LOG", f"{tmp_path}/log")
    made, sticky, quiet = device.Device(10, lambda _: Placement("cpu")), Sticky(), Quiet()
    made.warm([Unmeasured(), sticky])
    assert made.has(sticky)
    with pytest.raises(RuntimeError, match="it sticks"):
        made._bring_in(quiet, lambda seconds: None)
    made._bring_in(quiet, lambda seconds: None)
    assert (made.has(sticky), made.has(quiet)) == (False, True)
