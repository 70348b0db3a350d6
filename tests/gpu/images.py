"""FLUX.1 [schnell] at its real size with random weights on a GPU, a part of `make bench ONLY=images` where there is one.

Seconds for 1024², 4 steps, one picture and four, eager and compiled; each fit's peak of memory against the plan; load, park, unpark.
Needs CUDA, 45 GB of its memory, 60 GB of the host's and 40 GB of disk; it says what is missing and skips that. CI does not run it.
"""

from __future__ import annotations

import gc
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import diffusers
import psutil
import torch
from transformers import CLIPTextConfig, CLIPTextModel, T5Config, T5EncoderModel

from bot import ImageFacts, ImageFit, ImagePlan
from bot.catalogue import load
from bot.image_facts import FITS
from plugins.imagine.embeddings import Embeddings
from tests.bench.figures import Figure, measured
from tests.bench.figures import show as table
from tests.plugins.imagine.tiny import tokenizers

TIMES = 5
SIDE, STEPS = 1024, 4
DEVICE = "cuda:0"
NEEDED = {"the device": 45_000_000_000, "the host": 60_000_000_000, "the disk": 40_000_000_000}
GOALS = {"eager": 1.2, "compiled": 0.6}
"""Seconds of one picture on an H100."""


def main() -> int:
    """The exit code: 0, or 1 where a fit took more than a tenth above its plan."""
    part = measured(measure)
    if part.figures:
        table("images on a GPU", part)
    return int(any(one.missed for name, one in part.figures.items() if "planned" in name))


def measure() -> dict[str, Figure]:
    """None where something that it needs is missing."""
    if not torch.cuda.is_available():
        say("pictures of the real size: skipped, torch finds no CUDA device here")
        return {}
    free = {
        "the device": torch.cuda.mem_get_info(DEVICE)[0],
        "the host": psutil.virtual_memory().available,
        "the disk": shutil.disk_usage(tempfile.gettempdir()).free,
    }
    if missing := [where for where, needed in NEEDED.items() if free[where] < needed]:
        say(f"pictures of the real size: skipped, not enough is free on {' and '.join(missing)}")
        return {}
    say(f"{torch.cuda.get_device_name(DEVICE)}, torch {torch.__version__}, diffusers {diffusers.__version__}")
    facts = load().models["flux.1-schnell"].image
    assert facts is not None
    with tempfile.TemporaryDirectory() as folder:
        built().save_pretrained(folder)
        gc.collect()
        figures = speeds(Path(folder), facts)
        return figures | {f"{fit}: peak of memory / planned": peak(Path(folder), facts, fit) for fit in FITS}


def built() -> Any:
    """The pipeline in bfloat16, its parts of the real sizes."""
    clip_tokenizer, t5_tokenizer = tokenizers()
    torch.manual_seed(0)
    torch.set_default_dtype(torch.bfloat16)
    clip = CLIPTextConfig(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12)
    t5 = T5Config(d_model=4096, d_kv=64, d_ff=10_240, num_layers=24, num_heads=64, feed_forward_proj="gated-gelu", vocab_size=32_128)
    blocks = {"down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4, "layers_per_block": 2}
    vae = {"block_out_channels": (128, 256, 512, 512), "latent_channels": 16, "scaling_factor": 0.3611, "shift_factor": 0.1159}
    made = diffusers.FluxPipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=1.0),
        vae=diffusers.AutoencoderKL(**blocks, **vae, sample_size=1024, use_quant_conv=False, use_post_quant_conv=False),
        text_encoder=CLIPTextModel(clip),
        tokenizer=clip_tokenizer,
        text_encoder_2=T5EncoderModel(t5),
        tokenizer_2=t5_tokenizer,
        transformer=diffusers.FluxTransformer2DModel(guidance_embeds=False),
    )
    torch.set_default_dtype(torch.float32)
    return made


def speeds(folder: Path, facts: ImageFacts) -> dict[str, Figure]:
    """Loading, drawing and parking with everything on the device, in seconds."""
    began = time.perf_counter()
    pipe, embeddings = loaded(folder, facts.planned(1 << 60, on="cuda", wish="full"))
    figures = {"load, from files that the system has just written": Figure.of([time.perf_counter() - began], "s", better="lower")}
    for way, goal in GOALS.items():
        if way == "compiled":
            pipe.transformer.compile_repeated_blocks(fullgraph=True)
        for rows in (1, 4):
            draw(pipe, embeddings, facts, rows)  # the first one of a shape compiles and tunes
            took = [timed(partial(draw, pipe, embeddings, facts, rows)) for _ in range(TIMES)]
            figures[f"{way}, {rows} of {SIDE}², {STEPS} steps"] = Figure.of(took, "s", goal if rows == 1 else None, "lower")
    away, back = [], []
    for _ in range(TIMES):
        away.append(timed(lambda: pipe.to("cpu")))
        back.append(timed(lambda: pipe.to(DEVICE)))
    return figures | {"park": Figure.of(away, "s", better="lower"), "unpark": Figure.of(back, "s", better="lower")}


def peak(folder: Path, facts: ImageFacts, fit: ImageFit) -> Figure:
    """The most that one picture takes; what is planned may be a tenth too little."""
    plan = facts.planned(1 << 60, on="cuda", wish=fit, rows=1)
    gc.collect()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    pipe, embeddings = loaded(folder, plan)
    draw(pipe, embeddings, facts, 1)
    most = torch.cuda.max_memory_allocated()
    del pipe, embeddings
    return Figure.of([most / plan.device], "×", 1.1, "lower")


def loaded(folder: Path, plan: ImagePlan) -> tuple[Any, Embeddings]:
    """As a worker reads it, but from the encoders' random weights nothing sensible comes."""
    from plugins.imagine.loading import loaded as read

    facts = load().models["flux.1-schnell"].image
    assert facts is not None
    pipe = read(folder, plan, DEVICE, facts)
    return pipe, Embeddings(pipe, facts.tokens, released=plan.released)


def draw(pipe: Any, embeddings: Embeddings, facts: ImageFacts, rows: int) -> None:
    """So many pictures in one pass."""
    words = embeddings.of(["a cat"] * rows, torch.device(DEVICE))
    with torch.inference_mode():
        pipe(**words, width=SIDE, height=SIDE, num_inference_steps=STEPS, guidance_scale=0.0, max_sequence_length=facts.tokens)


def timed(what: Callable[[], object]) -> float:
    """Seconds until the device has done it."""
    torch.cuda.synchronize()
    began = time.perf_counter()
    what()
    torch.cuda.synchronize()
    return time.perf_counter() - began


def show(what: str, seconds: list[float], more: str = "") -> None:
    """One line of the result."""
    say(f"{what}: {statistics.median(seconds):.3f} s ({min(seconds):.3f} – {max(seconds):.3f}){more}")


def say(words: str) -> None:
    print(words, flush=True)  # noqa: T201
