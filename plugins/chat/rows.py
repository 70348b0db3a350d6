"""Sequences of different lengths side by side, with one cache, joined and left between steps. What is done with them: `engine.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.functional import pad
from transformers import DynamicCache
from transformers.cache_utils import Cache, DynamicLayer

from plugins.chat.prefixes import Known, Layers

SPARE = 64
"""Columns that a cache has in reserve: it is copied once for so many tokens, not once for each."""


class Reserved(DynamicLayer):  # type: ignore[no-untyped-call]
    """Keys and values [rows, heads, columns, size] of one layer. New ones are written into a reserve behind them."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.keys: Any = None
        self.values: Any = None
        self._room: tuple[torch.Tensor, torch.Tensor] | None = None

    def hold(self, keys: torch.Tensor, values: torch.Tensor) -> None:
        """Has these and no others, without a reserve."""
        self.keys, self.values, self._room = keys, values, None

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """All keys and values, the new ones behind the others."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self.hold(key_states[:, :, :0], value_states[:, :, :0])
        start, more = self.keys.shape[-2], key_states.shape[-2]
        if self._room is None or start + more > self._room[0].shape[-2]:
            self._room = _roomy([self.keys], start, more), _roomy([self.values], start, more)
        keys, values = self._room
        keys[:, :, start : start + more], values[:, :, start : start + more] = key_states, value_states
        self._show(start + more)
        return self.keys, self.values

    def stack(self, other: Reserved, columns: int) -> None:
        """Takes the rows of `other` over, below its own; both come to end at the last of so many columns."""
        self._room = _roomy([self.keys, other.keys], columns), _roomy([self.values, other.values], columns)
        self._show(columns)

    def keep(self, rows: torch.Tensor, first: int) -> None:
        """Drops all other rows, and the columns before the `first`."""
        columns = self.keys.shape[-2] - first
        self._room = _picked(self.keys[:, :, first:], rows), _picked(self.values[:, :, first:], rows)
        self._show(columns)

    def _show(self, columns: int) -> None:
        assert self._room is not None
        keys, values = self._room  # narrowed once a layer and token, which slicing does 3.5 µs slower
        self.keys, self.values = keys.narrow(2, 0, columns), values.narrow(2, 0, columns)


def _roomy(parts: Sequence[torch.Tensor], columns: int, more: int = 0) -> torch.Tensor:
    """Some [rows, heads, columns, size] below one another, padded on the left to as many columns, with room for more behind them."""
    _, heads, _, size = parts[0].shape
    room = parts[0].new_empty((sum(map(len, parts)), heads, columns + more + SPARE, size))
    end = 0
    for part in parts:
        begin, end, first = end, end + len(part), columns - part.shape[-2]
        room[begin:end, :, :first], room[begin:end, :, first:columns] = 0, part
    return room


def _picked(part: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """These rows of [rows, heads, columns, size], with room behind them; copied once."""
    _, heads, columns, size = part.shape
    room = part.new_empty((len(rows), heads, columns + SPARE, size))
    torch.index_select(part, 0, rows, out=room[:, :, :columns])
    return room


class Rows:
    """A batch of sequences over transformers' own cache.

    Rows end at the same column and are padded on the left: `mask` [rows, columns] is 1 where a row has a token. Only
    caches whose layers all keep every token can be joined; see `check`.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._cache: Any = Cache(layer_class_to_replicate=Reserved)
        self.mask = torch.zeros((0, 0), dtype=torch.long, device=model.device)

    def begin(self, columns: int, known: Sequence[Known]) -> None:
        """Puts what is known of each row's beginning into the first columns, padded on the left."""
        if not columns:
            return
        mask = [[0] * (columns - one.tokens) + [1] * one.tokens for one in known]
        self.mask = torch.tensor(mask, device=self.mask.device)
        some = max(known, key=lambda one: one.tokens).layers
        for number in range(len(some)):
            keys, values = (torch.stack([_placed(one, some, number, part, columns) for one in known]) for part in (0, 1))
            self._cache.update(keys, values, number)

    def row(self, row: int) -> Layers:
        """What a row has read."""
        first = int(self.mask[row].argmax())
        return [(layer.keys[row, :, first:].clone(), layer.values[row, :, first:].clone()) for layer in self._cache.layers]

    def read(self, tokens: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Runs `tokens` [rows, n] behind what was read before; the logits [rows, vocabulary] after the last column."""
        new = torch.ones_like(tokens) if mask is None else mask
        self.mask = torch.cat([self.mask, new], 1) if len(self.mask) else new
        positions = (self.mask.cumsum(1) - 1).clamp(min=0)[:, -tokens.shape[1] :]
        out = self._model(
            input_ids=tokens,
            attention_mask=self.mask,
            position_ids=positions,
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
        )
        logits: torch.Tensor = out.logits[:, -1]
        return logits

    def join(self, other: Rows) -> None:
        """Takes the rows of `other` over, below its own; the shorter side is padded."""
        if not len(self.mask):
            self._cache, self.mask = other._cache, other.mask
            return
        columns = max(self.mask.shape[1], other.mask.shape[1])
        self.mask = torch.cat([pad(mask, (columns - mask.shape[1], 0)) for mask in (self.mask, other.mask)])
        for mine, theirs in zip(self._cache.layers, other._cache.layers, strict=True):
            mine.stack(theirs, columns)

    def to(self, device: torch.device) -> None:
        """Moves all of it."""
        self.mask = self.mask.to(device)
        for layer in self._cache.layers:
            layer.hold(layer.keys.to(device), layer.values.to(device))

    def keep(self, rows: Sequence[int]) -> None:
        """Drops all other rows, and the columns in which nothing is left; at least one stays."""
        index = torch.tensor(rows, device=self.mask.device)
        kept = self.mask[index]
        first = int(kept.argmax(1).min())
        self.mask = kept[:, first:]
        for layer in self._cache.layers:
            layer.keep(index, first)


def _placed(one: Known, some: Layers, number: int, part: int, columns: int) -> torch.Tensor:
    """Keys or values [heads, columns, size] of a beginning, padded on the left; `some` has their shape where nothing is known."""
    found = (one.layers or some)[number][part][:, : one.tokens]
    return pad(found, (0, 0, columns - one.tokens, 0))


def check(model: Any) -> None:
    """Raises ValueError for a model whose cache forgets, such as one with a sliding window."""
    wrong = {type(layer).__name__ for layer in DynamicCache(config=model.config).layers if type(layer).__name__ != "DynamicLayer"}
    if wrong:
        raise ValueError(f"expected a model that keeps every token in its cache, found {', '.join(sorted(wrong))}: choose another model")


@torch.inference_mode()
def bytes_per_token(model: Any) -> int:
    """What the cache keeps of each token; measured, because some models keep less or more heads than their configuration says."""
    rows = Rows(model)
    rows.read(torch.zeros((1, 1), dtype=torch.long, device=model.device))
    return sum(int(part.nbytes) for layer in rows._cache.layers for part in (layer.keys, layer.values))
