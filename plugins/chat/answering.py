"""One job while its answer is being written: prompt, rules, text so far, and when it ends. Many of them at once: `engine.py`."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Sequence
from typing import Literal

from bot import Answer, Generate, TextSoFar, Work
from plugins.chat.calling import called, may_be_call
from plugins.chat.prefixes import Known
from plugins.chat.prompt import Prompt
from plugins.chat.sampling import Rule
from plugins.chat.stream import TextStream

ChatWork = Work[Generate, Answer]


class Answering:
    """`ends` are the tokens with which the model ends an answer; `adapter` is what the model computes it with."""

    def __init__(
        self,
        work: ChatWork,
        prompt: Prompt,
        *,
        model: str,
        window: int,
        ends: Collection[int],
        decode: Callable[[Sequence[int]], str],
        adapter: str = "",
        repetition: float = 1.0,
    ) -> None:
        job = work.job
        self.work = work
        self.prompt = prompt.tokens
        self.known = Known()
        self.rule = Rule(job.temperature, job.top_p, random.Random(job.seed), repetition)  # noqa: S311  no secret
        self.written: list[int] = []
        self.ended = False
        self.adapter = adapter
        self.ends = ends
        self._model = model
        self._most = max(1, min(job.max_tokens, window - len(prompt.tokens)))
        self._stream = TextStream(decode, (*job.stop, *prompt.stops), prompt.begun)
        self._emitted = ""
        self._began = time.monotonic()

    @property
    def leaves(self) -> bool:
        """True when its place can be given to another."""
        return self.ended or self.work.cancelled

    @property
    def last(self) -> int:
        """The token that the model has not read yet."""
        return self.written[-1]

    @property
    def unread(self) -> int:
        """Tokens of the prompt that must be read."""
        return len(self.prompt) - self.known.tokens

    @property
    def most(self) -> int:
        """Tokens that it may come to have, the prompt's among them."""
        return len(self.prompt) + self._most

    @property
    def left(self) -> int:
        """Tokens that may still come."""
        return self._most - len(self.written)

    def take(self, token: int) -> None:
        """The next token of the answer."""
        if token in self.ends:
            self._finish("stop")
            return
        self.written.append(token)
        self.rule.said.add(token)
        if self._stream.push(token):
            self._finish("stop")
        elif not self.left:
            self._finish("length")
        else:
            self._show()

    def _show(self) -> None:
        shown = self._stream.shown
        if shown != self._emitted and not (self.work.job.tools and may_be_call(shown)):
            self._emitted = shown
            self.work.emit(TextSoFar(text=shown))

    def _finish(self, why: Literal["stop", "length"]) -> None:
        self.ended = True
        text = self._stream.text
        calls = called(text) if self.work.job.tools else ()
        counts = {"prompt_tokens": len(self.prompt), "tokens": len(self.written)}
        seconds = round(time.monotonic() - self._began, 3)
        self.work.finish(Answer(text="" if calls else text, finish=why, model=self._model, calls=calls, seconds=seconds, **counts))
