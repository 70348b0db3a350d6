"""Writes many answers at once over the paged cache of transformers' continuous batching. For models that cannot: `engine.py`."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from itertools import count
from typing import Any

import torch
from transformers import ContinuousBatchingConfig, GenerationConfig

from bot import Answer, Batch, Generate, Memory, Text, Turn
from bot.parking import Parking
from plugins.chat.answering import Answering
from plugins.chat.repeating import Repetition
from plugins.chat.rows import bytes_per_token
from plugins.chat.speaker import Speakers

LOOK = 0.02
"""Seconds after which it is looked whether somebody has come or gone, where no token comes."""

PAGE = 256
"""Tokens of a page of the cache; each answer has pages of its own, but for beginnings that are alike."""

READ = {"cpu": 256}
"""Tokens that one step computes at most, those of prompts included; 2048 keep other devices busy."""

PROOF = ("Hi!", "What is the capital of France?", "Tell me a story about a cat and a dog who live on a farm. " * 8)
"""Questions of different lengths, answered side by side."""

PROVEN = 8
"""Tokens of each answer that are compared."""

TOLERANCE = {torch.float32: 0.01}
"""By how much the logarithm of a token's probability may differ from the plain forward pass; with tokens at wrong places it is units."""

HALF_TOLERANCE = 0.3
"""The same in 16 bits, where sums in another order differ in the second digit."""


class UnprovenError(Exception):
    """The model does not compute the same this way; the text says what differs."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An answer in the hands of the loop; `since` is how many of its tokens were written before."""

    one: Answering
    since: int

    def take(self, tokens: Sequence[int]) -> None:
        """All that the loop has written so far."""
        for token in tokens[len(self.one.written) - self.since :]:
            if not self.one.ended:
                self.one.take(token)


