"""What is asked of a model that looks at pictures before they are shown. Who asks: `checking.py`; who answers: `checker.py`."""

from __future__ import annotations

from typing import ClassVar

from bot import Blob, Job, Result


class Looked(Result):
    """How likely it is of each picture, in their order and from 0 to 1, that it is not for everybody."""

    unsafe: tuple[float, ...]


class Look(Job[Looked]):
    """Look at pictures."""

    kind: ClassVar[str] = "imagine/look"
    timeout: ClassVar[float] = 120.0
    deadline: ClassVar[float] = 1800.0

    pictures: tuple[Blob, ...]
