"""Ways to have the starter model answer several people: our engine, and what transformers has. What is made of their times: `chat.py`."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import pad
from transformers import ContinuousBatchingConfig, GenerationConfig

from bot import Generate, Partial, Placement, catalogue
from bot.config import load
from plugins.chat.config import Config
from plugins.chat.continuous import PAGE
from plugins.chat.engine import Engine
from plugins.chat.model import Chat
from plugins.chat.settings import PERSONA
from tests.bench.whole import TOKENS, Asker, Crowd
from tests.plugins.chat.arrivals import Arrivals, Request, person, system


@dataclass(frozen=True, slots=True)
class Run:
    """How fast so many were answered: tokens a second of all together, seconds until the very last word, and until the median first one."""

    rate: float
    last: float
    first: float

    @classmethod
    def of(cls, count: int, seconds: float, firsts: Iterable[float] = (), *, tokens: int | None = None) -> Run:
        """`firsts` are left out where they cannot be seen; `tokens` are those of all together, where answers may end early."""
        seen = list(firsts)
        return cls((tokens or count * TOKENS) / seconds, seconds, statistics.median(seen) if seen else float("nan"))


Way = Callable[[int], Run]
"""Answers so many people who ask at the same moment."""


class Clocked(Request):
    """Knows when its first word came."""

    first = 0.0

    def emit(self, partial: Partial) -> None:
        self.first = self.first or time.perf_counter()
        super().emit(partial)


def engine() -> Engine:
    """The model as a worker loads it, but every answer has the same length: nothing ends one early."""
    chat = Chat(Config(), catalogue.load().models[Config().models[0]])
    chat.load(Placement("cpu", load().models_dir / chat.weights, threads=os.cpu_count() or 1))
    loaded = chat.engine
    assert isinstance(loaded, Engine)
    loaded.speakers.first.ends = frozenset()
    loaded.model.generation_config.eos_token_id = None
    return loaded


def job(asker: Asker, most: int = TOKENS) -> Generate:
    """What the bot asks the model when this person speaks to it."""
    turns = (system(PERSONA), person(asker.question, asker.name))
    return Generate(turns=turns, temperature=0.0, max_tokens=most)


class Ways:
    """All of them over one loaded model."""

    def __init__(self, loaded: Engine, crowd: Crowd) -> None:
        self.engine = loaded
        self._crowd = crowd

    def ours(self, count: int) -> Run:
        """The batched engine alone, without queue and chat."""
        asked = [Clocked(job(asker)) for asker in self._crowd.people(count)]
        most = self.engine.max_batch
        began = time.perf_counter()
        self.engine.run(Arrivals(*asked[:most], late={1: list(asked[most:])}))
        seconds = time.perf_counter() - began
        assert all(request.answer.tokens == TOKENS for request in asked)
        return Run.of(count, seconds, (request.first - began for request in asked))

    def padded(self, count: int) -> Run:
        """One `generate` of all prompts."""
        began = time.perf_counter()
        first = self._generate([self._prompt(asker) for asker in self._crowd.people(count)])
        return Run.of(count, time.perf_counter() - began, [first - began])

    def one_by_one(self, count: int) -> Run:
        """`generate`, one after the other; four tell how fast that is."""
        asked = min(count, 4)
        began = time.perf_counter()
        for asker in self._crowd.people(asked):
            self._generate([self._prompt(asker)])
        return Run.of(asked, time.perf_counter() - began)

    def continuous(self, count: int) -> Run:
        """transformers' bare continuous batching."""
        configured: Any = GenerationConfig
        rules = configured(max_new_tokens=TOKENS, do_sample=False, eos_token_id=-1)
        options = ContinuousBatchingConfig(page_size=PAGE, num_blocks=2 * count, max_batch_tokens=512)
        plain = self.engine.model.config._attn_implementation
        began = time.perf_counter()
        prompts = [self._prompt(asker).tolist() for asker in self._crowd.people(count)]
        made = self.engine.model.generate_batch(prompts, generation_config=rules, continuous_batching_config=options)
        seconds = time.perf_counter() - began
        self.engine.model.set_attn_implementation(plain)
        assert [len(one.generated_tokens) for one in made.values()] == [TOKENS] * count
        return Run.of(count, seconds)

    def first_token(self) -> tuple[float, float]:
        """Seconds until the engine's first token, and until that of `generate` for the same prompt."""
        (asker,) = self._crowd.people(1)
        request = Clocked(job(asker, most=2))
        began = time.perf_counter()
        self.engine.run(Arrivals(request))
        between = time.perf_counter()
        return request.first - began, self._generate([self._prompt(asker)], most=1) - between

    def newcomer(self, others: int) -> float:
        """Seconds that somebody waits for the first word while so many answers are being written."""
        *first, last = self._crowd.people(others + 1)
        late = Clocked(job(last, most=8))
        batch = Newcomer(*(Request(job(asker)) for asker in first), late={8: [late]})
        self.engine.run(batch)
        return late.first - batch.came

    def _prompt(self, asker: Asker) -> torch.Tensor:
        return torch.tensor(self.engine.speakers.first.encode(job(asker)).tokens)

    def _generate(self, prompts: Sequence[torch.Tensor], most: int = TOKENS) -> float:
        """When the first tokens were there."""
        columns = max(map(len, prompts))
        ids = torch.stack([pad(prompt, (columns - len(prompt), 0)) for prompt in prompts])
        mask = torch.stack([pad(torch.ones_like(prompt), (columns - len(prompt), 0)) for prompt in prompts])
        times: list[float] = []

        def clock(ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
            times.append(time.perf_counter())
            return torch.zeros(len(ids), dtype=torch.bool)

        rules: Any = {"do_sample": False, "pad_token_id": 0, "stopping_criteria": [clock]}
        with torch.inference_mode():
            made: Any = self.engine.model.generate(ids, attention_mask=mask, max_new_tokens=most, **rules)
        assert made.shape == (len(prompts), columns + most)
        return times[0]


class Newcomer(Arrivals):
    """Somebody who comes when the others have written a few words; knows when."""

    came = 0.0

    def join(self, free: int) -> Sequence[Request]:
        due = super().join(free)
        if due:
            self.came = time.perf_counter()
        return due
