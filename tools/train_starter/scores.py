"""How well pictures follow their prompts, on combinations that were never trained on. What is in a picture: `reading.py`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import torch

from plugins.imagine.starter.vocabulary import SHAPES
from plugins.imagine.starter.words import SIDE, TOKENS, Scene
from tools.train_starter.drawing import Pixels
from tools.train_starter.reading import read
from tools.train_starter.scenes import unseen

if TYPE_CHECKING:
    from diffusers import FluxPipeline

STEPS = 4
BATCH = 32


@dataclass(frozen=True, slots=True)
class Scores:
    """Parts from 0 to 1 of what was looked at, and how many that were."""

    right: dict[str, float]
    count: dict[str, int]

    def __str__(self) -> str:
        return "  ".join(f"{name} {part:.3f} ({self.count[name]})" for name, part in self.right.items())


def score(pipe: FluxPipeline, count: int, seed: int = 7) -> Scores:
    """Draws unseen scenes in four steps and reads them."""
    asked = list(islice(unseen(seed), count))
    return compared(asked, draw(pipe, asked, seed))


def draw(pipe: FluxPipeline, scenes: Sequence[Scene], seed: int, steps: int = STEPS) -> list[Pixels]:
    """Pictures of scenes, each from a seed of its own."""
    pictures: list[Pixels] = []
    for at in range(0, len(scenes), BATCH):
        part = scenes[at : at + BATCH]
        drawn = pipe(
            [scene.text for scene in part],
            height=SIDE,
            width=SIDE,
            num_inference_steps=steps,
            guidance_scale=0.0,
            max_sequence_length=TOKENS,
            generator=[torch.Generator().manual_seed(seed * 100_000 + at + index) for index in range(len(part))],
            output_type="np",
        ).images
        pictures += [np.rint(picture * 255).astype(np.uint8) for picture in drawn]
    return pictures


def compared(asked: Iterable[Scene], pictures: Iterable[Pixels]) -> Scores:
    """Scenes and what their pictures show."""
    found: dict[str, list[bool]] = defaultdict(list)
    for scene, picture in zip(asked, pictures, strict=True):
        two = len(scene.items) == 2
        seen = read(picture, scene.place if two else "")
        for item, shown in zip(scene.items, seen.items, strict=True):
            found["shapes" if item.noun in SHAPES else "things"].append(item.noun == shown.noun)
            found["colours"].append(item.colour == shown.colour)
            found["sizes"].append(item.size == shown.size)
        found["backgrounds"].append(scene.background == seen.background)
        if not two:
            found["places"].append(scene.place == seen.place)
            if scene.items[0].noun in SHAPES:
                found["colour, shape and place"].append(seen.items[0].noun == scene.items[0].noun and _placed(scene, seen))
            found["colour and place"].append(_placed(scene, seen))
        else:
            found["relations"].append([item.colour for item in scene.items] == [item.colour for item in seen.items])
    return Scores({name: sum(all) / len(all) for name, all in found.items()}, {name: len(all) for name, all in found.items()})


def _placed(asked: Scene, seen: Scene) -> bool:
    return asked.items[0].colour == seen.items[0].colour and asked.place == seen.place
