"""Measures on a GPU what it takes to load, park and bring back a model of real size with random weights: `python -m tests.gpu.parking`.

Needs CUDA, 20 GB of its memory, 20 GB of the host's, and 20 GB of disk for the load; it says what is missing and skips that.
CI does not run it.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from bot.parking import Parking

TIMES = 5

SIZES = {"hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8}
"""Of Llama 3.1 8B: 16.1 GB in bfloat16."""

NEEDED = 20_000_000_000


def main() -> int:
    """The exit code: 0 when the weights came back as they were, or nothing could be measured."""
    if not torch.cuda.is_available():
        say("skipped: torch finds no CUDA device here")
        return 0
    device = torch.device("cuda:0")
    lacks = {"the device": torch.cuda.mem_get_info(device)[0], "the host": psutil.virtual_memory().available}
    if missing := [where for where, free in lacks.items() if free < NEEDED]:
        say(f"skipped: less than {NEEDED / 1e9:.0f} GB are free on {' and '.join(missing)}")
        return 0
    say(f"{torch.cuda.get_device_name(device)}, torch {torch.__version__}, n = {TIMES}, medians (from – to)")
    model = built(device)
    with tempfile.TemporaryDirectory() as folder:
        if saved(model, Path(folder)):
            del model  # or two would be on the device at once
            model = loaded(Path(folder), device)
    parking, tokens = Parking(model), torch.arange(1, 65, device=device)[None]
    before = answer(model, tokens)
    bus = bandwidth(device)
    show("first park, with making and pinning the host's copy", [timed(device, parking.park)], parking.size, bus)
    say(f"free on the device while parked: {torch.cuda.mem_get_info(device)[0] / 1e9:.1f} GB")
    back, away = [], []
    for _ in range(TIMES):
        back.append(timed(device, lambda: parking.unpark(device)))
        away.append(timed(device, parking.park))
    show("unpark", back, parking.size, bus)
    show("park again", away, parking.size, None)
    parking.unpark(device)
    same = torch.equal(before, answer(model, tokens))
    parking.close()
    say("the weights came back as they were" if same else "FAULT: the model answers otherwise than before it was parked")
    return 0 if same else 1


def built(device: torch.device) -> Any:
    """A model with random weights on the device."""
    torch.manual_seed(0)
    config = LlamaConfig(vocab_size=128_256, dtype="bfloat16", **SIZES)  # type: ignore[arg-type]  # the sizes are numbers
    with device:
        torch.set_default_dtype(torch.bfloat16)
        model: Any = LlamaForCausalLM(config)
        torch.set_default_dtype(torch.float32)
    return model.eval()


def saved(model: Any, folder: Path) -> bool:
    """False where there is no room for it."""
    if shutil.disk_usage(folder).free < NEEDED:
        say(f"skipped: the load, for which {folder.parent} has less than {NEEDED / 1e9:.0f} GB")
        return False
    model.save_pretrained(folder)
    return True


def loaded(folder: Path, device: torch.device) -> Any:
    """The model, as a worker reads it."""
    torch.cuda.empty_cache()
    size = sum(file.stat().st_size for file in folder.iterdir())
    began = time.perf_counter()
    read: Any = LlamaForCausalLM.from_pretrained(folder, dtype=torch.bfloat16, use_safetensors=True, local_files_only=True)
    read = read.to(device).eval()
    torch.cuda.synchronize(device)
    show("load, from files that the system has just written", [time.perf_counter() - began], size, None)
    return read


@torch.inference_mode()
def answer(model: Any, tokens: torch.Tensor) -> torch.Tensor:
    """Logits after the last token, in the host."""
    logits: torch.Tensor = model(input_ids=tokens).logits[0, -1].cpu()
    return logits


def bandwidth(device: torch.device) -> float:
    """Bytes a second from pinned memory to the device, the best of a few."""
    host = torch.empty(1 << 30, dtype=torch.uint8, pin_memory=True)
    there = torch.empty_like(host, device=device)
    best = min(timed(device, lambda: there.copy_(host, non_blocking=True)) for _ in range(TIMES))
    say(f"pinned memory to device: {host.nbytes / best / 1e9:.1f} GB/s")
    return host.nbytes / best


def timed(device: torch.device, what: Callable[[], object]) -> float:
    """Seconds until the device has done it."""
    torch.cuda.synchronize(device)
    began = time.perf_counter()
    what()
    torch.cuda.synchronize(device)
    return time.perf_counter() - began


def show(what: str, seconds: list[float], size: int, bus: float | None) -> None:
    """One line of the result; `bus` in bytes a second is what it is held against."""
    middle = statistics.median(seconds)
    part = f", {size / middle / bus:.0%} of the bus" if bus else ""
    say(f"{what}: {middle:.3f} s ({min(seconds):.3f} – {max(seconds):.3f}), {size / middle / 1e9:.1f} GB/s{part}")


def say(words: str) -> None:
    print(words, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
