"""Typed requests to a model: what a Job is, the vocabulary jobs any plugin may run, and the partials a job emits.

How jobs wait and are claimed: `bot/store/queue.py`. What runs them: `bot/models.py`.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from bot.messages import Blob
from bot.turns import Call, Turn


class Result(BaseModel):
    """What a job comes back with; JSON on the wire, bytes by reference to a Blob."""

    model_config = ConfigDict(frozen=True, extra="forbid")


R = TypeVar("R", bound=Result)


class Job(BaseModel, Generic[R]):
    """A typed request to a model. Subclass it as `Job[YourResult]` and state `kind`, `timeout` and `deadline`.

    `kind` is the name on the wire (a plugin's own: "plugin/name"); `timeout` is the longest run and `deadline` the
    longest stay in the queue before the answer is worthless, both in seconds. `model` asks for one model by its
    catalogue name; None takes the first that serves the kind.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClassVar[str]
    timeout: ClassVar[float]
    deadline: ClassVar[float]

    model: str | None = None

    @classmethod
    def result_type(cls) -> type[R]:
        """The class named in `Job[...]`; the router reads results with it."""
        for base in cls.__mro__:
            args = getattr(base, "__pydantic_generic_metadata__", {}).get("args")
            if args:
                result: type[R] = args[0]
                return result
        raise TypeError(f"{cls.__name__} must subclass Job[SomeResult]")

    def batch_key(self) -> str:
        """Jobs of one model with equal keys may run in one batch."""
        return ""


def wanted(kind: str, model: str | None) -> str:
    """What a worker must serve to run a job of this kind, and of this model where one is asked for."""
    return kind if model is None else f"{kind}:{model}"


def shape(job: type[Job[Any]]) -> str:
    """A hash of a job's form: workers that know the same one understand the same jobs."""
    return hashlib.blake2b(json.dumps(job.model_json_schema(), sort_keys=True).encode(), digest_size=6).hexdigest()


class Function(BaseModel):
    """A tool as a model is told of it; `parameters` is a JSON schema. `Context.call` runs it."""

    model_config = ConfigDict(frozen=True)

    name: str
    description: str
    parameters: dict[str, Any]


class Answer(Result):
    """Generated text, or the tools that the model wants called first. `finish` says why it ended; token counts are the model's own.

    `seconds` went by from the model's first look at the prompt to the end, beside whatever else it was writing; 0 where it does not say.
    """

    text: str
    finish: Literal["stop", "length"]
    prompt_tokens: int
    tokens: int
    model: str
    calls: tuple[Call, ...] = ()
    seconds: float = 0.0


class Generate(Job[Answer]):
    """Continue a conversation. Turns are oldest first; the model folds them into its own prompt format.

    `max_tokens` caps the answer; `temperature` 0 is greedy; generation ends before any of `stop`. Where the last turn is the bot's, it is
    the beginning of the answer, which then has it too. `tools` are what the model may call instead of answering, where it knows how.
    """

    kind: ClassVar[str] = "generate"
    timeout: ClassVar[float] = 600.0
    deadline: ClassVar[float] = 600.0

    turns: tuple[Turn, ...]
    max_tokens: int = Field(default=512, ge=1, le=32_768)
    temperature: float = Field(default=0.7, ge=0.0, le=2.0)
    top_p: float = Field(default=0.9, gt=0.0, le=1.0)
    stop: tuple[str, ...] = ()
    seed: int | None = None
    tools: tuple[Function, ...] = ()


class Picture(Result):
    """A drawn image and the recipe that draws it again: prompt, seed, size, steps, model and versions. `others` are those drawn with it."""

    image: Blob
    recipe: dict[str, Any]
    others: tuple[Picture, ...] = ()


class Draw(Job[Picture]):
    """Draw a picture, or `number` of them, whose seeds follow one another. `size` is width and height in pixels.

    What is None is left to the model. `strength` is how much of the `reference` is drawn anew, from 0 to 1. `batch` asks for a forward
    pass of the shape that a recipe tells, so many rows and which of them, because the last bits of a picture depend on it. Without
    `previews` nothing of it is shown before it is done.
    """

    kind: ClassVar[str] = "draw"
    timeout: ClassVar[float] = 900.0
    deadline: ClassVar[float] = 1800.0

    prompt: str
    negative: str = ""
    size: tuple[int, int] | None = None
    number: int = Field(default=1, ge=1, le=4)
    steps: int | None = Field(default=None, ge=1, le=200)
    guidance: float | None = Field(default=None, ge=0.0, le=50.0)
    seed: int | None = None
    style: str | None = None
    reference: Blob | None = None
    strength: float | None = Field(default=None, gt=0.0, le=1.0)
    batch: tuple[int, int] | None = None
    previews: bool = True

    def batch_key(self) -> str:
        """One forward pass needs one size, one number of steps, one style, and no reference."""
        alone = self.reference.id if self.reference else self.batch or ""
        return f"{self.size}/{self.steps}/{self.guidance}/{self.style}/{alone}"


class Word(BaseModel):
    """One spoken word, with its times in seconds and its probability from 0 to 1."""

    model_config = ConfigDict(frozen=True)

    start: float
    end: float
    text: str
    probability: float


class Segment(BaseModel):
    """A stretch of speech, with its times in seconds from the start of the audio; `speaker` counts people from 1, 0 where nobody told."""

    model_config = ConfigDict(frozen=True)

    start: float
    end: float
    text: str
    words: tuple[Word, ...] = ()
    speaker: int = 0


class Transcript(Result):
    """What was said. `language` is an ISO 639-1 code; an empty `segments` means that nobody spoke."""

    language: str
    seconds: float
    segments: tuple[Segment, ...]
    model: str

    @property
    def text(self) -> str:
        """The words without times."""
        return " ".join(segment.text.strip() for segment in self.segments).strip()


class Transcribe(Job[Transcript]):
    """Turn speech into text. `audio` is a decoded clip (see `ctx.clips`); `language` None is detected.

    `hints` are names and words to expect; `translate` asks for English, where the model can.
    """

    kind: ClassVar[str] = "transcribe"
    timeout: ClassVar[float] = 900.0
    deadline: ClassVar[float] = 86_400.0

    audio: Blob
    language: str | None = None
    translate: bool = False
    words: bool = False
    hints: str = ""


class TextSoFar(BaseModel):
    """A partial answer: the whole text so far, so that a lost partial costs nothing."""

    text: str
    kind: Literal["text"] = "text"


class Progress(BaseModel):
    """How far a job is; `unit` is the plural noun of what is counted."""

    done: float
    total: float
    unit: str
    kind: Literal["progress"] = "progress"


class Preview(BaseModel):
    """A small picture of the result as it stands."""

    image: Blob
    kind: Literal["preview"] = "preview"


Partial = Annotated[TextSoFar | Progress | Preview, Field(discriminator="kind")]
partial_json: TypeAdapter[TextSoFar | Progress | Preview] = TypeAdapter(Partial)
