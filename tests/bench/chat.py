"""How fast the starter model chats: alone, sixteen at once, beside others and through the whole bot, against transformers' own ways."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.nn.functional import pad
from transformers import ContinuousBatchingConfig, GenerationConfig

from bot import Partial, Placement, catalogue
from bot.config import load
from plugins.chat.config import Config
from plugins.chat.continuous import PAGE
from plugins.chat.engine import Engine
from plugins.chat.model import Chat
from tests.bench import whole
from tests.bench.figures import Figure
from tests.plugins.chat.arrivals import Arrivals, Request, generate

RUNS = 5
PATIENCE = 30.0
"""Seconds after which no further run of a kind begins: threads that wait for each other take very long on cores that others use."""

TOKENS = 48
SIDE_BY_SIDE = 16

Way = Callable[[Engine, Sequence[Request]], None]
"""Answers all of these."""

CHATS = (1, 4, 16)
"""People who talk to the bot at the same moment."""

QUESTIONS = (
    "Why is the sky blue?",
    "How do bees find their way home?",
    "What is a good name for a cat?",
    "Tell me about the history of bread, in a few sentences.",
)


def engine() -> Engine:
    """The model as a worker loads it, but every answer has the same length: nothing ends one early."""
    chat = Chat(Config(), catalogue.load().models[Config().models[0]])
    chat.load(Placement("cpu", load().models_dir / chat.weights, threads=os.cpu_count() or 1))
    loaded = chat.engine
    assert isinstance(loaded, Engine)
    loaded.speakers.first.ends = frozenset()
    loaded.model.generation_config.eos_token_id = None
    return loaded


def requests(count: int) -> list[Request]:
    """No two the same, and of different lengths."""
    texts = [f"{QUESTIONS[number % len(QUESTIONS)]} This is question {'very ' * number}{number}." for number in range(count)]
    return [Request(generate(text, max_tokens=TOKENS)) for text in texts]


def ours(loaded: Engine, asked: Sequence[Request]) -> None:
    loaded.run(Arrivals(*asked))
    assert all(request.answer.tokens == TOKENS for request in asked)


def plain(loaded: Engine, asked: Sequence[Request]) -> None:
    """One padded batch."""
    prompts = [torch.tensor(loaded.speakers.first.encode(request.job).tokens) for request in asked]
    columns = max(len(prompt) for prompt in prompts)
    ids = torch.stack([pad(prompt, (columns - len(prompt), 0)) for prompt in prompts])
    mask = torch.stack([pad(torch.ones_like(prompt), (columns - len(prompt), 0)) for prompt in prompts])
    with torch.inference_mode():
        made: Any = loaded.model.generate(ids, attention_mask=mask, max_new_tokens=TOKENS, do_sample=False, pad_token_id=0)
    assert made.shape == (len(asked), columns + TOKENS)


def paged(loaded: Engine, asked: Sequence[Request]) -> None:
    """transformers' bare continuous batching."""
    configured: Any = GenerationConfig
    rules = configured(max_new_tokens=TOKENS, do_sample=False, eos_token_id=-1)
    options = ContinuousBatchingConfig(page_size=PAGE, num_blocks=2 * len(asked), max_batch_tokens=512)
    prompts = [loaded.speakers.first.encode(request.job).tokens for request in asked]
    made = loaded.model.generate_batch(prompts, generation_config=rules, continuous_batching_config=options)
    assert [len(one.generated_tokens) for one in made.values()] == [TOKENS] * len(asked)


def rate(way: Way, loaded: Engine, count: int) -> float:
    """Tokens a second, the reading of the prompts included."""
    asked = requests(count)
    began = time.perf_counter()
    way(loaded, asked)
    return count * TOKENS / (time.perf_counter() - began)


def side_by_side(loaded: Engine, count: int, other: Way = plain) -> list[tuple[float, float]]:
    """Our rate and that of another way, in turns, so that both meet the same weather."""
    began = time.monotonic()
    pairs: list[tuple[float, float]] = []
    for run in range(RUNS + 1):
        pair = rate(ours, loaded, count), rate(other, loaded, count)
        pairs += [pair] if run else []  # the first run of any shape is slower
        if pairs and time.monotonic() - began > PATIENCE:
            break
    return pairs


