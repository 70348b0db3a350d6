"""Measures Whisper large-v3 at its real size with random weights on a GPU: `python -m tests.gpu.speech`.

Seconds for windows of 30 s, alone and 16 together; load, park and unpark; memory against what the plugin foretells. Random weights say
nothing sensible and never end, so each window is read to a hundred tokens, about what people say in one. Needs CUDA and 10 GB of its
memory, and the starter's tokenizer; it says what is missing and skips that. CI does not run it.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
import torch
from ctranslate2.converters.transformers import WhisperLoader
from transformers import WhisperConfig, WhisperForConditionalGeneration

from bot.catalogue import load as load_catalogue
from bot.config import load
from bot.models import Placement
from plugins.transcribe.config import Config
from plugins.transcribe.engine import Engine
from plugins.transcribe.model import Whisper
from tests.gpu.images import say, show

TIMES = 5
TOKENS = 100
FRAMES = 3000
NEEDED = 10_000_000_000
SIZES: dict[str, Any] = {
    "d_model": 1280,
    "encoder_layers": 32,
    "decoder_layers": 32,
    "encoder_attention_heads": 20,
    "decoder_attention_heads": 20,
    "encoder_ffn_dim": 5120,
    "decoder_ffn_dim": 5120,
    "num_mel_bins": 128,
    "vocab_size": 51_866,
}


def main() -> int:
    """The exit code: 0, or 1 where the memory is more than a tenth away from what was foretold."""
    if not ctranslate2.get_cuda_device_count():
        say("skipped: ctranslate2 finds no CUDA device here")
        return 0
    if torch.cuda.is_available() and torch.cuda.mem_get_info()[0] < NEEDED:
        say(f"skipped: less than {NEEDED / 1e9:.0f} GB are free on the device")
        return 0
    say(f"ctranslate2 {ctranslate2.__version__}, n = {TIMES}, medians (from – to)")
    with tempfile.TemporaryDirectory() as folder:
        built(Path(folder), SIZES)
        return measured(Path(folder), "cuda:0")


def built(folder: Path, sizes: dict[str, Any]) -> None:
    """The files that the plugin loads, in float16, with the starter's words."""
    starter = load().models_dir / "whisper-base"
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float16)
    model: Any = WhisperForConditionalGeneration(WhisperConfig(**sizes))
    torch.set_default_dtype(torch.float32)
    words = (starter / "vocabulary.txt").read_text(encoding="utf-8").split("\n")
    words = [*words, *(f"<|more {number}|>" for number in range(sizes["vocab_size"]))][: sizes["vocab_size"]]
    with torch.no_grad():
        spec = WhisperLoader().get_model_spec(model)
    spec.register_vocabulary(words)
    config = json.loads((starter / "config.json").read_text(encoding="utf-8"))
    for name in ("lang_ids", "suppress_ids", "suppress_ids_begin"):
        setattr(spec.config, name, config[name])
    spec.config.alignment_heads = [[sizes["decoder_layers"] - 1, 0]]
    spec.validate()
    spec.optimize()
    spec.save(str(folder))
    shutil.copy(starter / "tokenizer.json", folder)
    (folder / "preprocessor_config.json").write_text(json.dumps({"feature_size": sizes["num_mel_bins"]}), encoding="utf-8")


def measured(folder: Path, device: str) -> int:
    """Loads as a worker does."""
    whisper = Whisper(Config(), load_catalogue().models["whisper-large-v3"])
    foretold = whisper.memory()
    before = free(device)
    began = time.perf_counter()
    whisper.load(Placement(device, folder, threads=2))
    say(f"load, from files that the system has just written: {time.perf_counter() - began:.1f} s")
    engine = whisper.engine
    assert isinstance(engine, Engine)
    for count in (1, Config().batch):
        read(engine, count)
        took = [read(engine, count) for _ in range(TIMES)]
        show(f"{count} windows of 30 s, {TOKENS} tokens each", took, f", {30 * count / sorted(took)[len(took) // 2]:.0f} times real time")
    peak, expected = before - free(device), foretold.weights + foretold.cache
    close = abs(peak - expected) <= peak / 10
    say(f"memory: {peak / 1e9:.1f} GB, foretold {expected / 1e9:.1f} GB" + ("" if close else ", more than a tenth away"))
    away: list[float] = []
    back: list[float] = []
    for _ in range(TIMES):
        for seconds, what in ((away, engine.park), (back, engine.unpark)):
            began = time.perf_counter()
            what()
            seconds.append(time.perf_counter() - began)
    show("park", away)
    show("unpark", back)
    return 0 if close else 1


def free(device: str) -> int:
    """Bytes of the device."""
    return torch.cuda.mem_get_info(device)[0] if device.startswith("cuda") else 0


def read(engine: Engine, count: int) -> float:
    """Seconds for so many windows together; the engine writes half of `max_length` at most."""
    features = np.random.default_rng(0).normal(size=(count, engine.model.n_mels, FRAMES)).astype(np.float32)
    end = engine.hf_tokenizer.token_to_id("<|endoftext|>")
    prompt = [engine.hf_tokenizer.token_to_id(word) for word in ("<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|notimestamps|>")]
    began = time.perf_counter()
    found = engine.model.generate(
        engine.encoded(features), [prompt] * count, beam_size=Config().beam, max_length=2 * TOKENS, suppress_tokens=[-1, end]
    )
    took = time.perf_counter() - began
    assert all(len(one.sequences_ids[0]) == TOKENS for one in found), [len(one.sequences_ids[0]) for one in found]
    return took


if __name__ == "__main__":
    sys.exit(main())
