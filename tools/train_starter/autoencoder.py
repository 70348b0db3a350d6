"""Trains the autoencoder on pictures that are drawn as it goes."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch import Tensor

from plugins.imagine.starter.words import SIDE, Scene
from tools.train_starter.drawing import Pixels, centres, render
from tools.train_starter.models import autoencoder
from tools.train_starter.scenes import scenes
from tools.train_starter.together import average

BATCH = 16
RATE = 2e-3
KL = 1e-4
"""Weight of the divergence from a normal distribution: enough noise in the latents that small errors of the transformer stay invisible."""

CUTS = ((0.5, 32), (0.85, 64), (1.0, SIDE))
"""Up to such a part of the training it sees pieces of so many pixels: a sixteenth costs a sixteenth, and colours are learned there too."""


def tensor(pictures: Iterable[Pixels]) -> Tensor:
    """Batch × RGB × height × width, from -1 to 1."""
    return torch.from_numpy(np.stack(list(pictures))).permute(0, 3, 1, 2).float().div_(127.5).sub_(1).contiguous()


def train(rank: int, processes: int, folder: Path, steps: int, seed: int) -> None:
    """Writes the autoencoder into the folder, with the scale that gives its latents a deviation of one.

    It ends with whole pictures, because group norms see more of the ground there.
    """
    torch.manual_seed(seed)
    own = seed * 1000 + rank
    shades, drawn, chance = np.random.default_rng(own), scenes(own), random.Random(own)
    model = autoencoder()
    optimizer = torch.optim.AdamW(model.parameters(), RATE, betas=(0.9, 0.95), weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps, pct_start=0.05)
    began = time.monotonic()
    for step in range(1, steps + 1):
        side = next(side for part, side in CUTS if step <= part * steps)
        seen = tensor(_cut(scene, render(scene, shades), side, chance) for scene in islice(drawn, BATCH // processes))
        posterior = model.encode(seen).latent_dist
        error = model.decode(posterior.sample()).sample - seen
        loss = error.abs().mean() + 0.5 * error.square().mean() + KL * posterior.kl().mean() / posterior.mean[0].numel()
        optimizer.zero_grad()
        loss.backward()
        average(model.parameters())
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 20 == 0 and rank == 0:
            print(f"{step:5} {time.monotonic() - began:6.0f} s  error {error.detach().abs().mean():.4f}", flush=True)
    _scaled(model, tensor(render(scene, shades) for scene in islice(drawn, 64)))
    if rank == 0:
        model.save_pretrained(folder, safe_serialization=True)


def _cut(scene: Scene, picture: Pixels, side: int, chance: random.Random) -> Pixels:
    """A square with a part of a thing in it, at whole latents."""
    x, y = (min(max(middle // 8 * 8 - side // 2 + 8 * chance.randint(-2, 2), 0), SIDE - side) for middle in chance.choice(centres(scene)))
    return picture[y : y + side, x : x + side]


@torch.no_grad()
def _scaled(model: AutoencoderKL, seen: Tensor) -> None:
    _balanced(model, seen)
    means = model.encode(seen).latent_dist.mean
    model.register_to_config(scaling_factor=round(float(1 / means.std()), 4), shift_factor=round(float(means.mean()), 4))


def _balanced(model: AutoencoderKL, seen: Tensor) -> None:
    """Brings channels of small deviation nearer to the others, and changes no picture: else edges would drown in all noise but the last."""
    means = model.encode(seen).latent_dist.mean
    gain = means.std((0, 2, 3)).rsqrt()
    out, channels = model.encoder.conv_out, len(gain)
    out.weight[:channels] *= gain[:, None, None, None]
    out.bias[:channels] *= gain
    out.bias[channels:] += 2 * gain.log()
    model.decoder.conv_in.weight /= gain[None, :, None, None]