def against_one_by_one(loaded: Engine) -> list[float]:
    """Our rate of sixteen at once, in units of the rate of `generate` with one after the other."""
    ratios = []
    for _ in range(3):
        one = rate(plain, loaded, 1)
        ratios.append(rate(ours, loaded, SIDE_BY_SIDE) / one)
    return ratios


def first_tokens(loaded: Engine) -> list[float]:
    """Milliseconds from a request to its first token, less those of `generate` with one token for the same prompt."""
    late = []
    for run in range(2 * RUNS):
        mine, theirs = requests(1)[0], requests(1)[0]
        began = time.perf_counter()
        at = Clocked(mine.job)
        loaded.run(Arrivals(at, ends=2))
        at.cancel = True
        loaded.run(Arrivals(at))
        prompt = torch.tensor([loaded.speakers.first.encode(theirs.job).tokens])
        between = time.perf_counter()
        with torch.inference_mode():
            loaded.model.generate(prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=1, do_sample=False, pad_token_id=0)
        if run:
            late.append(1000 * ((at.first - began) - (time.perf_counter() - between)))
    return late


class Clocked(Request):
    """Knows when its first word came."""

    first = 0.0

    def emit(self, partial: Partial) -> None:
        self.first = self.first or time.perf_counter()
        super().emit(partial)


class Newcomer(Arrivals):
    """Somebody who comes when the others have written a few words; knows when."""

    came = 0.0

    def join(self, free: int) -> Sequence[Request]:
        due = super().join(free)
        if due:
            self.came = time.perf_counter()
        return due


def newcomers(loaded: Engine) -> list[float]:
    """Seconds that somebody waits for the first word while eight answers are being written."""
    waits = []
    for _ in range(RUNS):
        late = Clocked(generate(QUESTIONS[0], max_tokens=8))
        batch = Newcomer(*requests(8), late={8: [late]})
        loaded.run(batch)
        waits.append(late.first - batch.came)
    return waits


def through_the_bot(loaded: Engine) -> dict[int, list[float]]:
    """Tokens a second of so many chats, in units of one padded `generate` for as many, by turns."""
    ratios: dict[int, list[float]] = {count: [] for count in CHATS}
    with whole.bot() as house:
        whole.answered(house, 1)  # loads the model
        for _ in range(3):
            for count in CHATS:
                seconds = max(whole.answered(house, count))
                ratios[count].append(count * whole.TOKENS / seconds / rate(plain, loaded, count))
    return ratios


def measure() -> dict[str, Figure]:
    loaded = engine()
    figures: dict[str, Figure] = {}
    dtype = str(loaded.model.dtype).removeprefix("torch.")
    for name, count, goal, part in (("alone", 1, 38.0, 0.95), (f"{SIDE_BY_SIDE} at once", SIDE_BY_SIDE, 336.0, 0.9)):
        pairs = side_by_side(loaded, count)
        figures[f"{name} ({dtype})"] = Figure.of([mine for mine, _ in pairs], "tokens/s", goal, "higher")
        figures[f"{name} / generate"] = Figure.of([mine / theirs for mine, theirs in pairs], "×", part, "higher")
    figures["16 at once / one by one"] = Figure.of(against_one_by_one(loaded), "×", 6.0, "higher")
    pairs = side_by_side(loaded, SIDE_BY_SIDE, paged)
    figures["16 at once / continuous batching"] = Figure.of([mine / theirs for mine, theirs in pairs], "×", 0.9, "higher")
    for count, ratios in through_the_bot(loaded).items():
        figures[f"{count} through the whole bot / generate"] = Figure.of(ratios, "×", 0.9, "higher")
    figures["first token, later than generate's"] = Figure.of(first_tokens(loaded), "ms", 15.0, "lower")
    figures["first token beside eight answers"] = Figure.of(newcomers(loaded), "s", 1.0, "lower")
    return figures
