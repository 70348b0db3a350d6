"""Measures on a GPU how fast a chat model of real size writes, with random weights: `python -m tests.gpu.chat`.

Our engines against transformers' bare loop and one padded `generate`, in turns. Needs CUDA, 24 GB of its memory, and the starter model
for its words; it says what is missing and skips that. CI does not run it.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from torch.nn.functional import pad
from transformers import AutoTokenizer, ContinuousBatchingConfig, GenerationConfig, LlamaConfig, LlamaForCausalLM

from bot.config import load
from plugins.chat.config import Config
from plugins.chat.continuous import PAGE, Continuous
from plugins.chat.engine import Engine
from plugins.chat.speaker import Speaker, Speakers
from tests.gpu.parking import SIZES, say
from tests.plugins.chat.arrivals import Arrivals, Request, generate

ROUNDS = 5
TOKENS = 128
PEOPLE = (1, 16)
NEEDED = 24_000_000_000
GOAL = 0.95

Way = Callable[[int], None]


class Bench:
    """A model of the shape of Llama 3.1 8B, and the ways to have it answer."""

    def __init__(self, device: torch.device) -> None:
        torch.manual_seed(0)
        words = AutoTokenizer.from_pretrained(load().models_dir / Config().models[0], local_files_only=True)
        with torch.device(device):
            torch.set_default_dtype(torch.bfloat16)
            shape: Any = {**SIZES, "vocab_size": 128_256, "max_position_embeddings": 8192, "tie_word_embeddings": False}
            model: Any = LlamaForCausalLM(LlamaConfig(**shape))
            torch.set_default_dtype(torch.float32)
        model.generation_config.eos_token_id = None
        self.model = model.eval()
        speaker = Speaker("8b", self.model, words, context=2048)
        speaker.ends = frozenset()
        self.speaker = speaker
        self.continuous = Continuous(self.model, Speakers([speaker]), max_batch=max(PEOPLE))

    def requests(self, count: int) -> list[Request]:
        return [Request(generate(f"Tell me a {'very ' * number}long story.", max_tokens=TOKENS)) for number in range(count)]

    def prompts(self, count: int) -> list[list[int]]:
        return [self.speaker.encode(request.job).tokens for request in self.requests(count)]

    def ours(self, count: int) -> None:
        """The engine that begins on CUDA."""
        asked = self.requests(count)
        self.continuous.run(Arrivals(*asked))
        assert all(request.answer.tokens == TOKENS for request in asked)

    def batched(self, count: int) -> None:
        """The engine for what cannot be run in the other."""
        with self.continuous._plainly():
            asked = self.requests(count)
            Engine(self.model, self.continuous.speakers, max_batch=max(PEOPLE)).run(Arrivals(*asked))

    def padded(self, count: int) -> None:
        """One `generate` of all."""
        prompts = [torch.tensor(prompt, device=self.model.device) for prompt in self.prompts(count)]
        columns = max(map(len, prompts))
        ids = torch.stack([pad(prompt, (columns - len(prompt), 0)) for prompt in prompts])
        mask = torch.stack([pad(torch.ones_like(prompt), (columns - len(prompt), 0)) for prompt in prompts])
        with self.continuous._plainly(), torch.inference_mode():
            self.model.generate(ids, attention_mask=mask, max_new_tokens=TOKENS, do_sample=False, pad_token_id=0)


def bare(bench: Bench) -> Way:
    """transformers' own loop with the same cache, warm."""
    configured: Any = GenerationConfig
    rules = configured(max_new_tokens=TOKENS, do_sample=False, eos_token_id=-1)
    options = ContinuousBatchingConfig(
        page_size=PAGE, num_blocks=8 * max(PEOPLE), max_batch_tokens=2048, max_requests_per_batch=max(PEOPLE)
    )

    def run(count: int) -> None:
        made = bench.model.generate_batch(bench.prompts(count), generation_config=rules, continuous_batching_config=options)
        assert [len(one.generated_tokens) for one in made.values()] == [TOKENS] * count

    return run


def repeats_alike(device: torch.device) -> bool:
    """Whether what was said counts as little in both engines: a tiny model in float32, whose loop may run in CUDA graphs."""
    torch.manual_seed(0)
    words = AutoTokenizer.from_pretrained(load().models_dir / Config().models[0], local_files_only=True)
    sizes: Any = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
    model: Any = LlamaForCausalLM(LlamaConfig(**sizes, vocab_size=len(words), initializer_range=0.5))
    model = model.to(device).eval()
    speaker = Speaker("tiny", model, words, context=512)
    speaker.repetition = 3.0
    speakers, texts = Speakers([speaker]), []
    for made in (Engine(model, speakers, max_batch=4), Continuous(model, speakers, max_batch=4)):
        asked = [Request(generate(f"Question {number}", max_tokens=48)) for number in range(4)]
        made.run(Arrivals(*asked))
        texts.append([request.answer.text for request in asked])
        made.close()
    return texts[0] == texts[1]


def main() -> int:
    """The exit code: 0 when both goals were met, or nothing could be measured."""
    if not torch.cuda.is_available():
        say("skipped: torch finds no CUDA device here")
        return 0
    device = torch.device("cuda:0")
    if torch.cuda.mem_get_info(device)[0] < NEEDED:
        say(f"skipped: less than {NEEDED / 1e9:.0f} GB are free on the device")
        return 0
    say(f"{torch.cuda.get_device_name(device)}, torch {torch.__version__}, n = {ROUNDS}, medians (from – to)")
    alike = repeats_alike(device)
    say(f"what was said counts alike in both engines: {alike}")
    bench = Bench(device)
    ways: dict[str, Way] = {"ours": bench.ours, "batched": bench.batched, "padded": bench.padded, "bare": bare(bench)}
    met = [compared(ways, count) for count in PEOPLE]
    bench.continuous.close()
    return 0 if alike and all(met) else 1


def compared(ways: dict[str, Way], count: int) -> bool:
    """Whether the engine reaches its part of the better bare one; all by turns."""
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(ROUNDS + 1):
        for name, way in ways.items():
            torch.cuda.synchronize()
            began = time.perf_counter()
            way(count)
            torch.cuda.synchronize()
            if number:  # the first of a shape is slower
                rates[name].append(count * TOKENS / (time.perf_counter() - began))
    for name, found in rates.items():
        say(f"{count} at once, {name}: {statistics.median(found):.0f} tokens/s ({min(found):.0f} – {max(found):.0f})")
    parts = [mine / max(others) for mine, *others in zip(rates["ours"], rates["padded"], rates["bare"], strict=True)]
    say(f"{count} at once, of the better bare engine: {statistics.median(parts):.2f} (goal {GOAL})")
    return statistics.median(parts) >= GOAL


if __name__ == "__main__":
    sys.exit(main())
