"""Trains the transformer and both text encoders together, by rectified flow on the latents that `data.py` prepared."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, FluxPipeline
from torch import Tensor, nn

from tools.train_starter.data import Examples, load
from tools.train_starter.models import clip_tokenizer, pipeline, place_ids, t5_tokenizer, text_encoders, transformer
from tools.train_starter.scores import score
from tools.train_starter.together import average, share

EARLY = 0.3
"""The part of the examples that are almost pure noise, where the words alone decide."""

KEEP = 0.5
"""The part of a picture's tokens that a step sees, but near the end: a step costs less, and words are learned as well.

They are taken at random. With the tokens of the things alone a model learns to draw everywhere: which tokens there are tells it where.
"""

WHOLE = 3
"""In the last third of the steps in which the rate falls, all tokens are seen."""

THING = 3.0
"""How much more a token counts that has a part of a thing in it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how fast: steps in all, those at the end in which the rate falls to nothing, and the rates."""

    steps: int
    falling: int
    batch: int = 96
    rate: float = 2e-3
    muon: float = 6e-3
    saved: int = 100
    scored: int = 400
    seed: int = 1

    def pace(self, step: int) -> float:
        """The rate at a step, as a part of the whole rate."""
        return min(1.0, step / 100, max(0.02, (self.steps - step) / self.falling))


class Learner(nn.Module):
    """What learns: the text encoders and the transformer."""

    def __init__(self) -> None:
        super().__init__()
        self.clip, self.t5 = text_encoders(clip_tokenizer(), t5_tokenizer())
        self.flux = transformer()

    def forward(self, noisy: Tensor, times: Tensor, seen: Examples, places: Tensor) -> Tensor:
        """The velocity from picture to noise, as the pipeline asks for it."""
        velocity: Tensor = self.flux(
            hidden_states=noisy,
            timestep=times,
            pooled_projections=self.clip(seen.clip).pooler_output,
            encoder_hidden_states=self.t5(seen.t5)[0],
            txt_ids=torch.zeros(seen.t5.shape[1], 3),
            img_ids=places,
            return_dict=False,
        )[0]
        return velocity

    def pipeline(self, vae: AutoencoderKL) -> FluxPipeline:
        """As it is used."""
        return pipeline(vae, self.clip, self.t5, self.flux)


class Training:
    """One training with its state; a file of it is enough to go on."""

    def __init__(self, plan: Plan, rank: int, processes: int) -> None:
        torch.manual_seed(plan.seed)
        self.plan, self.rank, self.processes, self.step = plan, rank, processes, 0
        self.learner, self.average = Learner(), Learner().requires_grad_(False)
        self.average.load_state_dict(self.learner.state_dict())
        self.matrices, others = split(self.learner)
        self.optimizers: list[torch.optim.Optimizer] = [
            torch.optim.Muon(self.matrices[rank::processes], lr=plan.muon, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(others, lr=plan.rate, betas=(0.9, 0.98), weight_decay=0.0),
        ]

    def run(self, examples: Examples, vae: AutoencoderKL, file: Path) -> None:
        """To the end of the plan; writes the state and prints scores from time to time."""
        began, losses = time.monotonic(), []
        while self.step < self.plan.steps:
            losses.append(self._learn(examples))
            if self.step % self.plan.saved == 0 or self.step == self.plan.steps:
                self.save(file)
            if self.rank:
                continue
            if self.step % 25 == 0:
                print(f"{self.step:6} {time.monotonic() - began:6.0f} s  loss {sum(losses) / len(losses):.4f}", flush=True)
                losses.clear()
            if self.step % self.plan.scored == 0 or self.step == self.plan.steps:
                print(f"{self.step:6} {score(self.average.pipeline(vae), 96)}", flush=True)

    def _learn(self, examples: Examples) -> float:
        self.step += 1
        count = self.plan.batch // self.processes
        chance = torch.Generator().manual_seed((self.plan.seed * 1_000_003 + self.step) * self.processes + self.rank)
        seen = examples.chosen(torch.randint(len(examples.latents), (count,), generator=chance))
        last = self.step > self.plan.steps - self.plan.falling // WHOLE
        kept = torch.arange(64) if last else torch.randperm(64, generator=chance)[: int(64 * KEEP)]
        clean, places, times = seen.latents[:, kept], place_ids()[kept], noise_levels(count, chance)
        noise = torch.randn(clean.shape, generator=chance)
        velocity = self.learner(torch.lerp(clean, noise, times[:, None, None]), times, seen, places)
        weights = 1 + THING * seen.touched[:, kept]
        loss = ((velocity - (noise - clean)).square().mean(-1) * weights).sum() / weights.sum()
        self._descend(loss)
        return float(loss.detach())

    def _descend(self, loss: Tensor) -> None:
        torch.autograd.backward(loss)
        average(self.learner.parameters())
        torch.nn.utils.clip_grad_norm_(self.learner.parameters(), 1.0)
        for optimizer, rate in zip(self.optimizers, (self.plan.muon, self.plan.rate), strict=True):
            for group in optimizer.param_groups:
                group["lr"] = rate * self.plan.pace(self.step)
            optimizer.step()
        self.learner.zero_grad()
        share(self.matrices)
        decay = min(0.998, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.learner.parameters()), 1 - decay)

    def save(self, file: Path) -> None:
        """Everything that is needed to go on; each process has a file, because each turns some of the matrices."""
        file = file.with_stem(f"{file.stem}-{self.rank}")
        state = {"step": self.step, "learner": self.learner.state_dict(), "average": self.average.state_dict()}
        torch.save(state | {"optimizers": [optimizer.state_dict() for optimizer in self.optimizers]}, file.with_suffix(".new"))
        file.with_suffix(".new").replace(file)

    def load(self, file: Path) -> None:
        """Goes on where as many processes have stopped."""
        state: dict[str, Any] = torch.load(file.with_stem(f"{file.stem}-{self.rank}"), weights_only=True)
        self.step = state["step"]
        self.learner.load_state_dict(state["learner"])
        self.average.load_state_dict(state["average"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)


def noise_levels(count: int, chance: torch.Generator) -> Tensor:
    """From 0, the picture, to 1, noise: logit-normal, and some near 1, where four steps begin and logit-normal hardly ever is."""
    usual = torch.sigmoid(0.3 + torch.randn(count, generator=chance))
    late = 1 - 0.06 * torch.rand(count, generator=chance)
    return torch.where(torch.rand(count, generator=chance) < EARLY, late, usual)


def split(learner: Learner) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """The matrices inside of the transformer's blocks, which Muon turns, and all others."""
    inner: Iterable[tuple[str, nn.Parameter]] = learner.flux.named_parameters()
    matrices = [weight for name, weight in inner if "blocks." in name and weight.ndim == 2 and ".linear." not in name]
    chosen = {id(weight) for weight in matrices}
    return matrices, [weight for weight in learner.parameters() if id(weight) not in chosen]


def train(rank: int, processes: int, examples: Path, vae: Path, file: Path, plan: Plan) -> None:
    """Trains, or goes on with a training."""
    training = Training(plan, rank, processes)
    if file.with_stem(f"{file.stem}-{rank}").exists():
        training.load(file)
    training.run(load(examples), AutoencoderKL.from_pretrained(vae), file)
