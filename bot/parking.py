"""Weights of torch that move between a device and the host, in one piece each way; for what `Model.park` promises. It imports torch."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import torch

ALIGNED = 512
"""Bytes to which each tensor is aligned, as torch's own allocator aligns them on CUDA."""

log = logging.getLogger(__name__)


class Parking:
    """The parameters and buffers of modules, and once they were parked their copy in the host, which stays: weights do not change.

    What is put on a module later, such as an adapter, has to be taken off before it is parked.

    On CUDA the copy is pinned, so that a transfer runs at the speed of the bus. Its pages are registered, not allocated by torch, whose
    allocator of pinned memory rounds up to a power of two.
    """

    def __init__(self, *modules: Any) -> None:
        self._modules = modules
        self._host: torch.Tensor | None = None
        self._pinned = False
        self.size = self._laid_out() if self._movable() else 0
        """Bytes in the host; 0 for weights that cannot move: quantised ones, whose tensors are more than their numbers."""

    def _tensors(self) -> Iterator[torch.Tensor]:
        for module in self._modules:
            yield from module.parameters()
            yield from module.buffers()

    def _movable(self) -> bool:
        plain = all(type(one) in (torch.Tensor, torch.nn.Parameter) and one.layout == torch.strided for one in self._tensors())
        return plain and all(getattr(module, "hf_quantizer", None) is None for module in self._modules)

    def _laid_out(self) -> int:
        return sum(_aligned(one.nbytes) for one in self._tensors())

    def park(self) -> None:
        """To the host; the device has its memory back."""
        if self._host is None:
            device = next(self._tensors()).device
            self._host = self._arena(device)
            for one, place in self._places(self._host):
                place.copy_(one, non_blocking=True)
            _settle(device)
        self._into(self._host)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def unpark(self, device: torch.device) -> None:
        """Back to the device."""
        assert self._host is not None, "park() comes first"
        there = torch.empty_like(self._host, device=device)
        there.copy_(self._host, non_blocking=True)
        _settle(device)
        self._into(there)

    def _into(self, arena: torch.Tensor) -> None:
        for one, place in self._places(arena):
            one.data = place

    def _places(self, arena: torch.Tensor) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Each tensor with its place in the arena, of the same shape and order of numbers."""
        start = 0
        for one in list(self._tensors()):
            flat = arena[start : start + one.nbytes].view(one.dtype)
            order = torch.empty_like(one, device="meta").stride()  # its own order, without the gaps that it may have
            yield one, flat.as_strided(one.shape, order, flat.storage_offset())
            start += _aligned(one.nbytes)

    def _arena(self, device: torch.device) -> torch.Tensor:
        arena = torch.empty(self.size, dtype=torch.uint8)
        if device.type == "cuda":
            arena.fill_(0)  # pages that are there already are pinned several times as fast
            self._pinned = not int(_cuda().cudaHostRegister(arena.data_ptr(), self.size, 0))
            if not self._pinned:
                log.warning("the host's memory could not be pinned: weights will be copied at a fraction of the speed of the bus")
                with suppress(RuntimeError):
                    torch.zeros(1, device=device)  # the refusal stays CUDA's last error until some kernel meets it
        return arena

    def close(self) -> None:
        """Gives the host's copy up; weights that are parked are gone then."""
        if self._host is not None and self._pinned:
            _cuda().cudaHostUnregister(self._host.data_ptr())
        self._host, self._pinned = None, False


def _aligned(size: int) -> int:
    return -(-size // ALIGNED) * ALIGNED


def _cuda() -> Any:
    """CUDA's runtime, as far as torch shows it."""
    return torch.cuda.cudart()  # type: ignore[no-untyped-call]


def _settle(device: torch.device) -> None:
    """Waits for copies that are under way."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
