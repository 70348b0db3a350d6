"""How a model fits into the memory that is free: pure functions of sizes. What is then done with the weights: `loading.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bot import ImageFacts
from plugins.imagine.config import Fit

BITS: Mapping[str, float] = MappingProxyType({"float32": 32.0, "bfloat16": 16.0, "int8": 9.7, "nf4": 6.35})
"""Of a parameter. Those of int8 and NF4 are what FLUX.1 [dev] took on an H100 with bitsandbytes (19.3 and 12.6 GiB of 17 billion)."""

TILED = 1_300_000_000
"""Bytes that decoding takes at most when it is done in tiles of 512² pixels."""

DENOISING = 900
"""Bytes for each pixel while the transformer runs, the copies that attention needs included."""

GROUP = 1_500_000_000
"""Bytes of weights that are on the device at once when a few layers at a time are: four blocks of FLUX.1 and what is on its way."""

FITS: tuple[Fit, ...] = ("full", "int8", "nf4", "offload", "group")
"""In the order of preference: NF4 costs no speed and some exactness, offloading half of the speed and more."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`device` and `host` in bytes: the most that is taken at any time, of which `working` is for the numbers between the layers.

    `tiled` decodes in tiles; `released` says that the text encoders leave the device once the prompts are encoded; `rows` pictures are
    drawn at a time.
    """

    fit: Fit
    precision: str
    device: int
    host: int
    working: int
    tiled: bool
    released: bool
    rows: int


def planned(facts: ImageFacts, free: int, *, on: str, wish: Fit = "auto", rows: int = 4, quantised: bool = True) -> Plan:
    """The first fit of the wished ones that goes into `free` bytes of a device, with as many rows at a time as do, at most `rows`.

    `on` is the kind of device. A CPU computes in float32 where that takes less than half of the memory, else in bfloat16; it moves no
    weights and quantises none. `quantised` says whether bitsandbytes is here. What fits nowhere is planned as the most frugal: the
    worker finds out, and says so.
    """
    plans = [plan for fit in _fits(wish, on, quantised) for plan in _plans(facts, fit, free, on, rows)]
    return next((plan for plan in plans if plan.device <= free), min(plans, key=lambda plan: plan.device))


def _fits(wish: Fit, on: str, quantised: bool) -> tuple[Fit, ...]:
    if on != "cuda":
        return ("full",)
    if wish != "auto":
        return (wish,)
    return tuple(fit for fit in FITS if quantised or fit not in ("int8", "nf4"))


def _plans(facts: ImageFacts, fit: Fit, free: int, on: str, rows: int) -> list[Plan]:
    """All rows at once at first; then in tiles, with the text encoders gone; at last one by one."""
    away = on == "cuda"
    tries = [(rows, False, False), (rows, True, False), (rows, True, away), (1, True, away)]
    return [_plan(facts, fit, _precision(facts, fit, free, on), *one) for one in tries]


def _precision(facts: ImageFacts, fit: Fit, free: int, on: str) -> str:
    if fit in ("int8", "nf4"):
        return fit
    whole = facts.denoiser + facts.encoders + facts.decoder
    return "float32" if on == "cpu" and whole * 4 <= free / 2 else "bfloat16"


def _plan(facts: ImageFacts, fit: Fit, precision: str, rows: int, tiled: bool, released: bool) -> Plan:
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
    return Plan(fit, precision, on_device + working, in_host, working, tiled, released, rows)
