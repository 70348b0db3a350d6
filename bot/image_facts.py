"""What is known of a model that draws: how it is run, and what it can be asked for. The catalogue has it beside each: `catalogue.py`."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

_Count = Annotated[int, Field(gt=0)]


class ImageFacts(BaseModel):
    """How a text-to-image model is run.

    `pipeline` is its class in diffusers. `denoiser`, `encoders` and `decoder` count the parameters of its parts, `largest` those of the
    largest one. A picture takes `steps` unless told otherwise, and at most `most_steps`. `guidance` is its usual strength, None for a
    model that has none; `negative` says whether it heeds what must not be in the picture. A side is a `multiple` of so many pixels; an
    area lies between the squares of the sides `least` and `most`, and is the square of `side` unless told otherwise; the longer side is at
    most `ratio` times the shorter. A prompt has at most so many `tokens`. `references` says whether it can begin with a picture. `decoding`
    is how many bytes the decoder takes for each pixel while it runs: FLUX.1 [dev] took 4.7 GiB above its weights at 1024² on an H100.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pipeline: str
    denoiser: _Count
    encoders: _Count
    decoder: _Count
    largest: _Count
    steps: _Count = 28
    most_steps: _Count = 50
    guidance: float | None = None
    negative: bool = False
    multiple: _Count = 16
    side: _Count = 1024
    decoding: _Count = 4_800
    least: _Count = 256
    most: _Count = 1440
    ratio: Annotated[float, Field(ge=1.0)] = 2.5
    tokens: _Count = 512
    references: bool = True

    def snapped(self, width: int, height: int) -> tuple[int, int]:
        """The nearest size that the model draws well, in pixels: first the shape, then the area, then the multiple."""
        ratio = min(max(width / height, 1 / self.ratio), self.ratio)
        area = min(max(width * height, self.least**2), self.most**2)
        return self._rounded(math.sqrt(area * ratio)), self._rounded(math.sqrt(area / ratio))

    def _rounded(self, side: float) -> int:
        return max(1, round(side / self.multiple)) * self.multiple
