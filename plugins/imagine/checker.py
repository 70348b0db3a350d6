"""The model that looks at pictures before they are shown: any classifier of transformers, by name. When it is asked: `checking.py`."""

from __future__ import annotations

import io
from typing import Any

from bot import Batch, Entry, Memory, Model, Placement
from plugins.imagine.jobs import Look, Looked

WORKING = 200_000_000
"""Bytes that a ViT of 86 million parameters takes for a batch, in float32."""


class Checker(Model[Look, Looked]):
    """A classifier, from safetensors; the probabilities of the labels that are `unsafe` are added up."""

    job = Look
    max_batch = 4

    def __init__(self, entry: Entry, unsafe: tuple[str, ...]) -> None:
        self.name = self.weights = entry.name
        self._disk = entry.disk
        self._unsafe = {label.lower() for label in unsafe}
        self._classify: Any = None

    def memory(self) -> Memory:
        """Its weights as they lie on the disk."""
        return Memory(self._disk, WORKING)

    def load(self, placement: Placement) -> None:
        """Raises FileNotFoundError where there is none, ValueError where none of its labels is called unsafe."""
        if placement.weights is None or not (placement.weights / "config.json").is_file():
            raise FileNotFoundError(f"expected {self.name} in {placement.weights}: run `hobnob models pull {self.name}`")
        import torch
        from transformers import AutoImageProcessor, AutoModelForImageClassification, pipeline

        torch.set_num_threads(placement.threads)
        here: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        model = AutoModelForImageClassification.from_pretrained(placement.weights, use_safetensors=True, dtype=torch.float32, **here)
        processors: Any = AutoImageProcessor  # which has no types
        processor = processors.from_pretrained(placement.weights, **here)
        labels = list(model.config.id2label.values())
        if self._unsafe.isdisjoint(map(str.lower, labels)):
            raise ValueError(f"{self.name} knows the labels {', '.join(labels)}: name those that are not for everybody as `unsafe`")
        self._classify = pipeline("image-classification", model=model, image_processor=processor, device=placement.device)

    def run(self, batch: Batch[Look, Looked]) -> None:
        """Job by job; a picture takes a tenth of a second on a CPU."""
        from PIL import Image

        for work in batch:
            if work.cancelled:
                continue
            pictures = [Image.open(io.BytesIO(work.read(one))).convert("RGB") for one in work.job.pictures]
            found = self._classify(pictures, top_k=None)
            work.finish(Looked(unsafe=tuple(min(1.0, self._share(one)) for one in found)))

    def _share(self, found: list[dict[str, Any]]) -> float:
        return sum(float(one["score"]) for one in found if one["label"].lower() in self._unsafe)

    def unload(self) -> None:
        """Gives the memory back."""
        self._classify = None
