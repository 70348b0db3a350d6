"""A prefix cache: what was read lately is kept a while, for prompts that begin with the same tokens. The rows it comes from: `rows.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

LEAST = 16
"""Tokens that are sooner copied than read."""

Layers = Sequence[tuple[torch.Tensor, torch.Tensor]]
"""Keys and values [heads, tokens, size] of each layer."""


@dataclass(frozen=True, slots=True, eq=False)
class Prefix:
    """What was computed of these tokens, with this adapter."""

    adapter: str
    tokens: Sequence[int]
    layers: Layers

    def shared(self, tokens: Sequence[int]) -> int:
        """With how many of its own these begin."""
        pairs = zip(self.tokens, tokens, strict=False)
        return next((at for at, (mine, other) in enumerate(pairs) if mine != other), min(len(self.tokens), len(tokens)))


@dataclass(frozen=True, slots=True)
class Known:
    """The beginning of a prompt, so many tokens, that need not be read."""

    tokens: int = 0
    layers: Layers = ()


class Prefixes:
    """The last ones, up to `most` tokens of them together. What an adapter has computed is never used with another."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: list[Prefix] = []
        """The one used longest ago first."""

    def keep(self, prefix: Prefix) -> None:
        """In the place of what it goes on from."""
        if len(prefix.tokens) >= LEAST and not any(self._holds(one, prefix) for one in self._kept):
            self._kept = [*(one for one in self._kept if not self._holds(prefix, one)), prefix]
            self.trim(self._most)

    @staticmethod
    def _holds(one: Prefix, other: Prefix) -> bool:
        return one.adapter == other.adapter and one.shared(other.tokens) == len(other.tokens)

    def known(self, adapter: str, prompt: Sequence[int]) -> Known:
        """What need not be read of a prompt, whose last token always is."""
        alike = [(one.shared(prompt[:-1]), at) for at, one in enumerate(self._kept) if one.adapter == adapter]
        tokens, at = max(alike, default=(0, 0))
        if tokens < LEAST:
            return Known()
        self._kept.append(self._kept.pop(at))
        return Known(tokens, self._kept[-1].layers)

    def trim(self, most: int) -> None:
        """Forgets the oldest until so many tokens are left."""
        tokens = sum(len(one.tokens) for one in self._kept)
        while self._kept and tokens > most:
            tokens -= len(self._kept.pop(0).tokens)
