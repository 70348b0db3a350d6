"""Draws: rows of several requests in one forward pass, each with its own noise. It imports torch at once; what people see: `front.py`."""

from __future__ import annotations

import gc
import hashlib
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import diffusers
import torch
from PIL import Image

from bot import Batch, Draw, ImageFacts, ImagePlan, Picture, Preview, Progress, Work, later
from bot.parking import Parking
from plugins.imagine.embeddings import Embeddings
from plugins.imagine.files import digest, opened, png, preview
from plugins.imagine.loading import described, revision, versions
from plugins.imagine.previews import Previews
from plugins.imagine.recipe import Recipe
from plugins.imagine.styles import Styles

STRENGTH = 0.6
"""How much of a reference picture is drawn anew, unless told otherwise."""

Drawing = Work[Draw, Picture]
Phrase = Callable[[str, int], str]
"""A prompt and a seed become the words that the model was taught to read."""


class Unwanted(Exception):  # noqa: N818  a request, no fault
    """Nobody waits for these pictures any more."""


@dataclass(frozen=True, slots=True)
class Row:
    """One picture of a forward pass; `kept` is false for one that is there for the shape of the batch alone."""

    work: Drawing
    seed: int
    kept: bool = True


@dataclass(slots=True)
class Drawn:
    """The pictures of the requests so far."""

    of: dict[int, list[Picture]] = field(default_factory=dict)

    def add(self, work: Drawing, picture: Picture) -> None:
        """Hands the request in when all of its pictures are there."""
        pictures = self.of.setdefault(id(work), [])
        pictures.append(picture)
        if len(pictures) == (1 if work.job.batch else work.job.number):
            work.finish(pictures[0].model_copy(update={"others": tuple(pictures[1:])}))


class Engine:
    """A pipeline on its device. `phrase` puts prompts into the words of a model that was taught few."""

    def __init__(
        self,
        name: str,
        pipe: Any,
        facts: ImageFacts,
        plan: ImagePlan,
        device: str,
        folder: Path,
        *,
        styles: Mapping[str, Path] | None = None,
        phrase: Phrase | None = None,
    ) -> None:
        self.plan = plan
        self._name = name
        self._pipe = pipe
        self._facts = facts
        self._device = torch.device(device)
        self._phrase = phrase or (lambda prompt, seed: prompt)
        self._styles = Styles(pipe, styles or {})
        self._constant = {"revision": revision(folder), "versions": versions(), "precision": plan.precision, "fit": plan.fit}
        flux = isinstance(pipe, diffusers.FluxPipeline)
        self._embeddings = Embeddings(pipe, facts.tokens, released=plan.released) if flux else None
        self._from_picture: Any = None
        whole = plan.fit == "full" and not plan.released
        self._parking = Parking(*_modules(pipe)) if whole else None

    def run(self, batch: Batch[Draw, Picture]) -> None:
        """Draws for everybody who still waits; the batch is of one size, one number of steps and one style."""
        drawn = Drawn()
        for rows in _passes([work for work in batch if not work.cancelled], self.plan.rows):
            try:
                self._draw(rows, drawn)
            except Unwanted:
                self._pipe.maybe_free_model_hooks()

    def _draw(self, rows: Sequence[Row], drawn: Drawn) -> None:
        if all(row.work.cancelled for row in rows):
            return
        job = rows[0].work.job
        size = job.size or (self._facts.side, self._facts.side)
        reference = rows[0].work.read(job.reference) if job.reference else b""
        style = self._styles.use(job.style or "")
        pictures = self._denoised(rows, size, reference)
        for number, (row, picture) in enumerate(zip(rows, pictures, strict=True)):
            if row.kept:
                drawn.add(row.work, self._kept(row, picture, number, len(rows), style, reference))

    def _denoised(self, rows: Sequence[Row], size: tuple[int, int], reference: bytes) -> list[Image.Image]:
        pipe = self._from_reference() if reference else self._pipe
        options = self._options(rows, size, reference)
        steps = options["num_inference_steps"]
        watch = Watch(rows, Previews(self._pipe, size, steps), steps, pipe)
        takes = inspect.signature(pipe.__call__).parameters
        options = {name: value for name, value in options.items() if name in takes}
        with torch.inference_mode():
            made: list[Image.Image] = pipe(**options, callback_on_step_end=watch).images
        return made

    def _options(self, rows: Sequence[Row], size: tuple[int, int], reference: bytes) -> dict[str, Any]:
        job = rows[0].work.job
        prompts = [self._phrase(row.work.job.prompt, row.seed) for row in rows]
        words: dict[str, Any] = {**self._embeddings.of(prompts, self._device)} if self._embeddings else {"prompt": prompts}
        if self._facts.negative:
            words["negative_prompt"] = [row.work.job.negative for row in rows]
        if reference:
            words |= {"image": [opened(reference, size)] * len(rows), "strength": job.strength or STRENGTH}
        return words | {
            "width": size[0],
            "height": size[1],
            "num_inference_steps": job.steps or self._facts.steps,
            "guidance_scale": self._guidance(job) or 0.0,
            "max_sequence_length": self._facts.tokens,
            # on the CPU, whose noise is the same on every machine
            "generator": [torch.Generator("cpu").manual_seed(row.seed) for row in rows],
        }

    def _guidance(self, job: Draw) -> float | None:
        return job.guidance if job.guidance is not None and self._facts.guidance is not None else self._facts.guidance

    def _from_reference(self) -> Any:
        """The pipeline that begins with a picture, of the same parts."""
        if self._from_picture is None:
            self._from_picture = diffusers.AutoPipelineForImage2Image.from_pipe(self._pipe)
            self._from_picture.set_progress_bar_config(disable=True)
        return self._from_picture

    def _kept(self, row: Row, picture: Image.Image, number: int, rows: int, style: str, reference: bytes) -> Picture:
        job = row.work.job
        recipe = Recipe(
            prompt=job.prompt,
            negative=job.negative,
            seed=row.seed,
            width=picture.width,
            height=picture.height,
            steps=job.steps or self._facts.steps,
            guidance=self._guidance(job),
            style=job.style or "",
            style_digest=style,
            model=self._name,
            device=described(str(self._device)),
            rows=rows,
            row=number,
            reference=hashlib.sha256(reference).hexdigest() if reference else "",
            strength=(job.strength or STRENGTH) if reference else None,
            pixels=digest(picture),
            **self._constant,
        )
        blob = row.work.keep(png(picture, recipe), "image/png", f"{recipe.id}.png")
        return Picture(image=blob, recipe=recipe.model_dump(mode="json"))

    @property
    def parked(self) -> int:
        """Bytes that the weights take in the host; 0 where they do not all lie on the device as they are, and cannot be parked."""
        return self._parking.size if self._parking else 0

    def park(self) -> None:
        """Weights to the host; styles come from the disk when they are used again."""
        assert self._parking is not None, "`parked` is not 0"
        self._styles.drop()
        self._parking.park()

    def unpark(self) -> None:
        """Weights back to the device."""
        assert self._parking is not None, "`parked` is not 0"
        self._parking.unpark(self._device)

    def close(self) -> None:
        """The last references go; a GPU's memory is given back to it."""
        if self._parking is not None:
            self._parking.close()
        self._pipe.remove_all_hooks()
        self._pipe = self._from_picture = self._embeddings = self._parking = None
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _modules(pipe: Any) -> list[torch.nn.Module]:
    return [part for part in pipe.components.values() if isinstance(part, torch.nn.Module)]


