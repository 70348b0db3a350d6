"""What an error of a model says: memory ran out, the device is lost, or neither. What is done about it: `attempts.py`.

Errors are known by their names and words, so that no model library has to be imported to know them.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from typing import Literal

Ailment = Literal["memory", "device", "job"]

MEMORY = re.compile(
    "out of memory"  # CUDA, HIP and MPS, in torch and in CTranslate2
    "|not enough memory|can't allocate memory"  # torch's allocator on a CPU
    "|std::bad_alloc"
    "|(cublas|cudnn)_status_alloc_failed",
    re.IGNORECASE,
)

DRIVER = re.compile(r"(triton error \[)?(cuda|cudnn|cublas|hip)\b", re.IGNORECASE)
"""How the words of a driver begin. Words anywhere else may be anybody's, those of a prompt even."""

LOST = re.compile(
    "device-side assert|illegal memory access|illegal address|illegal instruction|misaligned address|invalid program counter"
    "|unspecified launch failure|hardware stack error|launch timed out|uncorrectable ecc error|unknown error|context is destroyed"
    "|(cublas|cudnn)_status_(execution_failed|internal_error|mapping_error)",
    re.IGNORECASE,
)
"""Faults of the device after which every call of this process fails; CUDA's documentation says of each that the process must end."""


class DeviceLost(Exception):  # noqa: N818  as in bot/errors.py
    """This process can use the device no more; another process can."""


def diagnose(error: BaseException) -> Ailment:
    """What ails, by the error itself or what it was raised from."""
    found = {_one(link) for link in _chain(error)}
    return "device" if "device" in found else "memory" if "memory" in found else "job"


def _one(error: BaseException) -> Ailment:
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return "memory"
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return "memory"
    if not isinstance(error, RuntimeError):
        return "job"
    words = str(error)
    if DRIVER.match(words) and LOST.search(words):
        return "device"
    return "memory" if MEMORY.search(words) else "job"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
