"""What a picture looks like so far: latents become small pictures, where there is time for it. Steps and results: `engine.py`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from PIL import Image
from torch.nn.functional import adaptive_avg_pool2d

SLOW = 3.0
"""Seconds that a picture has to take before it is worth a preview."""

SHARE = 0.1
"""The most of the time that previews may take."""

SIDE = 32
"""Latents of the longest side of a preview: 256 pixels with the usual decoders, a sixteenth of the work that 1024 pixels are."""


class Previews:
    """Of one forward pass of `steps` steps. `clock` in seconds."""

    def __init__(self, pipe: Any, size: tuple[int, int], steps: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._pipe = pipe
        self._size = size
        self._steps = steps
        self._clock = clock
        self._began = clock()
        self._last = self._began
        self._cost = 0.0
        self._before: torch.Tensor | None = None

    def due(self, done: int) -> bool:
        """Whether the picture takes long, more steps follow, and a preview now would not take too much of the time."""
        now = self._clock()
        slow = (now - self._began) / done * self._steps > SLOW
        return slow and done < self._steps and now - self._last >= self._cost / SHARE

    def noted(self, latents: torch.Tensor) -> None:
        """These are the latents after a step; two of them say where the picture is going."""
        self._before = latents

    @torch.no_grad()
    def drawn(self, step: int, latents: torch.Tensor) -> list[Image.Image]:
        """Each row as it looks after step number `step`, counted from 0."""
        began = self._clock()
        heading = self._clean(step, latents)
        pooled = adaptive_avg_pool2d(heading.float(), self._fitting(heading)).to(heading.dtype)
        vae = self._pipe.vae
        scaled = pooled / vae.config.scaling_factor + (getattr(vae.config, "shift_factor", None) or 0.0)
        pictures = self._pipe.image_processor.postprocess(vae.decode(scaled.to(vae.dtype), return_dict=False)[0], output_type="pil")
        self._last = self._clock()
        self._cost = self._last - began
        return list(pictures)

    def _clean(self, step: int, latents: torch.Tensor) -> torch.Tensor:
        """The latents without the noise that is left, as far as the last step tells: flow matching moves along straight lines."""
        sigmas = getattr(self._pipe.scheduler, "sigmas", None)
        flows = "FlowMatch" in type(self._pipe.scheduler).__name__
        if flows and sigmas is not None and self._before is not None and step + 1 < len(sigmas):
            was, now = float(sigmas[step]), float(sigmas[step + 1])
            latents = latents - (latents - self._before) / (now - was) * now if now != was else latents
        return (
            self._pipe._unpack_latents(latents, self._size[1], self._size[0], self._pipe.vae_scale_factor) if latents.ndim == 3 else latents
        )

    @staticmethod
    def _fitting(latents: torch.Tensor) -> tuple[int, int]:
        height, width = latents.shape[-2:]
        shrink = max(1.0, max(height, width) / SIDE)
        return max(1, round(height / shrink)), max(1, round(width / shrink))
