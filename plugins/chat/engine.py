"""Writes many answers at once: sequences join and leave the batch between two steps. Loading the model it runs: `model.py`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch

from bot import Answer, Batch, ChatFacts, Generate, Memory
from plugins.chat.answering import Answering, ChatWork
from plugins.chat.forms import Form, form
from plugins.chat.parking import Parking
from plugins.chat.prompt import Prompt, PromptFormat
from plugins.chat.rows import Rows, bytes_per_token, check
from plugins.chat.sampling import choose

GROUP = 2048
"""Tokens of the prompts that are read side by side, padding included; a longer prompt is read alone."""

STRIDE = {"cpu": 256}
"""Tokens of prompts that are read between two steps of the answers that are being written. On two CPU cores 256 take under a second;
elsewhere 2048 keep the device busy."""


class Engine:
    """A loaded causal language model of transformers and its tokenizer. `context` caps prompt and answer together, in tokens."""

    def __init__(self, name: str, model: Any, tokenizer: Any, *, context: int, max_batch: int, chat: ChatFacts | None = None) -> None:
        check(model)
        self.name = name
        self.model = model
        self.window = min(context, chat.context if chat else context, getattr(model.config, "max_position_embeddings", None) or context)
        self.max_batch = max_batch
        self._tokenizer = tokenizer
        written = form(tokenizer, chat)
        self._format = PromptFormat(written)
        self.ends = _ends(model, tokenizer, written, chat.ends if chat else ())
        self._desk = Desk(model)
        self._device = model.device
        self._parking = Parking(model)
        self.memory = Memory(model.get_memory_footprint(), bytes_per_token(model) * self.window * max_batch, self._parking.size)
        """What the model takes, and a full batch of whole windows."""

    def park(self) -> None:
        """To the host, with the caches of what was begun."""
        self._desk.to(torch.device("cpu"))
        self._parking.park()

    def unpark(self) -> None:
        """Back to the device."""
        self._parking.unpark(self._device)
        self._desk.to(self._device)

    def close(self) -> None:
        """Gives up what the host has of it; the engine cannot be used any more."""
        self._parking.close()

    @torch.inference_mode()
    def run(self, batch: Batch[Generate, Answer]) -> None:
        """Finishes every job of the batch, and those that join meanwhile; when the batch is over, the rest stays as it is for the next."""
        desk, self._desk = self._desk, Desk(self.model)  # put back below; what raises leaves nothing behind
        known = {id(one.work) for one in desk.held()}
        desk.waiting += self._admitted(work for work in batch if id(work) not in known)
        while desk.held():
            if batch.over:
                self._desk = desk
                return
            self._step(desk)
            desk.waiting += self._admitted(batch.join(self.max_batch - len(desk.held())))

    def _step(self, desk: Desk) -> None:
        desk.waiting = [one for one in desk.waiting if not one.leaves]
        if desk.reading is None and desk.waiting:
            desk.reading = Reading(self.model, _alike(desk.waiting))
            desk.waiting = [one for one in desk.waiting if one not in desk.reading.group.members]
        if desk.reading is not None and desk.reading.advance():
            desk.writing.join(desk.reading.group)
            desk.reading = None
        desk.writing.step()

    def _admitted(self, works: Iterable[ChatWork]) -> list[Answering]:
        admitted = []
        for work in works:
            try:
                admitted.append(self._answering(work))
            except Exception as error:  # one request that cannot be put into words harms no other
                work.fail(f"no prompt could be made: {type(error).__name__}: {error}")
        return admitted

    def _answering(self, work: ChatWork) -> Answering:
        return Answering(work, self.encode(work.job), model=self.name, window=self.window, ends=self.ends, decode=self.decode)

    def encode(self, job: Generate) -> Prompt:
        """The prompt of a job. It leaves room for the answer, up to half the window."""
        return self._format.encode(job.turns, self.window - min(job.max_tokens, self.window // 2), job.tools)

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of tokens, without control tokens."""
        text: str = self._tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text


