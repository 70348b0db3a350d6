"""A model as those who ask know it: how its prompts are written, when its answers end, and its name. What computes them: `engine.py`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bot import ChatFacts, Generate
from plugins.chat.answering import Answering, ChatWork
from plugins.chat.forms import Form, form
from plugins.chat.prompt import Prompt, PromptFormat


class Speaker:
    """What answers to a name: a model, or an adapter that lies on it. `context` caps prompt and answer together, in tokens.

    Raises ValueError where no conversation can be put into words for it.
    """

    def __init__(self, name: str, model: Any, tokenizer: Any, *, context: int, chat: ChatFacts | None = None, adapter: str = "") -> None:
        self.name = name
        self.adapter = adapter
        self.window = min(context, chat.context if chat else context, getattr(model.config, "max_position_embeddings", None) or context)
        self._tokenizer = tokenizer
        self.repetition = chat.repetition if chat else 1.0
        written = form(tokenizer, chat)
        self._format = PromptFormat(written)
        self.ends = _ends(model, tokenizer, written, chat.ends if chat else ())

    def answering(self, work: ChatWork) -> Answering:
        """The work, ready to be computed."""
        prompt = self.encode(work.job)
        return Answering(
            work,
            prompt,
            model=self.name,
            window=self.window,
            ends=self.ends,
            decode=self.decode,
            adapter=self.adapter,
            repetition=self.repetition,
        )

    def encode(self, job: Generate) -> Prompt:
        """The prompt of a job. It leaves room for the answer, up to half the window."""
        return self._format.encode(job.turns, self.window - min(job.max_tokens, self.window // 2), job.tools)

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of tokens, without control tokens."""
        text: str = self._tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text


class Speakers:
    """All that answer with one model, by their names; the first one answers where no other is asked for."""

    def __init__(self, speakers: Sequence[Speaker]) -> None:
        self.first = speakers[0]
        self.window = max(speaker.window for speaker in speakers)
        self._named = {speaker.name: speaker for speaker in speakers}

    def admitted(self, works: Iterable[ChatWork]) -> list[Answering]:
        """The works, ready to be computed; one that cannot be put into words fails, and harms no other."""
        admitted = []
        for work in works:
            try:
                admitted.append(self._named.get(work.job.model or "", self.first).answering(work))
            except Exception as error:
                work.fail(f"no prompt could be made: {type(error).__name__}: {error}")
        return admitted


def _ends(model: Any, tokenizer: Any, written: Form, listed: Sequence[str]) -> frozenset[int]:
    """The tokens that end an answer: generation configs give one, several or none, and often not the one that the template writes."""
    given = model.generation_config.eos_token_id
    ids = [*(given if isinstance(given, list) else [given]), tokenizer.eos_token_id, written.end]
    vocabulary = tokenizer.get_vocab()
    return frozenset(token for token in [*ids, *(vocabulary.get(name) for name in listed)] if token is not None)
