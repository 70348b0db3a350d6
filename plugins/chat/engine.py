"""Writes many answers at once: sequences join and leave the batch between two steps. Loading the model it runs: `loading.py`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import torch

from bot import Answer, Batch, Generate, Memory
from plugins.chat.adapters import Adapters
from plugins.chat.answering import Answering
from plugins.chat.parking import Parking
from plugins.chat.rows import Rows, bytes_per_token, check
from plugins.chat.sampling import choose
from plugins.chat.speaker import Speakers

GROUP = 2048
"""Tokens of the prompts that are read side by side, padding included; a longer prompt is read alone."""

STRIDE = {"cpu": 256}
"""Tokens of prompts that are read between two steps of the answers that are being written. On two CPU cores 256 take under a second;
elsewhere 2048 keep the device busy."""


class Engine:
    """A loaded causal language model of transformers, and who speaks with it: the model itself, and adapters on top of it."""

    def __init__(self, model: Any, speakers: Speakers, *, max_batch: int, adapters: Adapters | None = None) -> None:
        check(model)
        self.model = model
        self.speakers = speakers
        self.max_batch = max_batch
        self.adapters = adapters or Adapters(model, {})
        self._desk = Desk()
        self._device = model.device
        self._parking = Parking(model)
        weights = model.get_memory_footprint() + self.adapters.size
        self.memory = Memory(weights, bytes_per_token(model) * speakers.window * max_batch, self._parking.size)
        """What the model and its adapters take, and a full batch of whole windows."""

    def park(self) -> None:
        """To the host, with the caches of what was begun; adapters come from the disk when they are used again."""
        self._desk.to(torch.device("cpu"))
        self.adapters.trim(most=0)
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
        desk, self._desk = self._desk, Desk()  # put back below; what raises leaves nothing behind
        known = {id(one.work) for one in desk.held()}
        desk.waiting += self.speakers.admitted(work for work in batch if id(work) not in known)
        while desk.held():
            if batch.over:
                self._desk = desk
                break
            self._step(desk)
            desk.waiting += self.speakers.admitted(batch.join(self.max_batch - len(desk.held())))
        self.adapters.trim(keep={one.adapter for one in desk.held()})

    def _step(self, desk: Desk) -> None:
        desk.waiting = [one for one in desk.waiting if not one.leaves]
        if desk.reading is None and desk.waiting:
            desk.reading = Reading(self.model, _alike(desk.waiting))
            desk.waiting = [one for one in desk.waiting if one not in desk.reading.group.members]
        if desk.reading is not None and self._read(desk.reading):
            desk.write(desk.reading.group)
            desk.reading = None
        for group in desk.writing:
            self.adapters.use(group.adapter)
            group.step()
        desk.writing = [group for group in desk.writing if group.members]

    def _read(self, reading: Reading) -> bool:
        """True when it has come to its end; an adapter that does not fit ends it for those who asked for it, and harms no others."""
        try:
            self.adapters.use(reading.group.adapter)
        except (ValueError, OSError) as error:
            for member in reading.group.members:
                member.work.fail(str(error))
            reading.group.members = []
            return True
        return reading.advance()


class Group:
    """Answers that are being written side by side, all with the same adapter."""

    def __init__(self, model: Any, members: Sequence[Answering]) -> None:
        self.members = list(members)
        self.adapter = members[0].adapter
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
        self.rows.join(other.rows)
        self.members += other.members


class Desk:
    """What an engine has in hand: prompts in line, those that are being read, and answers that are being written."""

    def __init__(self) -> None:
        self.waiting: list[Answering] = []
        self.reading: Reading | None = None
        self.writing: list[Group] = []

    def write(self, read: Group) -> None:
        """Goes on with what was read, beside the others with its adapter."""
        mine = next((group for group in self.writing if group.adapter == read.adapter), None)
        if mine is not None and read.members:
            mine.join(read)
        elif read.members:
            self.writing.append(read)

    def to(self, device: torch.device) -> None:
        """Moves the caches."""
        for group in self.writing:
            group.rows.to(device)
        if self.reading is not None:
            self.reading.to(device)

    def held(self) -> list[Answering]:
        """All of it."""
        reading = self.reading.group.members if self.reading else ()
        return [*self.waiting, *reading, *chain.from_iterable(group.members for group in self.writing)]


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
    """The first in line, and those with its adapter whose prompts are of its size: padding is computed like text."""
    first, members = len(waiting[0].prompt), [waiting[0]]
    for other in waiting[1:]:
        longest = max(len(member.prompt) for member in [*members, other])
        if other.adapter == members[0].adapter and first <= 2 * len(other.prompt) <= 4 * first and longest * (len(members) + 1) <= GROUP:
            members.append(other)
    return members


def _left_padded(rows: Sequence[Sequence[int]], columns: int) -> torch.Tensor:
    return torch.tensor([[*([0] * (columns - len(row))), *row] for row in rows])
