"""Writes many answers at once: sequences join and leave the batch between two steps. Loading the model it runs: `loading.py`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import torch

from bot import Answer, Batch, Generate, Memory
from bot.parking import Parking
from plugins.chat.adapters import Adapters
from plugins.chat.answering import Answering
from plugins.chat.prefixes import Known, Prefix, Prefixes
from plugins.chat.rows import Rows, bytes_per_token, check
from plugins.chat.sampling import choose
from plugins.chat.speaker import Speakers

GROUP = 2048
"""Tokens of the prompts that are read side by side, padding included; a longer prompt is read alone."""

STRIDE = {"cpu": 256}
"""Tokens of prompts that are read between two steps of the answers that are being written. On two CPU cores 256 take under a second;
elsewhere 2048 keep the device busy."""

KEPT = 4
"""One in so many of a full batch's tokens is kept when it was read, for prompts that begin alike."""


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
        self._room = speakers.window * max_batch
        self._prefixes = Prefixes(self._room // KEPT)
        self.memory = Memory(weights, bytes_per_token(model) * self._room, self._parking.size)
        """What the model and its adapters take, and a full batch of whole windows."""

    def park(self) -> None:
        """To the host, with the caches of what was begun; adapters come from the disk when they are used again."""
        self._desk.to(torch.device("cpu"))
        self._prefixes.trim(0)
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
        try:
            self._write(desk, batch)
        except BaseException:
            self._prefixes.trim(0)  # memory may be what it lacked
            raise
        self.adapters.trim(keep={one.adapter for one in desk.held()})

    def _write(self, desk: Desk, batch: Batch[Generate, Answer]) -> None:
        """Asks for company before the first step too, so that those who ask together are claimed while the first of them is read."""
        self._admit(desk, batch)
        while desk.held():
            if batch.over:
                self._desk = desk
                break
            self._step(desk)
            self._admit(desk, batch)

    def _admit(self, desk: Desk, batch: Batch[Generate, Answer]) -> None:
        desk.waiting += self.speakers.admitted(batch.join(self.max_batch - len(desk.held())))

    def _step(self, desk: Desk) -> None:
        desk.waiting = [one for one in desk.waiting if not one.leaves]
        if desk.reading is None and desk.waiting:
            desk.reading = self._begin(desk)
        if desk.reading is not None and self._read(desk.reading):
            desk.write(desk.reading.group)
            desk.reading = None
        for group in desk.writing:
            self.adapters.use(group.adapter)
            group.step()
        desk.writing = [group for group in desk.writing if group.members]

    def _begin(self, desk: Desk) -> Reading:
        """What nobody has in hand of a full batch may hold what was read before."""
        held = desk.held()
        self._prefixes.trim(self._room - len(held) * max(one.most for one in held))
        for one in desk.waiting:
            one.known = self._prefixes.known(one.adapter, one.prompt)
        members = _alike(desk.waiting)
        desk.waiting = [one for one in desk.waiting if one not in members]
        for one in desk.waiting:
            one.known = Known()  # who waits holds no memory of the device
        return Reading(Group(self.model, members, self._prefixes))

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

    def __init__(self, model: Any, members: Sequence[Answering], prefixes: Prefixes) -> None:
        """`prefixes` keeps what those had read who leave."""
        self.members = list(members)
        self.adapter = members[0].adapter
        self.rows = Rows(model)
        self.model = model
        self._prefixes = prefixes

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
            for row in set(range(len(self.members))).difference(kept):
                self._keep(row)
            if kept:
                self.rows.keep(kept)
            else:
                self.rows = Rows(self.model)
            self.members = [self.members[row] for row in kept]

    def _keep(self, row: int) -> None:
        member, layers = self.members[row], self.rows.row(row)
        read = layers[0][0].shape[-2]
        self._prefixes.keep(Prefix(self.adapter, [*member.prompt, *member.written][:read], layers))

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

    def __init__(self, group: Group) -> None:
        """Who knows more of the prompt than another reads as much of it: the rest would be padding."""
        self.group, members, device = group, group.members, group.model.device
        columns, unread = (max(sizes) for sizes in zip(*((len(one.prompt), one.unread) for one in members), strict=True))
        self._tokens = _left_padded([member.prompt for member in members], columns).to(device)
        self._mask = _left_padded([[1] * len(member.prompt) for member in members], columns).to(device)
        self._stride = max(1, STRIDE.get(device.type, GROUP) // len(members))
        self._done = columns - unread
        group.rows.begin(self._done, [Known(max(0, len(one.prompt) - unread), one.known.layers) for one in members])
        for one in members:
            one.known = Known()

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
    """The first in line, and those with its adapter who have as much to read: padding is computed like text."""
    first, members = waiting[0].unread, [waiting[0]]
    for other in waiting[1:]:
        longest = max(member.unread for member in [*members, other])
        if other.adapter == members[0].adapter and first <= 2 * other.unread <= 4 * first and longest * (len(members) + 1) <= GROUP:
            members.append(other)
    return members


def _left_padded(rows: Sequence[Sequence[int]], columns: int) -> torch.Tensor:
    return torch.tensor([[*([0] * (columns - len(row))), *row] for row in rows])
