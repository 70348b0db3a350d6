"""What the transformer learns from: latents of pictures, the tokens of their prompts, and where in them the things are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from safetensors.torch import load_file, save_file
from torch import Tensor

from plugins.imagine.starter.words import SIDE, TOKENS, Scene
from tools.train_starter.autoencoder import tensor
from tools.train_starter.drawing import PIXELS, centres, render
from tools.train_starter.models import clip_tokenizer, packed, t5_tokenizer
from tools.train_starter.scenes import trained_on

CHUNK = 64
PATCH = 16
"""Pixels of a side that one token of the transformer stands for."""


@dataclass(frozen=True, slots=True)
class Examples:
    """Of each picture: 64 tokens of latents (float16, deviation one), the tokens of its prompt for both encoders, where things are."""

    latents: Tensor
    clip: Tensor
    t5: Tensor
    touched: Tensor

    def chosen(self, index: Tensor) -> Examples:
        """Some of them."""
        return Examples(self.latents[index].float(), self.clip[index], self.t5[index], self.touched[index].float())


def load(folder: Path) -> Examples:
    """As `prepare` has written them."""
    parts = [load_file(file) for file in sorted(folder.glob("*.safetensors"))]
    return Examples(**{name: torch.cat([part[name] for part in parts]) for name in parts[0]})


def prepare(rank: int, processes: int, folder: Path, vae: Path, count: int, seed: int) -> None:
    """Draws and encodes scenes, without those that are kept out; each process writes a file."""
    clip, t5 = clip_tokenizer(), t5_tokenizer()
    model = AutoencoderKL.from_pretrained(vae, local_files_only=True)
    parts = []
    for scenes, latents in _encoded(model, count // processes, seed * 1000 + rank):
        prompts = [scene.text for scene in scenes]
        ids = [tokenizer(prompts, padding="max_length", max_length=TOKENS, return_tensors="pt").input_ids for tokenizer in (clip, t5)]
        parts.append((latents.half(), *ids, torch.tensor([touched(scene) for scene in scenes], dtype=torch.uint8)))
    names = ("latents", "clip", "t5", "touched")
    folder.mkdir(parents=True, exist_ok=True)
    save_file(dict(zip(names, map(torch.cat, zip(*parts, strict=True)), strict=True)), folder / f"{rank}.safetensors")


def touched(scene: Scene) -> list[bool]:
    """Which tokens, in rows from the top, have a part of a thing in them."""
    boxes = [(x, y, PIXELS[item.size] // 2) for item, (x, y) in zip(scene.items, centres(scene), strict=True)]
    starts = range(0, SIDE, PATCH)
    return [
        any(x - half < left + PATCH and x + half > left and y - half < top + PATCH and y + half > top for x, y, half in boxes)
        for top in starts
        for left in starts
    ]


@torch.no_grad()
def _encoded(vae: AutoencoderKL, count: int, seed: int) -> Iterator[tuple[list[Scene], Tensor]]:
    shades, drawn = np.random.default_rng(seed), trained_on(seed)
    for _ in range(0, count, CHUNK):
        scenes = list(islice(drawn, CHUNK))
        means = vae.encode(tensor(render(scene, shades) for scene in scenes)).latent_dist.mean
        yield scenes, packed((means - vae.config.shift_factor) * vae.config.scaling_factor)