class Continuous:
    """A loaded causal language model, and transformers' own loop over it in a thread of its own, which stays warm between runs.

    The cache holds a full batch of whole windows and no more, whatever else is free on the device.
    """

    def __init__(self, model: Any, speakers: Speakers, *, max_batch: int, compiled: bool = False) -> None:
        logging.getLogger("ContinuousBatchingLogger").setLevel(logging.CRITICAL)  # what it tells as errors is raised here
        self.model = model
        self.speakers = speakers
        self.max_batch = max_batch
        self._parking = Parking(model)
        self._device = model.device
        self._vocabulary: int = model.config.get_text_config().vocab_size
        pages = -(-speakers.window // PAGE) * max_batch
        spare = 2  # pages that transformers keeps for padding
        cache = bytes_per_token(model) * (pages + spare) * PAGE
        self.memory = Memory(model.get_memory_footprint(), cache, self._parking.size)
        paged = "page_size" if any(one.name == "page_size" for one in fields(ContinuousBatchingConfig)) else "block_size"  # before 5.18
        options: dict[str, Any] = {paged: PAGE}
        self._options = ContinuousBatchingConfig(
            **options,
            num_blocks=pages,
            max_batch_tokens=READ.get(model.device.type, 2048),
            max_requests_per_batch=max_batch,
            per_request_processors=True,
            return_logprobs=True,
            default_compile_level=int(compiled),
        )
        self._manager: Any = None
        self._names = count()
        self._held: list[Answering] = []
        self._repetition: Repetition | None = None

    def prove(self) -> None:
        """Answers a few questions and compares. Raises UnprovenError, or whatever a model raises that cannot be run like this at all."""
        prompts = [self.speakers.first.encode(_question(text)).tokens for text in PROOF]
        asked = {self._ask(prompt, PROVEN, [-1], temperature=1.0, top_p=1.0): prompt for prompt in prompts}
        made: dict[str, Any] = {}
        while len(made) < len(asked):
            said = self._said(wait=60.0)
            if said is None:
                raise UnprovenError(f"{len(made)} of {len(asked)} answers came within a minute")
            if said.is_finished():
                made[said.request_id] = said
        for name, prompt in asked.items():
            if (found := len(made[name].generated_tokens)) != PROVEN:
                raise UnprovenError(f"expected {PROVEN} tokens, found {found}")
            self._compare(prompt, made[name].generated_tokens, made[name].logprobs)

    @torch.inference_mode()
    def _compare(self, prompt: Sequence[int], tokens: Sequence[int], told: Sequence[float]) -> None:
        """Holds the probabilities that were told against those of the plain forward pass over the same text."""
        with self._plainly():
            ids = torch.tensor([[*prompt, *tokens[:-1]]], device=self._device)
            logits = self.model(input_ids=ids, use_cache=False).logits[0, len(prompt) - 1 :]
        expected = logits.float().log_softmax(-1).gather(1, torch.tensor(tokens, device=self._device)[:, None])[:, 0]
        differs = float((expected.cpu() - torch.tensor(told)).abs().max())
        if differs > TOLERANCE.get(self.model.dtype, HALF_TOLERANCE):
            raise UnprovenError(f"a token's probability differs by e^{differs:.2g}")

    @contextmanager
    def _plainly(self) -> Iterator[None]:
        """The attention that the plain forward pass has, while the loop waits for work."""
        paged = self.model.config._attn_implementation
        self.model.set_attn_implementation(paged.removeprefix("paged|"))
        try:
            yield
        finally:
            self.model.set_attn_implementation(paged)

    def run(self, batch: Batch[Generate, Answer]) -> None:
        """Finishes every job of the batch, and those that join; when the batch is over, the rest goes on from its words in the next."""
        held, self._held = self._held, []  # what raises leaves nothing behind
        known = {id(one.work) for one in held}
        writing: dict[str, Asked] = {}
        try:
            self._begin(writing, [*held, *self.speakers.admitted(work for work in batch if id(work) not in known)])
            while writing and not batch.over:
                self._step(writing)
                self._begin(writing, self.speakers.admitted(batch.join(self.max_batch - len(writing))))
        except BaseException:
            self._stop()
            raise
        for name in writing:
            self._give_up(name)
        self._held = [asked.one for asked in writing.values()]

    def _begin(self, writing: dict[str, Asked], more: Sequence[Answering]) -> None:
        for one in more:
            if not one.leaves:
                rule, text = one.rule, [*one.prompt, *one.written]
                said = one.written if rule.repetition != 1.0 else None
                name = self._ask(text, one.left, list(one.ends) or [-1], temperature=rule.temperature, top_p=rule.top_p, said=said)
                writing[name] = Asked(one, len(one.written))

    def _step(self, writing: dict[str, Asked]) -> None:
        """Hands out what has come, and gives up what nobody waits for."""
        said = self._said(wait=LOOK)
        while said is not None:
            if said.request_id in writing:
                writing[said.request_id].take(said.generated_tokens)
            said = self._said(wait=0.0)
        for name in [name for name, asked in writing.items() if asked.one.leaves]:
            self._give_up(name)
            del writing[name]

    def _give_up(self, name: str) -> None:
        self._manager.cancel_request(name)
        if self._repetition:
            self._repetition.give_back(name)

    def _ask(
        self, prompt: Sequence[int], most: int, ends: Sequence[int], *, temperature: float, top_p: float, said: Sequence[int] | None = None
    ) -> str:
        """Puts a prompt in; the name under which its tokens come. Its `ends` are the tokens that end it, or -1.

        With what the answer has `said` so far, that counts less from then on.
        """
        name, loop = f"answer {next(self._names)}", self._warm()
        greedy = temperature == 0.0
        rules = {"temperature": 1.0 if greedy else temperature, "top_p": 1.0 if greedy else top_p}
        rules["top_k"] = 1 if greedy else self._vocabulary
        if self._repetition and said is not None:
            rules["place"] = self._repetition.take(name, said)
        taken = loop.add_request(list(prompt), name, max_new_tokens=most, streaming=True, eos_token_id=list(ends), **rules)
        if taken is None:
            raise RuntimeError(f"continuous batching takes no requests: {self._manager.background_thread_status.fatal_error}")
        return name

    def _warm(self) -> Any:
        """The loop, begun when it is needed first and kept."""
        if self._manager is None:
            # each request says its own; without these no processor would be there to heed it
            configured: Any = GenerationConfig
            rules = configured(do_sample=True, temperature=0.7, top_k=50, top_p=0.9, eos_token_id=-1)
            self._manager = self.model.init_continuous_batching(generation_config=rules, continuous_batching_config=self._options)
            by = self.speakers.first.repetition
            self._repetition = Repetition(by, self.max_batch, self._vocabulary, self._device) if by != 1.0 else None
            if self._repetition:
                self._repetition.put_into(self._manager)
            self._manager.start()
        return self._manager

    def _said(self, wait: float) -> Any:
        """All tokens of one answer so far, or None where nothing comes within `wait` seconds. Raises what has ended the loop."""
        said = self._manager.get_result(timeout=wait)
        if said is None and not self._manager.is_running():
            raise RuntimeError(f"continuous batching has ended: {self._manager.background_thread_status.fatal_error}")
        if said is not None and said.error:
            raise RuntimeError(said.error)
        return said

    def _stop(self) -> None:
        """Ends the loop; the device has the memory of its cache back."""
        manager, self._manager = self._manager, None
        if manager is not None:
            manager.stop(block=True, hard_stop=True)
            manager.destroy()

    def park(self) -> None:
        """Weights to the host; what was begun is read again from its words."""
        self._stop()
        self._parking.park()

    def unpark(self) -> None:
        """Back to the device."""
        self._parking.unpark(self._device)

    def close(self) -> None:
        """Gives everything up; the engine cannot be used any more."""
        self._stop()
        self._parking.close()


def _question(text: str) -> Generate:
    return Generate(turns=(Turn(role="person", parts=(Text(text),)),), max_tokens=PROVEN)
