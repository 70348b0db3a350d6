"""What is known of a model that draws: how it is run, what it can be asked for, and how it fits into memory; pure functions of sizes.

The catalogue has the facts beside each: `catalogue.py`. What is done with weights: `plugins/imagine/loading.py`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

_Count = Annotated[int, Field(gt=0)]

ImageFit = Literal["auto", "full", "int8", "nf4", "offload", "group"]

BITS: Mapping[str, float] = MappingProxyType({"float32": 32.0, "bfloat16": 16.0, "int8": 9.7, "nf4": 6.35})
"""Of a parameter. Those of int8 and NF4 are what FLUX.1 [dev] took on an H100 with bitsandbytes (19.3 and 12.6 GiB of 17 billion)."""

TILED = 1_300_000_000
"""Bytes that decoding takes at most when it is done in tiles of 512² pixels."""

DENOISING = 900
"""Bytes for each pixel while the transformer runs, the copies that attention needs included."""

GROUP = 1_500_000_000
"""Bytes of weights that are on the device at once when a few layers at a time are: four blocks of FLUX.1 and what is on its way."""

FITS: tuple[ImageFit, ...] = ("full", "int8", "nf4", "offload", "group")
"""In the order of preference: NF4 costs no speed and some exactness, offloading half of the speed and more."""


@dataclass(frozen=True, slots=True)
class ImagePlan:
    """How a model fits into memory.

    `device` and `host` in bytes: the most that is taken at any time, of which `working` is for the numbers between the layers.
    `tiled` decodes in tiles; `released` says that the text encoders leave the device once the prompts are encoded; `rows` pictures are
    drawn at a time.
    """

    fit: ImageFit
    precision: str
    device: int
    host: int
    working: int
    tiled: bool
    released: bool
    rows: int


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

    def planned(self, free: int, *, on: str, wish: ImageFit = "auto", rows: int = 4, quantised: bool = True) -> ImagePlan:
        """The first fit of the wished ones that goes into `free` bytes of a device, with as many rows at a time as do, at most `rows`.

        `on` is the kind of device. A CPU computes in float32 where that takes less than half of the memory, else in bfloat16; it moves no
        weights and quantises none. `quantised` says whether bitsandbytes is here. What fits nowhere is planned as the most frugal: the
        worker finds out, and says so.
        """
        plans = [plan for fit in _fits(wish, on, quantised) for plan in _plans(self, fit, free, on, rows)]
        return next((plan for plan in plans if plan.device <= free), min(plans, key=lambda plan: plan.device))


def _fits(wish: ImageFit, on: str, quantised: bool) -> tuple[ImageFit, ...]:
    if on != "cuda":
        return ("full",)
    if wish != "auto":
        return (wish,)
    return tuple(fit for fit in FITS if quantised or fit not in ("int8", "nf4"))


def _plans(facts: ImageFacts, fit: ImageFit, free: int, on: str, rows: int) -> list[ImagePlan]:
    """All rows at once at first; then in tiles, with the text encoders gone; at last one by one."""
    away = on == "cuda"
    tries = [(rows, False, False), (rows, True, False), (rows, True, away), (1, True, away)]
    return [_plan(facts, fit, _precision(facts, fit, free, on), *one) for one in tries]


def _precision(facts: ImageFacts, fit: ImageFit, free: int, on: str) -> str:
    if fit in ("int8", "nf4"):
        return fit
    whole = facts.denoiser + facts.encoders + facts.decoder
    return "float32" if on == "cpu" and whole * 4 <= free / 2 else "bfloat16"


def _plan(facts: ImageFacts, fit: ImageFit, precision: str, rows: int, tiled: bool, released: bool) -> ImagePlan:
    size = BITS[precision] / 8
    encoders, rest = round(facts.encoders * size), round((facts.denoiser + facts.decoder) * size)
    pixels = facts.side**2 * rows
    decoding = min(facts.decoding * facts.side**2, TILED) if tiled else facts.decoding * pixels
    working = max(decoding, DENOISING * pixels)
    everything = encoders + rest
    on_device = {"offload": round(facts.largest * size), "group": min(GROUP, everything)}.get(fit, everything)
    if released and fit not in ("offload", "group"):
        on_device = max(encoders, rest)
    in_host = everything if fit in ("offload", "group") else encoders if released else 0
    return ImagePlan(fit, precision, on_device + working, in_host, working, tiled, released, rows)
