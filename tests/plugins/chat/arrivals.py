"""Jobs that arrive when a test says so, and the turns they are made of. The model they are for: `conftest.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from bot import Answer, Batch, Blob, Generate, Partial, Text, TextSoFar, Turn, Work

if TYPE_CHECKING:
    from plugins.chat.continuous import Continuous
    from plugins.chat.engine import Engine


class Request(Work[Generate, Answer]):
    """A job in the hands of the model; `upon` is called with each partial text."""

    def __init__(self, job: Generate, upon: Callable[[Request], None] | None = None) -> None:
        self._job = job
        self._upon = upon
        self.cancel = False
        self.partials: list[str] = []
        self.results: list[Answer] = []
        self.reason = ""

    @property
    def job(self) -> Generate:
        return self._job

    @property
    def cancelled(self) -> bool:
        return self.cancel

    def emit(self, partial: Partial) -> None:
        assert isinstance(partial, TextSoFar)
        self.partials.append(partial.text)
        if self._upon:
            self._upon(self)

    def finish(self, result: Answer) -> None:
        self.results.append(result)

    def fail(self, reason: str) -> None:
        self.reason = reason

    def refuse(self, sentence: str) -> None:
        raise AssertionError(f"nothing was to be refused, found {sentence!r}")

    def read(self, blob: Blob) -> bytes:
        raise AssertionError(f"no blob was expected, found {blob!r}")

    def keep(self, content: bytes, mime: str, name: str = "") -> Blob:
        raise AssertionError(f"no bytes were expected, found {name!r}")

    @property
    def answer(self) -> Answer:
        assert len(self.results) == 1, self.reason
        return self.results[0]


class Arrivals(Batch[Generate, Answer]):
    """Requests that are there at the start, and those that join: `late` maps a step to who comes behind it.

    The model asks for room before the first step and behind each; the batch is over after `ends` of them.
    """

    def __init__(self, *first: Request, late: dict[int, list[Request]] | None = None, ends: int = 1_000_000) -> None:
        self._ends = ends
        self._first = first
        self._late = dict(late or {})
        self._step = -1
        self.asked: list[int] = []

    def __iter__(self) -> Iterator[Request]:
        return iter(self._first)

    @property
    def over(self) -> bool:
        return self._step >= self._ends

    def join(self, free: int) -> Sequence[Request]:
        self._step += 1
        self.asked.append(free)
        due = [request for step in sorted(self._late) if step <= self._step for request in self._late[step]]
        self._late = {step: requests for step, requests in self._late.items() if step > self._step}
        if due[free:]:
            self._late[self._step + 1] = [*due[free:], *self._late.get(self._step + 1, [])]
        return due[:free]


def person(text: str, name: str = "Alice", **fields: Any) -> Turn:
    return Turn(role="person", name=name, parts=(Text(text),), **fields)


def bot(text: str) -> Turn:
    return Turn(role="bot", parts=(Text(text),))


def system(text: str) -> Turn:
    return Turn(role="system", parts=(Text(text),))


def generate(text: str, **fields: Any) -> Generate:
    """One question, answered greedily unless told otherwise."""
    return Generate(
        turns=(system("You are a helpful assistant."), person(text, name="")), **{"temperature": 0.0, "max_tokens": 24, **fields}
    )


def alone(engine: Engine | Continuous, request: Request) -> tuple[str, int]:
    """The text and number of tokens that transformers' own `generate` makes of the same prompt."""
    import torch

    prompt = engine.speakers.first.encode(request.job).tokens
    ids = torch.tensor([prompt])
    with torch.inference_mode():
        longest: Any = {"max_new_tokens": request.job.max_tokens, "eos_token_id": sorted(engine.speakers.first.ends), "pad_token_id": 0}
        made: Any = engine.model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, **longest)
    tokens = [token for token in made[0, len(prompt) :].tolist() if token not in engine.speakers.first.ends]
    return engine.speakers.first.decode(tokens).replace("\ufffd", "").strip(), len(tokens)


def ran(engine: Engine, *requests: Request, late: dict[int, list[Request]] | None = None) -> list[Answer]:
    engine.run(Arrivals(*requests, late=late))
    return [request.answer for request in [*requests, *(one for some in (late or {}).values() for one in some)]]
