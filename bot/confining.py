"""What a process that reads a stranger's file does before it looks at it: it gives up whatever it might do harm with.

It runs in that process, so it stands on the standard library alone. What starts the process: `confined.py`.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from typing import Protocol, TypeVar


class Order(Protocol):
    """What there is to do, and the limits that hold meanwhile."""

    @property
    def library(self) -> str:
        """The folder that what reads the file lies in."""

    @property
    def cpu(self) -> int:
        """Seconds of processor."""

    @property
    def memory(self) -> int:
        """Bytes."""


Ordered = TypeVar("Ordered", bound=Order)


def ordered(kind: Callable[..., Ordered]) -> Ordered:
    """The order from the command line. From here on its limits stand, and its library is in reach."""
    order = kind(**json.loads(sys.argv[1]))
    limits = {resource.RLIMIT_CPU: order.cpu, resource.RLIMIT_FSIZE: 0, resource.RLIMIT_CORE: 0}
    if sys.platform == "linux":  # macOS has no limit on memory; the others hold there too
        limits[resource.RLIMIT_AS] = order.memory
    for which, most in limits.items():
        resource.setrlimit(which, (most, most))
    sys.path.append(order.library)
    return order


def shut() -> None:
    """Opens no further file. All that is loaded at first use has to be there by now."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
