"""What a machine has, and what that comes to: room for models, and how fast they run. Looking at one: `recommending.py`."""

from __future__ import annotations

from dataclasses import dataclass

from bot.catalogue import Precision

FREE = 0.9
"""The part of a card that may be used."""

HOST = 0.7
"""The part of the main memory that may be used."""

REACHED = 0.6
"""The part of the memory's bandwidth that reading the weights reaches, once for each token; 50 to 80 % is usual."""

COMPUTED = 0.45
"""The part of a device's operations that a large model reaches: FLUX.1 [dev] takes 0.24 s for a step of 1024² on an H100."""

DISK = 1_500_000_000.0
"""Bytes a second at which weights are loaded from a disk."""


@dataclass(frozen=True, slots=True)
class Card:
    """A GPU; `memory` in bytes, `bandwidth` in bytes a second, `operations` a second on bfloat16."""

    name: str
    memory: int
    bandwidth: float
    operations: float = 5e13


@dataclass(frozen=True, slots=True)
class Machine:
    """`memory` in bytes and its measured `bandwidth` in bytes a second; the cards, if any, the largest first.

    `dtype` is what the processor is quicker in, and `operations` how many a second all its cores do with it.
    """

    memory: int
    bandwidth: float
    cards: tuple[Card, ...] = ()
    dtype: Precision = "float32"
    operations: float = 1e11

    @property
    def usual(self) -> Precision:
        """What is computed in where nothing else is chosen."""
        return "bfloat16" if self.cards else self.dtype

    @property
    def where(self) -> Card | None:
        """What models run on that are not spread over several cards; None is the processor."""
        return self.cards[0] if self.cards else None

    def room(self, cards: int) -> int:
        """Bytes that models may take on so many cards; on none, in the main memory."""
        return int(sum(card.memory for card in self.cards[:cards]) * FREE) if cards else int(self.memory * HOST)

    def speed(self, size: int, cards: int) -> float:
        """Tokens a second of one answer by a model of `size` bytes; the layers on several cards work one after another."""
        return REACHED * (min(card.bandwidth for card in self.cards[:cards]) if cards else self.bandwidth) / size

    def seconds(self, operations: float) -> float:
        """How long so many operations take where models run."""
        return operations / (COMPUTED * (self.where or self).operations)
