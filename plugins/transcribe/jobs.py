"""What is asked of a model that tells voices apart. Who asks: `listening.py`; who answers: `voices.py`."""

from __future__ import annotations

from typing import ClassVar

from bot import Blob, Job, Result


class Voices(Result):
    """What each stretch sounds like: numbers that are close to each other for one person; none for what is too short to say."""

    voices: tuple[tuple[float, ...], ...]


class Compare(Job[Voices]):
    """Say what stretches of a clip sound like; `spans` are their beginnings and ends, in seconds."""

    kind: ClassVar[str] = "transcribe/compare"
    timeout: ClassVar[float] = 300.0
    deadline: ClassVar[float] = 86_400.0

    audio: Blob
    spans: tuple[tuple[float, float], ...]
