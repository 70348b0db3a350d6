"""Prompts of FLUX as numbers: encoded once, kept in the host, the encoders away from the device meanwhile where the plan wants that."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import torch

MOST = 256_000_000
"""Bytes of encoded prompts that are kept; one of FLUX.1 [schnell] takes 2 MB."""


class Embeddings:
    """Each prompt is encoded alone, so that its numbers do not depend on those of others."""

    def __init__(self, pipe: Any, tokens: int, *, released: bool, most: int = MOST) -> None:
        self._pipe = pipe
        self._tokens = tokens
        self._released = released
        self._most = most
        self._kept: OrderedDict[str, tuple[torch.Tensor, torch.Tensor]] = OrderedDict()
        if released:
            self._move("cpu")

    def of(self, prompts: Sequence[str], device: torch.device) -> dict[str, torch.Tensor]:
        """The pipeline's arguments for these prompts, on the device."""
        if missing := [prompt for prompt in dict.fromkeys(prompts) if prompt not in self._kept]:
            self._encode(missing, device)
        found = [self._kept[prompt] for prompt in prompts]
        for prompt in prompts:
            self._kept.move_to_end(prompt)
        self._shrink()
        embeds, pooled = (torch.cat(parts).to(device) for parts in zip(*found, strict=True))
        return {"prompt_embeds": embeds, "pooled_prompt_embeds": pooled}

    @torch.no_grad()
    def _encode(self, prompts: Sequence[str], device: torch.device) -> None:
        if self._released:
            self._move(device)
        for prompt in prompts:
            embeds, pooled, _ = self._pipe.encode_prompt(prompt=[prompt], prompt_2=None, device=device, max_sequence_length=self._tokens)
            self._kept[prompt] = embeds.cpu(), pooled.cpu()
        if self._released:
            self._move("cpu")
            if torch.cuda.is_available():
                torch.cuda.empty_cache()

    def _move(self, device: torch.device | str) -> None:
        for encoder in (self._pipe.text_encoder, self._pipe.text_encoder_2):
            encoder.to(device)

    def _shrink(self) -> None:
        """The prompts that were asked for longest ago go."""
        while len(self._kept) > 1 and sum(part.nbytes for pair in self._kept.values() for part in pair) > self._most:
            self._kept.popitem(last=False)
