"""Several processes of one thread each learn together: each takes its part of a batch, and gradients are averaged once a step.

Threads meet at every one of the thousand operations of a step, and wait there for each other whenever something else runs on the machine.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.multiprocessing.spawn import start_processes


def run(work: Callable[[int, int], None], processes: int) -> None:
    """Calls `work` with (rank, processes) in so many processes, and ends with the last of them."""
    with tempfile.TemporaryDirectory() as folder:
        meeting = Path(folder) / "meeting"
        start: Any = start_processes
        start(_one, (work, processes, meeting.as_uri()), nprocs=processes, start_method="fork")


def _one(rank: int, work: Callable[[int, int], None], processes: int, meeting: str) -> None:
    os.setsid()  # Linux shares the processor among sessions, and each of these is to have its own share
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", meeting, rank=rank, world_size=processes)
    work(rank, processes)
    distributed.barrier()
    distributed.destroy_process_group()


@torch.no_grad()
def average(parameters: Iterable[nn.Parameter]) -> None:
    """Every process goes on with the mean of all gradients."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    _spread(flat, gradients)


@torch.no_grad()
def share(parameters: list[nn.Parameter]) -> None:
    """Every process has changed its own of these, those from its rank on in steps of as many as there are; now all have all."""
    rank, processes = distributed.get_rank(), distributed.get_world_size()
    flat = torch.cat([(one if index % processes == rank else torch.zeros_like(one)).flatten() for index, one in enumerate(parameters)])
    distributed.all_reduce(flat)
    _spread(flat, parameters)


def _spread(flat: Tensor, over: Sequence[Tensor]) -> None:
    for one, new in zip(over, torch.split(flat, [one.numel() for one in over]), strict=True):
        one.copy_(new.view_as(one))
