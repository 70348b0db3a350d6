"""What a Model is and what it is handed: loads weights, runs batches of one kind of job. Which model runs when: `bot/worker/`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from bot.jobs import Job, Partial, Result
from bot.messages import Blob

R = TypeVar("R", bound=Result)
R_contra = TypeVar("R_contra", bound=Result, contravariant=True)
J_co = TypeVar("J_co", bound=Job, covariant=True)  # type: ignore[type-arg]  # any job, whatever its result
J = TypeVar("J", bound=Job)  # type: ignore[type-arg]


@dataclass(frozen=True, slots=True)
class Memory:
    """What a model takes on its device, in bytes: `weights` once, `cache` for a full batch.

    `parked` is what its weights take in host memory while they are parked; 0 for a model that cannot park them.
    """

    weights: int
    cache: int = 0
    parked: int = 0


@dataclass(frozen=True, slots=True)
class Placement:
    """Where to load.

    `device` as torch names it ("cpu", "cuda:0"); `weights` the folder on disk, None for a model without any; `threads` of the CPU;
    `beside` the folders of what lies on top of the weights, by the names in `Model.also`; `seconds` what whoever waits for it has left:
    a load that has to wait for something itself gives that up before.
    """

    device: str
    weights: Path | None = None
    threads: int = 1
    beside: Mapping[str, Path] = field(default_factory=dict)
    seconds: float = inf


class Work(Protocol[J_co, R_contra]):
    """One claimed job in the hands of a model. Safe to use from any thread."""

    @property
    def job(self) -> J_co:
        """The request."""

    @property
    def cancelled(self) -> bool:
        """True when nobody waits any more, or its time is nearly over: drop it at the next step; finishing it is harmless and ignored."""

    def emit(self, partial: Partial) -> None:
        """Shows the result as it stands; never blocks. When partials come too fast, only the newest of each kind is shown."""

    def finish(self, result: R_contra) -> None:
        """Hands in the result; the first of `finish` and `fail` counts."""

    def fail(self, reason: str) -> None:
        """This job cannot be done (the others can); the reason goes to the operator's log."""

    def refuse(self, sentence: str) -> None:
        """This job will not be done, for a reason that the person is told in this sentence."""

    def read(self, blob: Blob) -> bytes:
        """The bytes of a blob that the job refers to."""

    def keep(self, content: bytes, mime: str, name: str = "") -> Blob:
        """Stores bytes that the result or a partial refers to."""


class Batch(Protocol[J_co, R_contra]):
    """The compatible jobs that a model runs together, at most its `max_batch` at any time."""

    def __iter__(self) -> Iterator[Work[J_co, R_contra]]:
        """The jobs claimed so far; of those that have ended, some or none."""

    @property
    def over(self) -> bool:
        """True when another model is due: one that `parks` returns at its next step, and goes on in the next run that has these jobs."""

    def join(self, free: int) -> Sequence[Work[J_co, R_contra]]:
        """Up to `free` jobs that arrived meanwhile and may still join; never blocks, empty once admission is closed.

        Called between two steps: what is `cancelled` by then is let go of, and may be dropped without a word.
        """


class Model(ABC, Generic[J, R]):
    """Runs one kind of job. Construction is cheap and imports nothing heavy; `load` does both.

    `name` is what `Job.model` asks for; `weights` names the catalogue entry to load, "" for a model without any.
    The worker calls one method at a time, except the runs of a model with `concurrency`.
    """

    name: str
    job: type[J]
    weights: str = ""
    also: Sequence[str] = ()
    """Catalogue entries that lie on top of the weights, adapters say: `Job.model` may ask for each by its name. The worker takes out those
    that are not here before it asks for anything."""
    device: str = ""
    """Where the worker will load it, as in `Placement`; known before `memory` is asked first."""
    max_batch: int = 1
    parks: bool = False
    """Whether `run` may return with jobs unfinished when the batch is `over`. They are in the batch of a later `run`, before new ones;
    what was unloaded meanwhile begins anew. Parking the weights is another matter: see `park`."""
    concurrency: int = 0
    """For a model whose work another program does, over HTTP say: how many jobs run at once, each by a `run` of its own, in a thread of
    its own, in a batch of one. 0: `max_batch` jobs in one `run`."""
    remote: bool = False
    """The work is done elsewhere: it takes no turns with the models of the worker's device, and nothing of its memory. A program that
    shares the device leaves this False; `load`, `unload` and `park` then have it take memory and give it back."""

    @abstractmethod
    def memory(self) -> Memory:
        """What `load` and a full batch will take, before loading; asked again when it is loaded, and may then have measured."""

    @abstractmethod
    def load(self, placement: Placement) -> None:
        """Brings the weights to the device. Raises anything; the message is shown to the operator."""

    @abstractmethod
    def run(self, batch: Batch[J, R]) -> None:
        """Finishes or fails every job of the batch, unless it `parks`; an exception fails those that are neither."""

    @abstractmethod
    def unload(self) -> None:
        """Gives all memory back, on the device and in the host; also what a `load` that raised has left, and what is parked."""

    def park(self) -> None:
        """Gives the device's memory back and keeps the weights in the host's, so that `unpark` is a copy and not a read.

        Called only where `memory().parked` is not 0 and device and host have memories of their own. The host's copy stays until
        `unload`, so that parking again copies nothing; `bot.parking` does that for modules of torch.
        """
        raise NotImplementedError(f"{self.name} says that it can be parked, and has no `park`")

    def unpark(self) -> None:
        """Brings parked weights back to the device."""
        raise NotImplementedError(f"{self.name} says that it can be parked, and has no `unpark`")


class Parkable(Protocol):
    """What holds the weights of a model, and moves them."""

    def park(self) -> None:
        """See `Model.park`."""

    def unpark(self) -> None:
        """See `Model.unpark`."""


class EngineModel(Model[J, R]):
    """A model whose weights and work are in the hands of an `engine`, which `load` makes."""

    engine: Parkable | None = None

    def park(self) -> None:
        """The engine's weights."""
        if self.engine is not None:
            self.engine.park()

    def unpark(self) -> None:
        """The engine's weights."""
        if self.engine is not None:
            self.engine.unpark()

    def unload(self) -> None:
        """The last reference to the engine goes."""
        self.engine = None