class Watch:
    """Called by the pipeline after each step: tells how far it is, shows what there is, and ends what nobody waits for."""

    def __init__(self, rows: Sequence[Row], previews: Previews, steps: int, pipe: Any) -> None:
        self._rows = rows
        self._previews = previews
        self._steps = steps
        self._pipe = pipe

    def __call__(self, pipe: Any, step: int, timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        """Raises Unwanted."""
        works = {id(row.work): row.work for row in self._rows}
        if all(work.cancelled for work in works.values()):
            raise Unwanted
        total = getattr(pipe, "num_timesteps", self._steps)
        for work in works.values():
            work.emit(Progress(done=step + 1, total=total, unit=later("steps")))
        latents = tensors["latents"]
        if self._previews.due(step + 1):
            self._show(self._previews.drawn(step, latents))
        self._previews.noted(latents)
        return {}

    def _show(self, pictures: Sequence[Image.Image]) -> None:
        seen: set[int] = set()
        for row, picture in zip(self._rows, pictures, strict=True):
            if id(row.work) not in seen and row.kept and row.work.job.previews:
                seen.add(id(row.work))
                row.work.emit(Preview(image=row.work.keep(preview(picture), "image/jpeg", "preview.jpg")))


def _passes(works: Sequence[Drawing], most: int) -> Iterator[Sequence[Row]]:
    """The rows of each forward pass, at most so many; a picture that is drawn again has a pass of the shape that it had."""
    for work in works:
        if work.job.batch:
            many, kept = work.job.batch
            yield [Row(work, work.job.seed or 0, number == kept) for number in range(many)]
    rows = [Row(work, (work.job.seed or 0) + number) for work in works if not work.job.batch for number in range(work.job.number)]
    for at in range(0, len(rows), most):
        yield rows[at : at + most]
