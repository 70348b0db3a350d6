"""What an answer has said counts less in transformers' continuous batching, which has nothing for that. The loop: `continuous.py`."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from typing import Any

import torch
from transformers.generation.continuous_batching.cb_logits_processors import ContinuousBatchingLogitsProcessor


class Places(ContinuousBatchingLogitsProcessor):
    """Knows which answer each row of a step belongs to, by its place; 0 is nobody's.

    Negative is a place whose answer begins: what was read last is the end of its prompt then, and no word of its own.
    """

    def __init__(self) -> None:
        self.supported_kwargs = {"place": int}
        self.ignored_kwargs = ()
        self.held: dict[int, str] = {}
        """The name of the request that has a place; who writes it here before it is known goes on with an answer."""
        self.rows = torch.zeros(0, dtype=torch.int32)

    def fill_defaults(self, int32_tensor: torch.Tensor) -> None:
        """Rows that pad a step are nobody's."""
        int32_tensor.zero_()

    def prepare_tensor_args(self, requests_with_new_token: Sequence[Any]) -> torch.Tensor:
        """In the order of the rows."""
        return torch.tensor([self._place(request.state) for request in requests_with_new_token], dtype=torch.int32)

    def _place(self, state: Any) -> int:
        place: int = state.logit_processor_kwargs.get("place", 0)
        if not place or self.held.get(place) == state.request_id:
            return place
        self.held[place] = state.request_id
        return -place

    def __call__(self, scores: torch.Tensor, tensor_arg: torch.Tensor) -> torch.Tensor:
        """Leaves the scores alone."""
        self.rows = tensor_arg[: scores.size(0)]
        return scores


class Repetition:
    """Has the tokens of up to `most` answers at hand, and makes them `by` times less likely (Keskar et al., 2019).

    All of it happens on the device in the order of the steps, so that it may be part of a CUDA graph. There are twice as many places:
    the loop may still be writing what was just given up.
    """

    supports_continuous_batching = True

    def __init__(self, by: float, most: int, vocabulary: int, device: torch.device) -> None:
        self._by = by
        self._places = Places()
        self._said = torch.zeros((2 * most + 1, vocabulary), dtype=torch.bool, device=device)
        self._free = deque(range(1, 2 * most + 1))
        self._taken: dict[str, int] = {}

    def put_into(self, manager: Any) -> None:
        """Before the loop starts: first of all that is done to the scores, as in `generate`."""
        processors = manager.logit_processor
        processors.logits_processor[:0] = [self._places, self]
        processors.tensors_required += 1
        processors.supported_keys |= self._places.supported_kwargs

    def take(self, name: str, written: Collection[int]) -> int:
        """A place for a request of this name, which goes on behind what it has written."""
        place = self._taken[name] = self._free.popleft()
        if written:
            self._said[place] = False
            self._said[place, list(written)] = True
            self._places.held[place] = name
        return place

    def give_back(self, name: str) -> None:
        """Its place is the last that is given to another."""
        if name in self._taken:
            self._free.append(self._taken.pop(name))

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """`input_ids` [rows] were read last, `scores` [rows, vocabulary] are of what comes next."""
        rows = self._places.rows
        places = rows.abs().long()
        said = self._said[places] & (rows > 0)[:, None]
        said.scatter_(1, input_ids.long()[:, None], (rows > 0)[:, None])
        self._said[places] = said
        return torch.where(said, torch.where(scores > 0, scores / self._by, scores * self._by), scores)
