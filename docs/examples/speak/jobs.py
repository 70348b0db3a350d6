"""What the front half asks of the model half. Both import this."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from bot import Blob, Job, Result


class Spoken(Result):
    """A voice note: Opus in Ogg, as people record it."""

    audio: Blob
    seconds: float


class Speak(Job[Spoken]):
    """Wants `text` said; `rate` 2 is twice as fast."""

    kind: ClassVar[str] = "speak/speak"
    timeout: ClassVar[float] = 120.0
    deadline: ClassVar[float] = 600.0

    text: str = Field(min_length=1, max_length=4000)
    rate: float = Field(default=1.0, ge=0.5, le=2.0)
