"""`python -m tools.train_starter autoencoder | examples | flow | export | score`: in this order; see `README.md`."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

import torch
from diffusers import AutoencoderKL, FluxPipeline

from tools.train_starter import autoencoder, data, flow, together
from tools.train_starter.models import export
from tools.train_starter.scores import score

WORK = Path("var/starter")
SHIPPED = Path(__file__).resolve().parents[2] / "plugins" / "imagine" / "starter" / "flux"
SEED = 1


def main() -> None:
    """Runs one step of the training."""
    options = argparse.ArgumentParser(prog="python -m tools.train_starter", description=__doc__)
    options.add_argument("what", choices=("autoencoder", "examples", "flow", "export", "score"))
    options.add_argument("--work", type=Path, default=WORK, help="where the steps leave what the next ones need")
    options.add_argument("--processes", type=int, default=2, help="how many learn together, one thread each")
    options.add_argument("--steps", type=int, help="autoencoder: 700, flow: 3000")
    options.add_argument("--falling", type=int, default=800, help="flow: steps at the end in which the rate falls to nothing")
    options.add_argument("--count", type=int, help="examples: 10240 pictures; score: 400")
    options.add_argument("--pipeline", type=Path, default=SHIPPED, help="export, score: the folder of the pipeline")
    asked = options.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    {"autoencoder": _autoencoder, "examples": _examples, "flow": _flow, "export": _export, "score": _score}[asked.what](asked)


def _autoencoder(asked: argparse.Namespace) -> None:
    together.run(partial(autoencoder.train, folder=asked.work / "vae", steps=asked.steps or 700, seed=SEED), asked.processes)


def _examples(asked: argparse.Namespace) -> None:
    work = partial(data.prepare, folder=asked.work / "examples", vae=asked.work / "vae", count=asked.count or 10_240, seed=SEED)
    together.run(work, asked.processes)


def _flow(asked: argparse.Namespace) -> None:
    plan = flow.Plan(steps=asked.steps or 3000, falling=asked.falling, seed=SEED)
    files = {"examples": asked.work / "examples", "vae": asked.work / "vae", "file": asked.work / "flow.pt"}
    together.run(partial(flow.train, **files, plan=plan), asked.processes)


def _export(asked: argparse.Namespace) -> None:
    learner = flow.Learner()
    learner.load_state_dict(torch.load(asked.work / "flow-0.pt", weights_only=True)["average"])
    sys.stdout.write(f"{export(learner.pipeline(_vae(asked)), asked.pipeline)} bytes in {asked.pipeline}\n")


def _score(asked: argparse.Namespace) -> None:
    pipe = FluxPipeline.from_pretrained(asked.pipeline, dtype=torch.float32, local_files_only=True)
    pipe.set_progress_bar_config(disable=True)
    sys.stdout.write(f"{score(pipe, asked.count or 400)}\n")


def _vae(asked: argparse.Namespace) -> AutoencoderKL:
    return AutoencoderKL.from_pretrained(asked.work / "vae", local_files_only=True)


if __name__ == "__main__":
    main()