class Group:
    """Answers that are being written side by side."""

    def __init__(self, model: Any, members: Sequence[Answering] = ()) -> None:
        self.members = list(members)
        self.rows = Rows(model)
        self._model = model

    def step(self) -> None:
        """One more token for everybody."""
        self.leave()
        if self.members:
            last = torch.tensor([[member.last] for member in self.members], device=self.rows.mask.device)
            self.take(self.rows.read(last))

    def take(self, logits: torch.Tensor) -> None:
        """Hands each member its next token."""
        for member, token in zip(self.members, choose(logits, [member.rule for member in self.members]), strict=True):
            member.take(token)
        self.leave()

    def leave(self) -> None:
        """Frees the places of those who have ended or whom nobody waits for."""
        kept = [row for row, member in enumerate(self.members) if not member.leaves]
        if len(kept) < len(self.members):
            if kept:
                self.rows.keep(kept)
            else:
                self.rows = Rows(self._model)
            self.members = [self.members[row] for row in kept]

    def join(self, other: Group) -> None:
        """Takes over the members of `other`."""
        if other.members:
            self.rows.join(other.rows)
            self.members += other.members


class Desk:
    """What an engine has in hand: prompts in line, those that are being read, and answers that are being written."""

    def __init__(self, model: Any) -> None:
        self.waiting: list[Answering] = []
        self.reading: Reading | None = None
        self.writing = Group(model)

    def to(self, device: torch.device) -> None:
        """Moves the caches."""
        self.writing.rows.to(device)
        if self.reading is not None:
            self.reading.to(device)

    def held(self) -> list[Answering]:
        """All of it."""
        return [*self.waiting, *(self.reading.group.members if self.reading else ()), *self.writing.members]


class Reading:
    """Prompts that are being read side by side, a stride at a time, so that nobody's answer stands still for long."""

    def __init__(self, model: Any, members: Sequence[Answering]) -> None:
        self.group = Group(model, members)
        columns = max(len(member.prompt) for member in members)
        self._tokens = _left_padded([member.prompt for member in members], columns).to(model.device)
        self._mask = _left_padded([[1] * len(member.prompt) for member in members], columns).to(model.device)
        self._stride = max(1, STRIDE.get(model.device.type, GROUP) // len(members))
        self._done = 0

    def to(self, device: torch.device) -> None:
        """Moves what was read so far, and what was not."""
        self.group.rows.to(device)
        self._tokens, self._mask = self._tokens.to(device), self._mask.to(device)

    def advance(self) -> bool:
        """Reads a stride; true when the prompts are read and the first tokens are out, or nobody waits for them any more."""
        if all(member.leaves for member in self.group.members):
            self.group.members = []
            return True
        end = self._done + self._stride
        logits = self.group.rows.read(self._tokens[:, self._done : end], self._mask[:, self._done : end])
        self._done = end
        if end < self._tokens.shape[1]:
            return False
        self.group.take(logits)
        return True


def _alike(waiting: Sequence[Answering]) -> list[Answering]:
    """The first in line, and those whose prompts are of its size: padding is computed like text."""
    first, members = len(waiting[0].prompt), [waiting[0]]
    for other in waiting[1:]:
        longest = max(len(member.prompt) for member in [*members, other])
        if first <= 2 * len(other.prompt) <= 4 * first and longest * (len(members) + 1) <= GROUP:
            members.append(other)
    return members


def _left_padded(rows: Sequence[Sequence[int]], columns: int) -> torch.Tensor:
    return torch.tensor([[*([0] * (columns - len(row))), *row] for row in rows])


def _ends(model: Any, tokenizer: Any, written: Form, listed: Sequence[str]) -> frozenset[int]:
    """The tokens that end an answer: generation configs give one, several or none, and often not the one that the template writes."""
    given = model.generation_config.eos_token_id
    ids = [*(given if isinstance(given, list) else [given]), tokenizer.eos_token_id, written.end]
    vocabulary = tokenizer.get_vocab()
    return frozenset(token for token in [*ids, *(vocabulary.get(name) for name in listed)] if token is not None)
